"""Join is total, commutative, associative and idempotent, on every state that requests, joins and folds can reach."""

import pytest
from hypothesis import assume, given, note
from hypothesis import strategies as st

from reconciler.codec import decode, encode
from reconciler.errors import MergeError
from reconciler.included import included
from reconciler.item import Item, fold_item
from reconciler.join import diverged, join, join_values
from reconciler.ledger import includes
from reconciler.policy import AttributePolicy, Kind
from reconciler.wire import from_plain
from tests.core.histories import KEY, POLICY, history
from tests.core.strategies import SEARCH, Scene, reachable

EACH_POLICY = pytest.mark.parametrize(
    "kinds", [*([kind] for kind in Kind), list(Kind)], ids=[*(kind.value for kind in Kind), "all"]
)


@EACH_POLICY
@SEARCH
@given(data=st.data())
def test_the_laws_hold_on_every_reachable_state(kinds, data):
    """Commutative, associative and idempotent, whatever was folded, forgotten, deleted or executed twice."""
    scene, (a, b, c) = data.draw(reachable(3, kinds))
    note(scene.text)
    together = join(a, b, POLICY)
    assert together == join(b, a, POLICY)
    assert join(together, c, POLICY) == join(a, join(b, c, POLICY), POLICY)
    assert join(a, a, POLICY) == a
    assert join(together, a, POLICY) == join(together, b, POLICY) == together


@EACH_POLICY
@SEARCH
@given(data=st.data())
def test_what_is_included_changes_nothing(kinds, data):
    """A write is lost exactly where the ledger says so: joining what is included only folds, until histories part."""
    scene, (a, b) = data.draw(reachable(2, kinds))
    note(scene.text)
    assume(not _ever_diverged(scene))
    if includes(b.ledger, a.ledger):
        same_life = a.ledger.life == b.ledger.life
        assert join(a, b, POLICY) == (fold_item(b, a.ledger.horizon) if same_life else b)
    else:
        assert join(a, b, POLICY).ledger != b.ledger


@SEARCH
@given(reachable(2, folds=False))
def test_without_folding_the_ledger_always_knows(drawn):
    """Where nothing is folded there is no unknown, and no divergence."""
    scene, (a, b) = drawn
    note(scene.text)
    assert includes(b.ledger, a.ledger) is not None
    assert not diverged(a, b)


@SEARCH
@given(reachable(2))
def test_unknown_means_diverged(drawn):
    """Where the horizon hides what is included, the two histories parted before it: it goes to the queue."""
    scene, (a, b) = drawn
    note(scene.text)
    assert (includes(b.ledger, a.ledger) is None) <= diverged(a, b)


@SEARCH
@given(reachable(2))
def test_the_wire_says_what_the_ledger_says(drawn):
    """The hot path reads two stream images as the ledgers in them would be read."""
    scene, (a, b) = drawn
    note(scene.text)
    assert included(encode(a, POLICY), encode(b, POLICY), POLICY) is includes(b.ledger, a.ledger)


@SEARCH
@given(reachable(2))
def test_joining_and_encoding_commute(drawn):
    """What one Region joins from stored bytes is what another would have stored."""
    scene, (a, b) = drawn
    note(scene.text)
    stored = join(decode(encode(a, POLICY), POLICY), decode(encode(b, POLICY), POLICY), POLICY)
    assert encode(stored, POLICY) == encode(join(a, b, POLICY), POLICY)


@SEARCH
@given(reachable(2), st.integers(0, 20))
def test_folding_and_joining_commute_until_histories_part(drawn, position):
    """Two Regions that fold at one horizon, then meet, hold what they would have held had they met first."""
    scene, (a, b) = drawn
    note(scene.text)
    stamps = sorted(a.ledger.stamps() | b.ledger.stamps())
    assume(stamps and not _ever_diverged(scene) and a.ledger.life == b.ledger.life)
    horizon = max(stamps[position % len(stamps)], a.ledger.horizon, b.ledger.horizon)
    left, right = fold_item(a, horizon), fold_item(b, horizon)
    assume(left.past == right.past)
    assert join(left, right, POLICY) == fold_item(join(a, b, POLICY), horizon)


def _ever_diverged(scene: Scene) -> bool:
    states = scene.table.states
    return any(diverged(one, other) for one in states for other in states)


def test_two_regions_repair_one_loss_with_the_same_bytes():
    """A repair adds no id and reads no clock, so there is no ping-pong."""
    table = history(
        "A: Data=v0 Tags+{a} Balance+1 #k0 | A>>B | A: Data=a1 Balance+10 #k1 | B: Tags-{a} Owner=bo #k2 | A>B | B>A"
    )
    assert table.image("A") == table.image("B")
    assert (table.everywhere("Data"), table.everywhere("Balance"), table.everywhere("Owner")) == ("a1", 11, "bo")
    assert table.image("A")["Version"] == {"N": "3"}


def test_nothing_joins_as_the_empty_item():
    """An item that was never written adds nothing to one that was."""
    item = history("A: Data=v Balance+1 Tags+{a} Limit=3 #k1").item("A")
    assert join(Item(KEY), item, POLICY) == item == join(item, Item(KEY), POLICY)


def test_one_key_with_two_payloads_still_converges():
    """A client that reuses a key for another amount is not detected, yet every Region comes to the same amount."""
    table = history("A: Balance+5 #k1 | B: Balance+7 #k1")
    a, b = table.item("A"), table.item("B")
    assert join(a, b, POLICY) == join(b, a, POLICY)
    assert join(a, b, POLICY).total("Balance") == 7


@pytest.mark.parametrize(
    ("policy", "left", "right", "joined"),
    [
        (Kind.MAX, 9, 10, 10),
        (Kind.MAX, "9", "10", "9"),
        (Kind.MAX, b"\xff", b"\x00", b"\xff"),
        (Kind.MAX, 10, "1", "1"),
        (Kind.MAX, "\ufffd", "\U0001f600", "\U0001f600"),
        (Kind.MIN, -1, 1, -1),
        (Kind.MIN, "b", "ab", "ab"),
        (Kind.MIN, b"\xfb", b"\x01", b"\x01"),
        (Kind.UNION, {1, 2}, {2, 3}, {1, 2, 3}),
        (Kind.UNION, {b"a"}, {b"b"}, {b"a", b"b"}),
    ],
)
def test_values_without_stamps(policy, left, right, joined):
    """Values are ordered as in DynamoDB: numbers by size, text by its UTF-8 bytes, types by their letter."""
    attribute = AttributePolicy(policy)
    for one, other in ((left, right), (right, left)):
        assert join_values("Limit", attribute, from_plain(one), from_plain(other)) == from_plain(joined)


def test_a_value_joins_with_itself_whatever_its_type():
    """Idempotence needs no order: a structure under `max`, kept from before the policy, stays."""
    value = from_plain([1, {"a": {2}}])
    assert join_values("Limit", AttributePolicy(Kind.MAX), value, value) == value


def test_structures_have_an_order_too():
    """An order of canonical text makes max total over lists and maps."""
    one, other = from_plain([1]), from_plain([2])
    assert join_values("Limit", AttributePolicy(Kind.MAX), one, other) == other


def test_sets_of_two_types_have_no_union():
    """DynamoDB has no set of text and numbers: the attribute is named."""
    with pytest.raises(MergeError, match="sets of two types") as caught:
        join_values("Seen", AttributePolicy(Kind.UNION), from_plain({"a"}), from_plain({1}))
    assert caught.value.attribute == "Seen"


@pytest.mark.parametrize(
    ("function", "problem"),
    [
        (None, "my_merges:longest is not loaded"),
        (lambda _a, _b: 1 / 0, "my_merges:longest failed: ZeroDivisionError"),
        (lambda _a, _b: 0.5, "my_merges:longest failed: ValueError"),
        (lambda _a, _b: set(), "my_merges:longest failed: ValueError"),
    ],
)
def test_a_custom_function_that_fails_names_its_attribute(function, problem):
    """Whatever a user's function raises, or returns that DynamoDB cannot hold, becomes one kind of fault."""
    attribute = AttributePolicy(Kind.CUSTOM, function=function, function_name="my_merges:longest")
    with pytest.raises(MergeError, match=problem) as caught:
        join_values("Note", attribute, from_plain("a"), from_plain("b"))
    assert caught.value.attribute == "Note"


def test_a_custom_function_cannot_reach_into_the_items():
    """The function gets copies: what it does to them is gone."""
    attribute = AttributePolicy(Kind.CUSTOM, function=lambda a, b: [*(a.clear() or []), *b], function_name="f")
    left = from_plain([1])
    assert join_values("Note", attribute, left, from_plain([2])) == from_plain([2])
    assert left == from_plain([1])


def test_histories_of_two_lives_have_not_diverged():
    """The later life wins whole: there is nothing to tell apart."""
    table = history("A: Balance+1 #k1 | A folds | B: Balance+2 #k2 | B: delete #k3 | B folds")
    assert not diverged(table.item("A"), table.item("B"))


def test_every_policy_is_in_the_histories():
    """No policy is left out of the laws above."""
    kinds = {attribute.kind for attribute in POLICY.attributes.values()} | {POLICY.of("Data").kind}
    assert kinds == set(Kind)
