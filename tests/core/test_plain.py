"""Plain items have no ledger: what can be said of two of them is approximate, until the writer adopts them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.codec import encode
from reconciler.errors import ItemError
from reconciler.join import diverged, join
from reconciler.ledger import includes
from reconciler.plain import (
    PlainItem,
    adopt,
    adoption_included,
    follows,
    has_clock,
    is_plain,
    read_plain,
    resolve_plain,
    succeeds,
)
from reconciler.stamps import client_stamp, id_number, write_id
from reconciler.wire import canonical_text, from_plain
from tests.core.histories import POLICY, START_MS, Table

MS = START_MS


def plain_item(**attributes) -> PlainItem:
    """Return a plain item; Version 1 at START_MS from Region A with key k1, unless told otherwise."""
    values = {"Id": "x", "Version": 1, "Timestamp": MS, "LastUpdatedRegion": "A", "IdempotencyKey": "k1", **attributes}
    return read_plain({name: from_plain(value) for name, value in values.items() if value is not None})


@pytest.mark.parametrize(
    ("old", "new", "answer"),
    [
        ({"Version": 1}, {"Version": 2, "IdempotencyKey": "k2"}, True),
        ({"Version": 1}, {"Version": 2, "IdempotencyKey": "k2", "Timestamp": MS + 1}, True),
        ({"Version": 1}, {"Version": 9, "IdempotencyKey": "k2"}, True),
        ({"Version": 1}, {"Version": 1, "IdempotencyKey": "k1", "LastUpdatedRegion": "B"}, True),
        ({"Version": 1}, {"Version": 1, "IdempotencyKey": "k2"}, False),
        ({"Version": 1}, {"Version": 1, "IdempotencyKey": "k2", "Timestamp": MS + 1}, False),
        ({"Version": 1}, {"Version": 2, "IdempotencyKey": "k2", "Timestamp": MS - 1}, False),
        ({"Version": 2}, {"Version": 1, "IdempotencyKey": "k2", "Timestamp": MS + 1}, False),
        ({"Version": None}, {"Version": 1, "IdempotencyKey": "k2"}, True),
        ({"Version": 1, "IdempotencyKey": None}, {"Version": 1, "IdempotencyKey": None}, True),
        ({"Version": 1, "IdempotencyKey": None}, {"Version": 1, "IdempotencyKey": None, "Data": "v"}, False),
        ({"Timestamp": None}, {"Version": 2}, None),
        ({"Version": 1}, {"Version": 2, "Timestamp": None}, None),
        ({"Version": 1}, {"Version": 2, "Timestamp": 1_700_000_000}, None),
        ({"Version": 1}, {"Version": 2, "Timestamp": MS * 1000}, None),
        ({"Version": 1}, {"Version": 2, "Timestamp": "yesterday"}, None),
    ],
)
def test_what_two_plain_images_tell(old, new, answer):
    """A successor, a conflict or lost write, or nothing where either has no usable time."""
    assert succeeds(plain_item(**new), plain_item(**old)) is answer


def test_without_a_time_the_version_still_tells():
    """For a merge that someone asks for, no usable time counts as the earliest."""
    assert follows(plain_item(Version=2), plain_item(Timestamp=None))
    assert not follows(plain_item(Version=2, Timestamp=None), plain_item())


@pytest.mark.parametrize(
    ("left", "right", "merged"),
    [
        ({"Data": "a"}, {"Data": "b", "Timestamp": MS + 1}, {"Data": "b", "Version": 2}),
        ({"Data": "a"}, {"Data": "b", "LastUpdatedRegion": "B"}, {"Data": "b", "Version": 2}),
        ({"Data": "a"}, {"Data": "b"}, {"Data": "b", "Version": 2}),
        ({"Data": "a", "Other": "o"}, {"Data": "b", "Timestamp": MS + 1}, {"Data": "b", "Other": "o", "Version": 2}),
        ({"Version": 7, "Data": "a"}, {"Version": 3, "Data": "b", "Timestamp": MS + 1}, {"Data": "b", "Version": 8}),
        ({"Limit": 9}, {"Limit": 3, "Timestamp": MS + 1}, {"Limit": 9, "Version": 2}),
        ({"Floor": 1}, {"Floor": 3, "Timestamp": MS + 1}, {"Floor": 1, "Version": 2}),
        ({"Seen": {1}}, {"Seen": {2}, "Timestamp": MS + 1}, {"Seen": {1, 2}, "Version": 2}),
        ({"Status": "closed"}, {"Status": "active", "Timestamp": MS + 1}, {"Status": "closed", "Version": 2}),
        ({"Note": "long"}, {"Note": "x", "Timestamp": MS + 1}, {"Note": "long", "Version": 2}),
        ({"Balance": 9}, {"Balance": 3, "Timestamp": MS + 1}, {"Balance": 3, "Version": 2}),
        (
            {"Profile": {"Name": "a", "Old": 1}},
            {"Profile": {"Name": "b"}, "Timestamp": MS + 1},
            {"Profile": {"Name": "b", "Old": 1}, "Version": 2},
        ),
    ],
)
def test_two_plain_items_resolve_by_time_then_region(left, right, merged):
    """The later wins attribute by attribute, what only one has is kept, and Version becomes the greater + 1."""
    for one, other in ((left, right), (right, left)):
        image = resolve_plain(plain_item(**one), plain_item(**other), POLICY).image
        assert {name: image[name] for name in merged} == {name: from_plain(value) for name, value in merged.items()}


def test_the_later_writes_time_region_and_key_stay_together():
    """The merged item is of one write: a key that the later write lacks is not borrowed from the other."""
    later = plain_item(Timestamp=MS + 1, LastUpdatedRegion=None, IdempotencyKey=None, Data="b")
    image = resolve_plain(plain_item(Data="a"), later, POLICY).image
    assert not image.keys() & {"LastUpdatedRegion", "IdempotencyKey"}


def test_what_a_2017_table_left_behind_is_never_written():
    """The merged image leaves `aws:rep:` attributes to the table."""
    left, right = plain_item(**{"aws:rep:updatetime": 1}), plain_item(Data="v", **{"aws:rep:updatetime": 2})
    assert "aws:rep:updatetime" not in resolve_plain(left, right, POLICY).image


PLAIN = st.builds(
    plain_item,
    Version=st.none() | st.integers(0, 3),
    Timestamp=st.sampled_from([None, MS, MS + 1]),
    LastUpdatedRegion=st.sampled_from([None, "A", "B"]),
    IdempotencyKey=st.sampled_from([None, "k1", "k2"]),
    Data=st.sampled_from([None, "a", "b"]),
    Limit=st.sampled_from([None, 1, 2]),
    Profile=st.sampled_from([None, {}, {"Name": "a"}, {"Count": 1}]),
)


@given(PLAIN, PLAIN)
def test_two_regions_resolve_alike(left, right):
    """The same bytes whichever is named first, and once merged, neither is missing any more."""
    merged = resolve_plain(left, right, POLICY)
    assert canonical_text({"M": merged.image}) == canonical_text({"M": resolve_plain(right, left, POLICY).image})
    assert resolve_plain(left, left, POLICY) == left
    if left.text != right.text and left.timestamp_ms and right.timestamp_ms:
        assert succeeds(merged, left)
        assert succeeds(merged, right)


def test_adoption_is_a_fold():
    """Horizon and everything's stamp are the item's own time; Folded is its Version and its id."""
    plain = plain_item(Version=3, Data="v", Balance=5, Tags={"a"}, Limit=2, Profile={"Name": "n", "Count": 1})
    item = adopt(plain, POLICY)
    stamp = client_stamp(MS, write_id("k1"))
    assert (item.ledger.horizon, item.ledger.count, item.ledger.sum) == (stamp, 3, id_number(write_id("k1")))
    assert {path: register.stamp for path, register in item.registers.items()} == {"Data": stamp, "Profile/Name": stamp}
    assert item.bases == {"Balance": 5, "Profile/Count": 1}
    assert item.dots == {"Tags": {"S:a": frozenset([stamp])}}
    assert item.values == {"Limit": {"N": "2"}}
    assert encode(item, POLICY)["Causality"]["M"]["Dots"] == {"M": {"Tags": {"M": {"S:a": {"NS": [str(stamp)]}}}}}
    assert encode(item, POLICY)["Version"] == {"N": "3"}


def test_two_regions_adopt_alike():
    """Both Regions' first writes join exactly: they folded the same past."""
    table = Table(items=dict.fromkeys("AB", adopt(plain_item(Version=3, Balance=5), POLICY)))
    table.execute("A", {"IdempotencyKey": "k2", "Add": {"Balance": 1}})
    table.execute("B", {"IdempotencyKey": "k3", "Add": {"Balance": 2}})
    assert not diverged(table.item("A"), table.item("B"))
    table.repair("A", "B")
    table.repair("B", "A")
    assert table.everywhere("Balance") == 8
    assert table.image("A")["Version"] == {"N": "5"}


def test_an_element_of_an_adopted_set_can_be_removed():
    """Its one dot is the horizon, which every adopter has seen."""
    table = Table(items=dict.fromkeys("AB", adopt(plain_item(Tags={"a", "b"}), POLICY)))
    table.execute("A", {"IdempotencyKey": "k2", "RemoveFromSet": {"Tags": ["a"]}})
    table.repair("A", "B")
    assert table.at("B", "Tags") == {"b"}


def test_an_item_without_a_usable_time_is_earliest():
    """Any first write through the writer wins over it; a missing Version counts as 0."""
    item = adopt(plain_item(Timestamp=None, Version=None, Data="old"), POLICY)
    assert str(item.ledger.horizon).startswith("1000000000000" + "000000")
    assert item.ledger.count == 0
    table = Table(items={"A": item})
    table.execute("A", {"IdempotencyKey": "k2", "Set": {"Data": "new"}, "Timestamp": 10**12 + 1})
    assert table.at("A", "Data") == "new"


def test_an_item_without_a_key_is_known_by_its_image():
    """Its id is that of its canonical image, however it was spelt; nothing is written where a key would be."""
    one, other = ({"Id": {"S": "x"}, "Data": {"N": spelling}} for spelling in ("1", "1.0"))
    assert read_plain(one).id == read_plain(other).id != read_plain({**one, "Data": {"N": "2"}}).id
    assert not encode(adopt(read_plain(one), POLICY), POLICY).keys() & {"IdempotencyKey", "LastUpdatedRegion"}


@pytest.mark.parametrize(
    ("attributes", "place"),
    [
        ({"Balance": "x"}, "Balance"),
        ({"Tags": ["a"]}, "Tags"),
        ({"Limit": True}, "Limit"),
        ({"Status": "lost"}, "Status"),
        ({"Profile": 5}, "Profile"),
        ({"Profile": {"Count": "x"}}, "Profile/Count"),
        ({"ExpiresAt": 1}, "ExpiresAt"),
    ],
)
def test_what_cannot_be_adopted_is_named(attributes, place):
    """A value that does not fit its policy is an error, and so is a name that tombstones need."""
    with pytest.raises(ItemError) as caught:
        adopt(plain_item(**attributes), POLICY)
    assert caught.value.attribute == place


def test_a_broken_image_is_named():
    """What is no wire value is an ItemError wherever the whole image must be read."""
    broken = read_plain({"Id": {"S": "x"}, "Data": {"S": 5}})
    for reading in (lambda: broken.id, lambda: broken.order, lambda: adopt(broken, POLICY)):
        with pytest.raises(ItemError) as caught:
            reading()
        assert caught.value.attribute == "Data"
    with pytest.raises(ItemError, match="Id: not text"):
        adopt(read_plain({"Id": {"S": 5}, "IdempotencyKey": {"S": "k"}}), POLICY)


@pytest.mark.parametrize(
    ("plain", "version", "ms"),
    [
        ({"Version": 2.5}, 0, MS),
        ({"Version": -3}, 0, MS),
        ({"Version": "2"}, 0, MS),
        ({"Version": 10**37}, 0, MS),
        ({"Timestamp": 10**12}, 1, 10**12),
        ({"Timestamp": 10**13 - 1}, 1, 10**13 - 1),
        ({"Timestamp": 10**12 - 1}, 1, None),
        ({"Timestamp": 10**13}, 1, None),
    ],
)
def test_nothing_in_a_plain_item_is_malformed_only_unusable(plain, version, ms):
    """A Version that is no count is 0, and seconds or microseconds are no time."""
    image = {
        name: {"N": str(value)} if isinstance(value, float) else from_plain(value) for name, value in plain.items()
    }
    item = read_plain({**plain_item().image, **image})
    assert (item.version, item.timestamp_ms) == (version, ms)


def test_who_keeps_a_clock():
    """A Version and a usable Timestamp are what the seed's writers give."""
    assert has_clock(plain_item().image)
    assert not has_clock(plain_item(Version=None).image)
    assert not has_clock(plain_item(Timestamp=None).image)
    assert is_plain(plain_item().image)


@pytest.mark.parametrize(
    ("old", "included"),
    [
        ({"Version": 3}, True),
        ({"Version": 2, "IdempotencyKey": "k0", "Timestamp": MS - 1}, True),
        ({"Version": 3, "IdempotencyKey": "other"}, False),
        ({"Version": 4}, False),
        ({"Version": 2, "IdempotencyKey": "k0", "Timestamp": MS + 1}, False),
    ],
)
def test_an_adopted_item_includes_its_plain_ancestors(old, included):
    """At most as many executions, at most as late; of equal Version, only the very same write."""
    assert adoption_included(plain_item(**old), adopt(plain_item(Version=3), POLICY).ledger) is included


def test_an_included_ancestor_adds_nothing_that_the_ledger_counts():
    """Joining an adopted ancestor leaves the ledger as it is."""
    item = adopt(plain_item(Version=3, Data="new"), POLICY)
    older = adopt(plain_item(Version=2, IdempotencyKey="k0", Timestamp=MS - 1, Data="old"), POLICY)
    assert join(item, older, POLICY) == item
    assert includes(item.ledger, older.ledger) is None
