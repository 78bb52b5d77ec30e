"""The ledger says which executions an item includes, and what it can say of another."""

import pytest
from hypothesis import given, note

from reconciler.ledger import Ledger, above, fold, has_missed, includes, is_subset, missing
from reconciler.stamps import NEVER, Stamp, id_number, write_id
from tests.core.histories import history
from tests.core.strategies import SEARCH, reachable

K1, K2, K3 = map(write_id, ("k1", "k2", "k3"))


def stamp(number: int) -> Stamp:
    """Return a stamp in Region 01, `number` milliseconds after a fixed moment."""
    return Stamp((1_700_000_000_000 + number) * 10**12 + 10**6)


def ledger(horizon: int | None = None, count: int = 0, total: int = 0, **writes: tuple[int, ...]) -> Ledger:
    """Return a ledger of these executions, by key."""
    named = {write_id(key): frozenset(map(stamp, numbers)) for key, numbers in writes.items()}
    return Ledger(NEVER, NEVER if horizon is None else stamp(horizon), count, total, named)


def test_version_counts_executions_not_writes():
    """One request executed in two Regions counts twice, folded or not."""
    assert ledger(k1=(1, 2), k2=(3,)).version == 3
    assert fold(ledger(k1=(1, 2), k2=(3,)), stamp(2)).version == 3


def test_folding_counts_and_sums_what_it_hides():
    """What is at or before the horizon is a count and a sum of id + stamp; the rest keeps its name."""
    whole = ledger(k1=(1, 5), k2=(2,))
    folded = fold(whole, stamp(2))
    assert folded == fold(fold(whole, stamp(1)), stamp(2))
    assert (folded.horizon, folded.count, folded.writes) == (stamp(2), 2, {K1: frozenset([stamp(5)])})
    assert folded.sum == (id_number(K1) + stamp(1) + id_number(K2) + stamp(2)) % 2**96
    assert folded.version == whole.version


def test_the_sum_stays_below_96_bits():
    """The sum is modulo 2^96, so that it always fits in a number of 38 digits."""
    assert fold(ledger(0, 1, 2**96 - 1, k1=(1,)), stamp(1)).sum < 2**96


def test_a_fold_below_the_horizon_changes_nothing():
    """A horizon only moves forward."""
    folded = fold(ledger(k1=(1,), k2=(2,)), stamp(2))
    assert fold(folded, stamp(1)) is folded


@pytest.mark.parametrize(
    ("old", "new", "answer"),
    [
        (ledger(k1=(1,)), ledger(k1=(1,)), True),
        (ledger(k1=(1,)), ledger(k1=(1,), k2=(2,)), True),
        (ledger(k1=(1,)), ledger(k2=(2,)), False),
        (ledger(k1=(1, 2)), ledger(k1=(2,)), False),
        (ledger(k1=(1,), k2=(2,)), fold(ledger(k1=(1,), k2=(2,)), stamp(1)), True),
        (fold(ledger(k1=(1,), k2=(2,)), stamp(1)), ledger(k1=(1,), k2=(2,)), True),
        (ledger(k1=(1,), k3=(3,)), fold(ledger(k1=(1,), k2=(2,)), stamp(1)), False),
        (ledger(k2=(2,)), fold(ledger(k1=(1,), k2=(2,)), stamp(1)), None),
        (fold(ledger(k1=(1,)), stamp(1)), fold(ledger(k2=(1,)), stamp(1)), None),
        (Ledger(life=stamp(1)), Ledger(life=stamp(2)), True),
        (Ledger(life=stamp(2)), Ledger(life=stamp(1)), False),
    ],
)
def test_what_one_ledger_says_of_another(old, new, answer):
    """Yes, no, or unknown where the horizon hides it; an older life is included, a newer one is not."""
    assert includes(new, old) is answer


def test_a_horizon_alone_is_not_the_past():
    """The same horizon over other executions proves nothing."""
    assert includes(ledger(9, 2, 7), ledger(9, 1, 7)) is None


@pytest.mark.parametrize(
    ("old", "new", "ids"),
    [
        (ledger(k1=(1,), k2=(2,)), ledger(k1=(1,)), [K2]),
        (ledger(k1=(1,), k2=(2,), k3=(3,)), Ledger(), sorted([K1, K2, K3])),
        (ledger(k1=(1, 5)), ledger(k1=(5,)), []),
        (ledger(k1=(1,), k2=(6,)), ledger(5, 1, 1), [K2]),
    ],
)
def test_missing_names_the_writes_never_seen(old, new, ids):
    """A write counts as seen where any of its executions is named, or where the horizon has passed it."""
    assert list(missing(old, new)) == ids


def test_above_keeps_only_later_executions():
    """A write with one execution on each side of the horizon keeps the later."""
    assert above(ledger(k1=(1, 5), k2=(2,)).writes, stamp(2)) == {K1: frozenset([stamp(5)])}
    assert is_subset({}, {})


def test_newest_is_the_horizon_where_nothing_is_named():
    """After everything was folded, the horizon is the newest stamp."""
    assert ledger(3, 1, 1).newest == stamp(3)
    assert ledger(3, 1, 1, k1=(4,)).newest == stamp(4)


def test_a_tombstone_is_what_nothing_was_executed_after():
    """A delete makes one; the next write, or a horizon above it, ends it."""
    assert history("A: Data=v #k1 | A: delete #k2").item("A").ledger.is_tombstone
    assert history("A: delete #k2 | A folds").item("A").ledger.is_tombstone
    assert not history("A: delete #k2 | A: Data=v #k3").item("A").ledger.is_tombstone
    assert not history("A: delete #k2 | A: Data=v #k3 | A folds").item("A").ledger.is_tombstone
    assert not history("A: Data=v #k1").item("A").ledger.is_tombstone
    assert not Ledger(stamp(2), stamp(3), 1, 1, ledger(k1=(1,)).writes).is_tombstone


@SEARCH
@given(reachable(3, folds=False))
def test_including_is_an_order(drawn):
    """What includes what includes something, includes it: as long as no horizon hides it."""
    scene, (a, b, c) = drawn
    note(scene.text)
    if includes(b.ledger, a.ledger) and includes(c.ledger, b.ledger):
        assert includes(c.ledger, a.ledger)
    assert includes(a.ledger, a.ledger)


@pytest.mark.parametrize(
    ("old", "new", "missed"),
    [
        (ledger(k1=(1,)), ledger(k1=(1,), k2=(2,)), False),  # it had seen all
        (ledger(k1=(1,), k3=(3,)), ledger(k1=(1,), k2=(2,)), True),  # k3 is named, and was not seen
        (ledger(k1=(1, 3)), ledger(k1=(1,), k2=(2,)), False),  # another execution of a write that was seen
        (ledger(k1=(1,), k2=(2,)), fold(ledger(k1=(1,), k2=(2,), k3=(3,)), stamp(2)), False),  # seen, then folded
        (ledger(k1=(1,)), fold(ledger(k2=(2,), k3=(3,)), stamp(2)), True),  # k1 was not seen, and the horizon hides it
    ],
)
def test_what_a_delete_has_missed(old, new, missed):
    """A delete beats what it had not seen: named writes, or writes that the horizon hides; a repetition is no loss."""
    assert has_missed(new, old) is missed
