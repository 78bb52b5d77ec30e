"""Policy `counter`: every request counts once, wherever and however often it was executed."""

from decimal import Decimal

import pytest

from tests.core.histories import history


@pytest.mark.parametrize(
    ("text", "balance"),
    [
        ("A: Balance+5 #k1 | B: Balance+7 #k2 | A>B | B>A", 12),
        ("A: Balance+5 #k1 | A>B | B: Balance-7 #k2 | B>A", -2),
        ("A: Balance+5 #k1 | A: Balance+5 #k1", 5),
        ("A: Balance+5 #k1 | A>B | B: Balance+5 #k1 | B>A", 5),
        ("A: Balance+5 #k1 | B: Balance+5 #k1 | A>B | B>A", 5),
        ("A: Balance+5 #k1 | B: Balance+5 #k1 | C: Balance+5 #k1 | A>B | B>C | C>A | C>B", 5),
        ("A: Balance+5 #k1 | A>B | A folds | B folds | A: Balance+1 #k2 | B: Balance+2 #k3 | A>B | B>A", 8),
        ("A: Balance+5 #k1 | A: Balance+1 #k2 | A>B | A folds 1 | B: Balance+2 #k3 | B folds 2 | A>B | B>A", 8),
        ("A: Balance+0.1 #k1 | B: Balance+0.2 #k2 | A>B | B>A", Decimal("0.3")),
        ("A: Balance+5 #k1 | B: Data=v #k2 | A>B | B>A", 5),
    ],
)
def test_every_request_counts_once(text, balance):
    """Increments of all Regions add up; a request executed twice does not."""
    assert history(text).everywhere("Balance") == balance


def test_a_replica_that_forgot_its_increment_gets_it_back():
    """B's item replaced A's: joining the lost image adds A's increment again, and only once."""
    table = history("A: Balance+5 #k1 | A>C | B: Balance+7 #k2 | B>>A | C>A | C>A")
    assert table.at("A", "Balance") == 12


def test_a_delta_folds_with_its_ids_last_execution():
    """While one execution of the request is named, its delta is too: a later retry is known."""
    table = history("A: Balance+5 #k1 | B: Balance+5 #k1 | A>B | B: Data=v #k2 | B folds 2")
    assert table.item("B").ledger.count == 1
    assert list(table.item("B").deltas["Balance"].values()) == [5]
    table.fold("B", 1)
    assert table.item("B").deltas == {}
    assert table.at("B", "Balance") == 5


def test_adding_nothing_still_makes_a_counter():
    """The counter is there, at 0, and no delta is kept for it."""
    table = history("A: Balance+0 #k1")
    assert table.at("A", "Balance") == 0
    assert table.item("A").deltas == {}


def test_a_member_counts_like_an_attribute():
    """A counter inside a map joins by itself, whatever else the map holds."""
    table = history("A: Profile/Count+1 Profile/Name=a #k1 | B: Profile/Count+2 Profile/Name=b #k2 | A>B | B>A")
    assert table.everywhere("Profile/Count") == 3
    assert table.everywhere("Profile/Name") == "b"


def test_a_digit_is_never_lost():
    """Thirty-eight digits in, thirty-eight digits out."""
    table = history("A: Balance+99999999999999999999999999999999999998 #k1 | B: Balance+1 #k2 | A>B")
    assert table.at("B", "Balance") == Decimal("9" * 38)
