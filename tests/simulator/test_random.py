"""Random histories of every workload end right; the plain table beside them does not."""

from collections import Counter

import pytest

from replay_tools.simulator.play import check
from replay_tools.simulator.workloads import WORKLOADS

HISTORIES = 25


@pytest.mark.parametrize("name", WORKLOADS)
def test_no_history_goes_wrong(name: str):
    """Nothing is lost, nothing disagrees, every worker comes to rest; and the histories are worth playing."""
    counts: Counter[str] = Counter()
    for seed in range(HISTORIES):
        outcome = check(WORKLOADS[name], seed)
        assert outcome.violations == [], f"workload {name}, seed {seed}"
        counts.update(outcome.counts)
    assert counts["conflicts"] > HISTORIES
    assert counts["repairs"] > 0
    assert counts["lost_without_worker"] > HISTORIES


@pytest.mark.parametrize(
    ("name", "seed"),
    [
        ("contended", 7027035),  # a request executed twice at one tick, the second time after other writes
        ("deletes", 7078226),
        ("foreign", 2003517),  # a redelivered record, and a foreign value that nobody had adopted yet
        ("foreign", 3000182),  # a foreign value that another one had replaced
        ("tight", 3000066),  # a delete that beat what its own horizon hides
    ],
)
def test_what_once_went_wrong_stays_right(name: str, seed: int):
    """Each of these histories has found a fault, of the reconciler or of the oracle."""
    assert check(WORKLOADS[name], seed).violations == []


def test_small_windows_are_found_out():
    """Where windows are far too small, histories diverge, and somebody is told."""
    assert sum(check(WORKLOADS["tight"], seed).counts["diverged"] for seed in range(HISTORIES)) > 0
