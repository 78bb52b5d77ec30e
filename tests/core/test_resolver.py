"""ConflictResolver merges two plain boto3-style items, the same whichever is named first."""

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, note
from hypothesis import strategies as st

from reconciler import ConflictResolver
from reconciler.codec import encode
from reconciler.errors import ItemError, ReconcilerError, RequestError
from reconciler.join import join
from reconciler.plain import adopt, read_plain
from reconciler.wire import canonical_text, from_plain, plain_image
from tests.core.histories import POLICY, START_MS, history
from tests.core.strategies import SEARCH, TEXT, VALUES, reachable

RESOLVER = ConflictResolver(POLICY)
SEED: dict[Any, Any] = {
    "Id": "x",
    "Data": "a",
    "Version": 3,
    "Timestamp": START_MS,
    "LastUpdatedRegion": "A",
    "IdempotencyKey": "k1",
}


def item_of(**attributes):
    """Return a plain item as the seed's writers leave it, with these attributes (None: absent)."""
    return {name: value for name, value in {**SEED, **attributes}.items() if value is not None}


def bytes_of(item):
    """Return an item's canonical bytes."""
    return canonical_text(from_plain(item)).encode()


@SEARCH
@given(reachable(2))
def test_resolving_is_joining(drawn):
    """Two items with ledgers resolve to the bytes that a repair would write, in either order, and to themselves."""
    scene, (a, b) = drawn
    note(scene.text)
    left, right = (plain_image(encode(item, POLICY)) for item in (a, b))
    resolved = RESOLVER.resolve(left, right)
    assert bytes_of(resolved) == bytes_of(RESOLVER.resolve(right, left))
    assert bytes_of(resolved) == bytes_of(plain_image(encode(join(a, b, POLICY), POLICY)))
    assert RESOLVER.resolve(left, left) == left


PLAIN = st.builds(
    item_of,
    Version=st.none() | st.integers(0, 4),
    Timestamp=st.sampled_from([None, START_MS - 1, START_MS, START_MS + 20]),
    LastUpdatedRegion=st.sampled_from([None, "A", "B"]),
    IdempotencyKey=st.sampled_from([None, "k1", "k2"]),
    Data=st.sampled_from([None, "a", "b"]),
    Balance=st.sampled_from([None, 1, 2]),
    Tags=st.sampled_from([None, {"a"}, {"b"}]),
)


@SEARCH
@given(reachable(1), PLAIN, PLAIN)
def test_any_shapes_resolve_in_any_order(drawn, one, other):
    """Plain with plain and plain with ledger: commutative to the byte, and what was merged changes nothing again."""
    scene, (item,) = drawn
    note(scene.text)
    for left, right in ((one, other), (one, plain_image(encode(item, POLICY)))):
        resolved = RESOLVER.resolve(left, right)
        assert bytes_of(resolved) == bytes_of(RESOLVER.resolve(right, left))
        assert RESOLVER.resolve(resolved, left) == RESOLVER.resolve(resolved, right) == resolved


@pytest.mark.parametrize(
    ("left", "right", "resolved"),
    [
        ({}, {"Version": 4, "Data": "b", "IdempotencyKey": "k2"}, {"Version": 4, "Data": "b"}),
        ({}, {"Data": "b", "IdempotencyKey": "k2", "LastUpdatedRegion": "B"}, {"Version": 4, "Data": "b"}),
        (
            {},
            {"Version": 9, "Data": "b", "IdempotencyKey": "k2", "Timestamp": START_MS - 1},
            {"Version": 10, "Data": "a"},
        ),
        ({}, {"LastUpdatedRegion": "B"}, {"Version": 3, "LastUpdatedRegion": "B"}),
        ({"Timestamp": None}, {"Data": "b", "IdempotencyKey": "k2"}, {"Version": 4, "Data": "b"}),
    ],
)
def test_two_plain_items(left, right, resolved):
    """A successor stays as it is; a conflict goes to the later write and raises Version above both."""
    for one, other in ((left, right), (right, left)):
        merged = RESOLVER.resolve(item_of(**one), item_of(**other))
        assert {name: merged[name] for name in resolved} == resolved


def test_a_plain_ancestor_of_an_adopted_item_adds_nothing():
    """What the ledger was adopted from is included in it."""
    adopted = encode(adopt(read_plain(from_plain(SEED)["M"]), POLICY), POLICY)
    assert RESOLVER.resolve(SEED, plain_image(adopted)) == plain_image(adopted)


def test_a_plain_item_that_the_ledger_does_not_know_is_adopted_and_joined():
    """Both contents are there afterwards, each with its own time."""
    causal = plain_image(history("wait 50 | A: Other=o Balance+1 #k9").image("A"))
    merged = RESOLVER.resolve(item_of(Balance=5), causal)
    assert (merged["Data"], merged["Other"], merged["Balance"], merged["Version"]) == ("a", "o", 6, 4)


def test_without_a_policy_every_attribute_is_latest():
    """The seed's own table needs no policy file."""
    left, right = item_of(), item_of(Data="b", IdempotencyKey="k2", Timestamp=START_MS + 1)
    assert ConflictResolver().resolve(left, right) == {**right, "Version": 4}


def test_types_come_back_as_boto3_gives_them():
    """Decimal, sets, bytes and None, exact to 38 digits; the inputs stay as they were."""
    rich = item_of(Data=[Decimal("1." + "1" * 37), None, b"\xff", {Decimal(1)}, {"m": True}])
    before = repr(rich)
    assert RESOLVER.resolve(rich, rich) == rich
    assert repr(rich) == before


@pytest.mark.parametrize(
    ("left", "right", "error", "place"),
    [
        (None, SEED, RequestError, "item_region1"),
        (SEED, [SEED], RequestError, "item_region2"),
        ("x", SEED, RequestError, "item_region1"),
        (SEED, {}, ItemError, "Id"),
        ({"Data": "v"}, SEED, ItemError, "Id"),
        (SEED, {**SEED, "Id": "y"}, RequestError, "item_region2"),
        (SEED, {**SEED, "Id": 1}, RequestError, "item_region2"),
        ({**SEED, "Data": 1.5}, SEED, RequestError, "item_region1.Data"),
        (SEED, {**SEED, "Data": set()}, RequestError, "item_region2.Data"),
        (SEED, {**SEED, "Data": {1, "a"}}, RequestError, "item_region2.Data"),
        (SEED, {**SEED, "Data": object()}, RequestError, "item_region2.Data"),
        (SEED, {**SEED, "Data": "\ud800"}, RequestError, "item_region2.Data"),
        (SEED, {**SEED, "Data": Decimal("NaN")}, RequestError, "item_region2.Data"),
        (SEED, {**SEED, "Data": Decimal("1E999999999")}, RequestError, "item_region2.Data"),
        (SEED, {**SEED, 5: "x"}, RequestError, "item_region2.5"),
        (SEED, {**SEED, "Causality": "x"}, ItemError, "Causality"),
        (SEED, {**SEED, "Causality": {}}, ItemError, "Causality"),
        (SEED, {**SEED, "Causality": {"Stamp": 5, "Writes": {}}}, ItemError, "Causality.Stamp"),
        ({**SEED, "Limit": True}, {**SEED, "Limit": 2, "IdempotencyKey": "k2"}, ItemError, "Limit"),
        (SEED, {**SEED, "Profile": 5, "IdempotencyKey": "k2"}, ItemError, "Profile"),
        ({**SEED, "Seen": {1}}, {**SEED, "Seen": {"a"}, "IdempotencyKey": "k2"}, ItemError, "Seen"),
    ],
)
def test_bad_input_is_named(left, right, error, place):
    """One error for each fault, with the argument and the attribute that are wrong."""
    with pytest.raises(error) as caught:
        RESOLVER.resolve(left, right)
    assert getattr(caught.value, "field", None) == place or getattr(caught.value, "attribute", None) == place


NAMES = (
    st.sampled_from(["Version", "Timestamp", "IdempotencyKey", "Causality", "Tags", "Balance", "Profile", "Limit"])
    | TEXT
)


@SEARCH
@given(st.dictionaries(NAMES, VALUES | st.floats() | st.just({1: 2}) | st.text(), max_size=4), PLAIN)
def test_garbage_raises_nothing_unforeseen(garbage, item):
    """Whatever stands in an item, the answer is a merged item or an error of this library."""
    try:
        merged = RESOLVER.resolve({**item, **garbage, "Id": "x"}, item)
    except ReconcilerError:
        return
    assert bytes_of(merged) == bytes_of(RESOLVER.resolve(item, {**item, **garbage, "Id": "x"}))


@pytest.mark.parametrize(
    ("earlier", "later"),
    [
        (1_700_000_000, 1_700_000_005),  # seconds
        (1, 2),
        (Decimal("1700000000.25"), Decimal("1700000000.5")),
        ("2026-11-23T10:00:00Z", "2026-11-23T10:00:01Z"),
        (None, 1),
        (None, "2026-11-23T10:00:00Z"),
        ("2026-11-23T10:00:00Z", 1),  # a number is above a text
    ],
)
def test_plain_items_are_ordered_by_their_timestamp_in_any_unit(earlier, later):
    """What the worker leaves alone for want of a usable time, a caller of the resolver still wants resolved by it."""
    old = item_of(Data="old", Timestamp=earlier, LastUpdatedRegion="Z", IdempotencyKey="k1")
    new = item_of(Data="new", Timestamp=later, LastUpdatedRegion="A", IdempotencyKey="k2")
    assert RESOLVER.resolve(old, new)["Data"] == "new"
    assert RESOLVER.resolve(new, old)["Data"] == "new"
