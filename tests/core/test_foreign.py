"""Foreign writes get an id and a stamp that every Region derives alike."""

import pytest

from reconciler.codec import decode, encode
from reconciler.errors import ItemError
from reconciler.foreign import adopt_foreign, foreign_changes, not_registers, still_held
from reconciler.join import join
from reconciler.ledger import includes
from reconciler.plain import adopt, read_plain
from reconciler.stamps import TICK, id_number, region_code_of, tail_of, write_id
from tests.core.histories import POLICY, history

BEFORE = "A: Data=v Owner=ana Balance+5 Profile/Name=n #k1 | B: Other=o #k2 | A>B"


def changed(**attributes):
    """Return the item, its image with these attributes put past the writer (None: removed), and the changes found."""
    base = history(BEFORE).item("B")
    image = {**encode(base, POLICY), **attributes}
    image = {name: value for name, value in image.items() if value is not None}
    return base, image, foreign_changes(base, image, POLICY)


@pytest.mark.parametrize(
    ("attributes", "changes"),
    [
        ({}, {}),
        ({"Data": {"S": "f"}}, {"Data": {"S": "f"}}),
        ({"Data": None}, {"Data": None}),
        ({"New": {"N": "1.0"}}, {"New": {"N": "1"}}),
        ({"Balance": {"N": "5.0"}}, {}),
        ({"Balance": {"N": "6"}}, {"Balance": {"N": "6"}}),
        ({"Profile": {"M": {"Name": {"S": "f"}}}}, {"Profile/Name": {"S": "f"}}),
        ({"Profile": None}, {"Profile/Name": None}),
        ({"Version": {"N": "99"}}, {}),
        ({"aws:rep:updatetime": {"N": "1"}}, {}),
    ],
)
def test_what_a_foreign_write_changed(attributes, changes):
    """Attributes and map members that differ, in any spelling; bookkeeping is nobody's attribute."""
    assert changed(**attributes)[2] == changes


def test_a_bare_image_removes_nothing():
    """A PutItem without Causality did not know what it left out: that is kept."""
    base, image, _ = changed(Data={"S": "f"})
    bare = {name: image[name] for name in ("Id", "Data")}
    assert foreign_changes(base, bare, POLICY) == {"Data": {"S": "f"}}


def test_a_change_that_no_stamp_orders_is_for_a_person():
    """A counter, a set or a rank that someone overwrote has no stamp to win or lose by."""
    changes = changed(Balance={"N": "6"}, Limit={"N": "1"}, Data={"S": "f"}, Owner=None)[2]
    assert not_registers(changes, POLICY) == ["Balance", "Limit"]


def test_a_foreign_value_that_does_not_fit_is_named():
    """What the policy cannot read cannot be adopted."""
    with pytest.raises(ItemError) as caught:
        changed(Balance={"S": "x"})
    assert caught.value.attribute == "Balance"


def test_adopting_makes_one_execution_after_all_others():
    """Milliseconds and counter of the newest stamp, counter + 1; the newest execution's Region; the tail of its id."""
    base, _, changes = changed(Data={"S": "f"}, Owner=None)
    adopted = adopt_foreign(base, changes, POLICY)
    stamp = adopted.newest.stamp
    assert stamp // TICK == base.newest_stamp // TICK + 1
    assert region_code_of(stamp) == 2
    assert tail_of(stamp) == id_number(adopted.newest.idempotency_key) % 10**6
    assert adopted.ledger.writes[adopted.newest.idempotency_key] == {stamp}
    assert adopted.newest.region == "B"
    assert adopted.registers["Data"] == (stamp, {"S": "f"})
    assert adopted.registers["Owner"] == (stamp, None)
    assert adopted.registers["Other"] == base.registers["Other"]
    assert decode(encode(adopted, POLICY), POLICY) == adopted


def test_two_regions_adopt_the_same_bytes():
    """The order in which attributes arrive, and how they are spelt, has no say: joined, they are one write."""
    base, _, changes = changed(Data={"S": "f"}, New={"N": "1"})
    one, other = adopt_foreign(base, changes, POLICY), adopt_foreign(base, dict(reversed(changes.items())), POLICY)
    assert encode(one, POLICY) == encode(other, POLICY)
    assert join(one, other, POLICY) == one
    assert includes(one.ledger, base.ledger)


def test_other_values_are_another_write():
    """Two foreign writes of one attribute, and its removal, have three ids."""
    found = {
        adopt_foreign(base, changes, POLICY).newest.idempotency_key
        for base, _, changes in (changed(Data={"S": "f"}), changed(Data={"S": "g"}), changed(Data=None))
    }
    assert len(found) == 3


def test_a_folded_ledger_names_no_region():
    """Where no execution is named, the policy's first Region stands in: the same everywhere."""
    item = adopt(read_plain({"Id": {"S": "x"}, "Data": {"S": "v"}, "Timestamp": {"N": "1700000000000"}}), POLICY)
    adopted = adopt_foreign(item, {"Data": {"S": "f"}}, POLICY)
    assert (region_code_of(adopted.newest.stamp), adopted.newest.region) == (1, "A")


def test_adopting_comes_after_a_clients_later_time():
    """A value stamp above the whole ledger is stepped over too."""
    base = history("A: Data=v #k1 @4000").item("A")
    adopted = adopt_foreign(base, {"Data": {"S": "f"}}, POLICY)
    assert adopted.newest.stamp > base.newest_stamp
    assert join(adopted, base, POLICY) == adopted


@pytest.mark.parametrize(
    ("changes", "later", "held"),
    [
        ({"Data": {"S": "f"}}, {"Data": {"S": "f"}}, True),
        ({"Data": {"S": "f"}}, {}, False),
        ({"Data": None}, {"Data": None}, True),
        ({"Data": None}, {}, False),
        ({"New": {"S": "f"}}, {"New": {"S": "f"}}, True),
        ({"New": {"S": "f"}}, {}, False),
        ({"Never": None}, {}, True),
        ({"Data": {"S": "f"}, "Other": {"S": "g"}}, {"Data": {"S": "f"}}, False),
    ],
)
def test_only_what_the_table_still_holds_is_adopted(changes, later, held):
    """Replication may have put the writer's value back over the foreign one."""
    base, image, _ = changed(**later)
    assert still_held(changes, base, decode(image, POLICY)) is held


def test_a_stamped_write_over_a_foreign_one_settles_it():
    """Someone wrote after it through the writer: that value is gone, and does not hold up what still stands."""
    table = history(f"{BEFORE} | B: Data=w #k3")
    before, now = history(BEFORE).item("B"), table.item("B")
    assert not still_held({"Data": {"S": "f"}}, before, now)
    assert still_held({"Data": {"S": "f"}, "Other": {"S": "o"}}, before, now)
    assert write_id("k3") in table.item("B").ledger.writes
