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


def test_small_windows_are_found_out():
    """Where windows are far too small, histories diverge, and somebody is told."""
    assert sum(check(WORKLOADS["tight"], seed).counts["diverged"] for seed in range(HISTORIES)) > 0
