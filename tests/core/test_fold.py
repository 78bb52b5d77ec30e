"""The writer folds in steps, never what is younger than `min_window`; histories that part before a horizon are told."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.apply import fold_when_due
from reconciler.item import Item, fold_item
from reconciler.join import diverged
from reconciler.ledger import Ledger
from reconciler.stamps import Stamp, ms_of, write_id
from tests.core.histories import KEY, START_MS, history

STEADY = " | ".join(f"A: Balance+1 #k{number} | wait 90" for number in range(12))
"""A write every 100 ms."""


def item_at(*moments: int) -> Item:
    """Return an item with one execution at each of these milliseconds."""
    writes = {
        write_id(f"k{number}"): frozenset([Stamp((START_MS + ms) * 10**12 + number * 10**8 + 10**6)])
        for number, ms in enumerate(moments)
    }
    return Item(KEY, Ledger(writes=writes))


def test_nothing_is_folded_before_it_is_due():
    """A span below twice the window, and fewer than twice max_writes, stay as they are."""
    table = history(STEADY, window_ms=600, min_window_ms=0, max_writes=7)
    assert table.item("A").ledger.count == 0


def test_at_twice_the_window_what_is_older_than_it_is_folded():
    """Twelve writes span 1100 ms: at 1000 ms, twice the window, all before the last 500 ms go."""
    table = history(STEADY, window_ms=500, min_window_ms=0)
    ledger = table.item("A").ledger
    assert (ledger.count, ms_of(ledger.horizon)) == (6, START_MS + 500)
    assert table.at("A", "Balance") == 12
    assert table.image("A")["Version"] == {"N": "12"}


def test_at_twice_max_writes_all_but_the_newest_are_folded():
    """The tenth write leaves five; two more wait for the next step."""
    table = history(STEADY, max_writes=5, min_window_ms=0)
    assert (table.item("A").ledger.count, len(table.item("A").ledger.writes)) == (5, 7)
    assert table.at("A", "Balance") == 12


def test_min_window_is_never_violated():
    """However full the ledger is, the last 350 ms stay named."""
    table = history(STEADY, max_writes=2, window_ms=100, min_window_ms=350)
    assert len(table.item("A").ledger.writes) >= 4
    assert all(moment >= 350 for moment in _youngest_folded(table))


def _youngest_folded(table):
    horizons = [(state.ledger.horizon, state.ledger.newest) for state in table.states if state.ledger.horizon]
    assert horizons
    return [ms_of(newest) - ms_of(horizon) for horizon, newest in horizons]


@given(
    st.lists(st.integers(0, 5000), min_size=1, max_size=30),
    st.integers(0, 6000),
    st.integers(0, 3000),
    st.integers(1, 5),
)
def test_no_clock_makes_a_fold_too_early(moments, now, min_window, max_writes):
    """By this Region's clock and by the newest stamp alike, what is folded is older than min_window."""
    policy = history("wait 0", window_ms=max(min_window, 1000), min_window_ms=min_window, max_writes=max_writes).policy
    folded = fold_when_due(item_at(*moments), START_MS + now, policy).ledger
    if folded.horizon:
        assert ms_of(folded.horizon) <= START_MS + min(now, max(moments)) - min_window
    assert folded.version == len(moments)


def test_a_region_whose_clock_is_behind_folds_less():
    """Stamps from a Region ahead of this clock are younger than they look."""
    item = item_at(*range(0, 1000, 100))
    policy = history("wait 0", max_writes=2, min_window_ms=300).policy
    assert ms_of(fold_when_due(item, START_MS + 5000, policy).ledger.horizon) == START_MS + 600
    assert ms_of(fold_when_due(item, START_MS + 500, policy).ledger.horizon) == START_MS + 200
    assert fold_when_due(item, START_MS + 200, policy) is item


def test_two_regions_that_fold_alike_have_not_diverged():
    """Both folded the same executions, at different times: the rest joins exactly."""
    table = history("A: Balance+1 #k1 | A: Balance+2 #k2 | A>B | A folds | B folds 1 | B: Balance+4 #k3")
    assert not diverged(table.item("A"), table.item("B"))
    table.repair("A", "B")
    assert table.at("B", "Balance") == 7


@pytest.mark.parametrize(
    "text",
    [
        "A: Balance+1 #k1 | B: Balance+2 #k2 | B folds",
        "A: Data=a #k1 | B: Data=b #k2 | A folds | B folds",
        "A: Data=a #k1 | A>B | A: Data=b #k2 | B: Data=c #k3 | B folds",
        "A: Balance+1 #k1 | A folds | wait 9 | B: Balance+1 #k1 | A>>C | B>C",
    ],
)
def test_histories_that_parted_before_the_horizon_have_diverged(text):
    """What lies there cannot be told apart any more, on either side."""
    table = history(text)
    assert diverged(table.item("A"), table.item("B"))
    assert diverged(table.item("B"), table.item("A"))


def test_bases_that_differ_have_diverged():
    """One ledger over two amounts: the counters parted, though every execution is the same."""
    one, other = (
        Item(KEY, Ledger(horizon=Stamp(START_MS * 10**12), count=1, sum=1), bases={"Balance": amount})
        for amount in (1, 2)
    )
    assert diverged(one, other)


def test_a_counter_at_zero_is_no_divergence():
    """A base of 0 and a counter that is not there yet are the same past."""
    item = history("A: Balance+0 #k1 | A folds").item("A")
    assert item.bases == {"Balance": 0}
    assert item.past == (*item.ledger.folded, ())


def test_dots_stay_after_folding():
    """An element keeps the stamps that added it: its removal elsewhere is still understood."""
    table = history("A: Tags+{a} #k1 | A>B | A folds | B folds")
    assert table.item("A").dots == table.item("B").dots != {}


def test_a_fold_at_or_below_the_horizon_changes_nothing():
    """A horizon only moves forward."""
    item = history("A: Balance+1 #k1 | A folds").item("A")
    assert fold_item(item, item.ledger.horizon) is item
