"""A delete ends a life: the content goes, the ledger goes on, and nothing of the older life comes back."""

import pytest

from reconciler.item import Item
from reconciler.join import join
from reconciler.ledger import includes, missing
from reconciler.stamps import write_id
from tests.core.histories import KEY, POLICY, history


@pytest.mark.parametrize(
    "text",
    [
        "A: Data=v Balance+5 Tags+{a} #k1 | A>B | A: delete #k2 | A>B | B>A",
        "A: Data=v #k1 | A>B | A: delete #k2 | B: Data=w Balance+7 Tags+{b} Limit=3 #k3 | A>B | B>A",
        "A: Data=v #k1 | A>B | B: Data=w #k3 | A: delete #k2 @-900 | A>B | B>A",
        "A: delete #k2 | B: Data=v #k1 @900 | A>B | B>A",
        "B: Data=v #k1 | B: Data=w #k3 | A: delete #k2 | B folds | B>A | A>B",
    ],
)
def test_a_delete_beats_every_write_of_an_older_life(text):
    """Whatever it had seen or not, and whatever time the client gave: no attribute is left anywhere."""
    table = history(text)
    image = table.image("A")
    assert image == table.image("B")
    assert image.keys() == {
        "Id",
        "Causality",
        "ExpiresAt",
        "IdempotencyKey",
        "LastUpdatedRegion",
        "Timestamp",
        "Version",
    }


@pytest.mark.parametrize(
    ("text", "data", "balance"),
    [
        ("A: Data=v Balance+5 #k1 | A: delete #k2 | A: Balance+1 #k3 | A>B", None, 1),
        ("A: Data=v Balance+5 #k1 | A>B | A: delete #k2 | A: Data=w #k3 | A>B | B>A", "w", None),
        ("A: Data=v #k1 | A: delete #k2 | A>B | A: Data=a Balance+1 #k3 | B: Balance+2 #k4 | A>B | B>A", "a", 3),
        ("A: Data=v #k1 | A>B | A: delete #k2 | B: delete #k3 | A: Data=a #k4 | B: Balance+2 #k5 | A>B | B>A", None, 2),
        ("A: Data=v #k1 | A: delete #k2 | A: Data=w #k3 @-900 | A>B", "w", None),
    ],
)
def test_a_write_that_has_seen_the_delete_fills_the_new_life(text, data, balance):
    """The later life wins whole; within it everything joins as ever."""
    table = history(text)
    assert (table.everywhere("Data"), table.everywhere("Balance")) == (data, balance)


def test_a_retry_of_what_the_delete_had_seen_stays_a_duplicate():
    """The ledger goes on past the delete."""
    table = history("A: Balance+5 #k1 | A: delete #k2 | A: Balance+5 #k1")
    assert table.item("A").ledger.is_tombstone


def test_a_retry_of_what_the_delete_had_not_seen_is_a_new_write():
    """B's write was beaten unseen; sent again, it fills the new life."""
    table = history("A: Data=v #k1 | A>B | A: delete #k2 | B: Balance+5 #k3 | A>B | B: Balance+5 #k3 | B>A")
    assert table.everywhere("Balance") == 5


def test_what_a_delete_beat_without_having_seen_can_be_named():
    """The older life counts as included, and its unseen writes are reported apart."""
    table = history("A: Data=v #k1 | A>B | A: delete #k2 | B: Balance+5 #k3")
    beaten, deleted = table.item("B").ledger, table.item("A").ledger
    assert includes(deleted, beaten) is True
    assert includes(beaten, deleted) is False
    assert missing(beaten, deleted) == (write_id("k3"),)


def test_deleting_what_is_absent_leaves_a_tombstone():
    """A create that this Region had not seen yet is what the client wants gone."""
    table = history("A: delete #k2 | B: Data=v #k1 | B>A")
    assert table.item("A").ledger.is_tombstone


def test_one_delete_executed_twice_is_one_life():
    """The greater of the two stamps begins it, in every Region."""
    table = history("A: Data=v #k1 | A>B | A: delete #k2 | B: delete #k2 | A>B | B>A")
    assert table.image("A") == table.image("B")


def test_the_newest_write_register_begins_anew():
    """The delete is the newest write, though an earlier write of the older life claimed a later time."""
    image = history("A: Data=v #k1 @4000 | A: delete #k2").image("A")
    assert image["IdempotencyKey"] == {"S": "k2"}


def test_joining_two_lives_takes_one_whole():
    """Not a byte of the older life is mixed in, not even of its ledger."""
    table = history("A: Data=v #k1 | A>B | A: delete #k2 | B: Limit=3 #k3")
    assert join(table.item("A"), table.item("B"), POLICY) == table.item("A")
    assert join(Item(KEY), table.item("A"), POLICY) == table.item("A")
