"""Policy `set`: observed-remove, add wins, and no removal tombstones; policy `union` only grows."""

import pytest

from tests.core.histories import history


@pytest.mark.parametrize(
    ("text", "tags"),
    [
        ("A: Tags+{a} #k1 | B: Tags+{b} #k2 | A>B | B>A", {"a", "b"}),
        ("A: Tags+{a,b} #k1 | A>B | B: Tags-{a} #k2 | B>A", {"b"}),
        ("A: Tags+{a} #k1 | A>B | A: Tags-{a} #k2 | B: Tags+{a} #k3 | A>B | B>A", {"a"}),
        ("A: Tags+{a} #k1 | A>B | B: Tags+{a} #k3 | A: Tags-{a} #k2 | A>B | B>A", {"a"}),
        ("A: Tags+{a} #k1 | B: Tags+{a} #k2 | A: Tags-{a} #k3 | A>B | B>A", {"a"}),
        ("A: Tags+{a} #k1 | B: Tags+{a} #k2 | A>B | B: Tags-{a} #k3 | B>A", None),
        ("A: Tags+{a} #k1 | A>B | A: Tags-{a} #k2 | B: Tags-{a} #k3 | A>B | B>A", None),
        ("A: Tags+{a} #k1 | A>B | A: Tags-{a} #k2 | A: Tags+{a} #k3 | B: Tags-{a} #k4 | A>B | B>A", {"a"}),
        ("A: Tags+{a} #k1 | A>B | A: Tags+{b} Tags-{a} #k2 | B: Data=v #k3 | A>B | B>A", {"b"}),
        ("A: Tags+{a} #k1 | A>B | A folds | B folds | A: Tags-{a} #k2 | A>B | B>A", None),
        ("A: Tags+{a} #k1 | A>B | A folds | B folds | A: Tags-{a} #k2 | B: Tags+{a} #k3 | A>B | B>A", {"a"}),
        ("A: Tags+{a} #k1 | A>B | A: Tags-{a} #k2 | A: Data=v #k3 | A folds | B>A | A>B", None),
        ("A: Profile/Tags+{1} #k1 | A>B | B: Profile/Tags-{1} #k2 | A: Tags+{x} #k3 | A>B | B>A", {"x"}),
        ("A: Tags-{a} #k1 | B: Tags+{a} #k2 | A>B | B>A", {"a"}),
    ],
)
def test_an_element_stays_if_an_add_was_not_seen_by_its_removal(text, tags):
    """A removal takes away what it had seen: an add in another Region wins over it, whenever it was."""
    assert history(text).everywhere("Tags") == tags


def test_a_third_region_brings_nothing_back():
    """C never saw the removal; what it still holds was seen by it, and goes."""
    table = history("A: Tags+{a} #k1 | A>B | A>C | A: Tags-{a} #k2 | A>B | B>C | C>A | C>B")
    assert table.everywhere("Tags") is None


def test_a_set_forgotten_by_a_replica_comes_back_whole():
    """Replication put B's item over A's: the repair restores A's element beside B's."""
    lost = history("A: Tags+{a} #k1").items["A"]
    table = history("A: Tags+{a} #k1 | B: Tags+{b} #k2 | B>>A")
    assert table.at("A", "Tags") == {"b"}
    table.items["C"] = lost
    table.repair("C", "A")
    assert table.at("A", "Tags") == {"a", "b"}


def test_adding_again_keeps_the_dots_already_there():
    """The second add is one more reason for the element to stay."""
    table = history("A: Tags+{a} #k1 | A: Tags+{a} #k2")
    assert len(table.item("A").dots["Tags"]["S:a"]) == 2


def test_removing_leaves_nothing_behind():
    """Nothing in the item tells that the element was ever there: the ledger alone says so."""
    assert history("A: Tags+{a} #k1 | A: Tags-{a} #k2").item("A").dots == {}


def test_one_number_is_one_element():
    """7 and 7.0 are the same element, as in DynamoDB."""
    assert history("A: Tags+{7} #k1 | A: Tags-{7.0} #k2").at("A", "Tags") is None


def test_a_union_only_grows():
    """What any Region added stays."""
    table = history("A: Seen+{1,2} #k1 | B: Seen+{2,3} #k2 | A>B | B>A")
    assert table.everywhere("Seen") == {1, 2, 3}
