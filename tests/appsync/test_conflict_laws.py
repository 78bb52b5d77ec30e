"""Laws of the conflict function, over items as JSON brings them, under all ten policies."""

import json

from hypothesis import given
from hypothesis import strategies as st

from handlers.json_values import exact_numbers
from reconciler import ConflictResolver
from reconciler.policy import flatten
from reconciler.wire import canonical, from_plain
from tests.appsync.mutations import answered, mutation, users
from tests.core.histories import POLICY, START_MS
from tests.core.strategies import SEARCH

RESOLVER = ConflictResolver(POLICY)
NUMBERS = st.integers(-3, 3) | st.sampled_from([0.5, -1e20, 2**53 + 1])
WORDS = st.sampled_from(["a", "b", "bb"])
JSON = st.recursive(
    st.none() | st.booleans() | NUMBERS | WORDS,
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(WORDS, inner, max_size=2),
    max_leaves=4,
)
LISTS = st.lists(WORDS, max_size=3)
ATTRIBUTES = {
    "Version": st.integers(0, 4),
    "Timestamp": st.sampled_from([START_MS - 1, START_MS, START_MS + 20]),
    "LastUpdatedRegion": st.sampled_from(["A", "B"]),
    "IdempotencyKey": st.sampled_from(["k1", "k2"]),
    "Data": JSON,
    "Other": JSON,
    "Balance": st.integers(1, 2),
    "Tags": LISTS,
    "Limit": NUMBERS,
    "Floor": NUMBERS,
    "Seen": LISTS,
    "Status": st.sampled_from(["pending", "active", "closed"]),
    "Owner": WORDS,
    "Note": WORDS,
    "Profile": st.fixed_dictionaries({}, optional={"Name": JSON, "Count": st.integers(1, 2), "Tags": LISTS}),
    "_version": st.integers(1, 9),
    "_lastChangedAt": st.just(START_MS),
}
ITEMS = st.fixed_dictionaries({"Id": st.just("x")}, optional=ATTRIBUTES)
SETS = {"Tags", "Seen"}


def plain(item):
    """Return JSON as the resolver takes it; GraphQL's empty list is no set."""
    given_sets = {name: set(value) for name, value in item.items() if name in SETS and value}
    kept = {name: value for name, value in exact_numbers(users(item)).items() if name not in SETS}
    profile = kept.get("Profile")
    if profile is not None:
        tags = {"Tags": set(profile["Tags"])} if profile.get("Tags") else {}
        kept["Profile"] = {**{name: value for name, value in profile.items() if name != "Tags"}, **tags}
    return {**kept, **given_sets}


def leaves(item):
    """Return an item's attributes and map members by path, canonical."""
    image = {name: from_plain(value) for name, value in plain(item).items()}
    return {path: canonical(value) for path, value in flatten(image, POLICY)}


@SEARCH
@given(ITEMS, ITEMS)
def test_the_answer_is_the_same_to_the_byte_in_either_order(new, existing):
    """Two Regions, or a retry that comes the other way round, answer alike."""
    assert json.dumps(answered(mutation(new, existing))[0]) == json.dumps(answered(mutation(existing, new))[0])


@SEARCH
@given(ITEMS, ITEMS)
def test_nothing_that_one_side_alone_has_is_lost(new, existing):
    """Whatever is merged has every path of both; where both agree, or one has it alone, with that very value."""
    answer, _ = answered(mutation(new, existing))
    if answer["action"] == "REJECT":
        return
    ours, theirs, merged = (leaves(item) for item in (new, existing, answer["item"]))
    assert merged.keys() == ours.keys() | theirs.keys()
    for path in merged:
        values = [side[path] for side in (ours, theirs) if path in side]
        if values[0] == values[-1]:
            assert merged[path] == values[0]


@SEARCH
@given(ITEMS, ITEMS)
def test_the_answer_is_the_resolvers(new, existing):
    """Of items that are in conflict by their own account, the answer is what ConflictResolver returns."""
    new, existing = ({**item, "Version": 3, "IdempotencyKey": key} for item, key in ((new, "k1"), (existing, "k2")))
    answer, _ = answered(mutation(new, existing))
    by_resolver = RESOLVER.resolve(plain(new), plain(existing))
    if answer["action"] == "RESOLVE":
        assert from_plain(plain(answer["item"])) == from_plain(by_resolver)


@SEARCH
@given(ITEMS, ITEMS)
def test_refused_is_what_both_have_differently_and_no_values_tell(new, existing):
    """A counter, a removable set, a `manual` attribute: these and nothing else, and the log names them."""
    answer, line = answered(mutation(new, existing))
    ours, theirs = leaves(new), leaves(existing)
    contested = {path for path in ours.keys() & theirs.keys() if ours[path] != theirs[path]}
    undecidable = contested & {"Balance", "Tags", "Owner", "Profile/Count", "Profile/Tags"}
    assert (answer["action"] == "REJECT") == bool(undecidable)
    assert set(line.get("names", [])) == undecidable


GARBAGE = st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | st.text(max_size=4),
    lambda inner: (
        st.lists(inner, max_size=2)
        | st.dictionaries(st.text(max_size=4) | st.sampled_from(sorted(ATTRIBUTES)), inner, max_size=3)
    ),
    max_leaves=6,
)


@SEARCH
@given(ITEMS, GARBAGE | st.dictionaries(st.sampled_from([*ATTRIBUTES, "Causality", "_deleted"]), GARBAGE))
def test_garbage_is_answered(item, garbage):
    """Whatever AppSync hands over in place of an item, one of the three actions comes back, in either order."""
    hostile = {**garbage, "Id": "x"} if isinstance(garbage, dict) else garbage
    answers = [answered(mutation(*pair))[0] for pair in ((item, hostile), (hostile, item))]
    assert answers[0] == answers[1]
    assert answers[0]["action"] in {"RESOLVE", "REMOVE", "REJECT"}
