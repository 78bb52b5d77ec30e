"""The command tells what it found, and its exit status says whether anything failed."""

import pytest
from click.testing import CliRunner

from replay_tools.simulator import runner
from replay_tools.simulator.cli import simulate
from replay_tools.simulator.runner import Summary


def test_a_clean_run_ends_with_status_0():
    """Histories and conflicts are counted; nothing is lost."""
    result = CliRunner().invoke(simulate, ["--histories", "20", "--workload", "three", "--random-only"])
    assert result.exit_code == 0, result.output
    assert "20 of 1 workloads, 1,200 steps" in result.output
    assert "plain table lost" in result.output


def test_interleavings_are_counted():
    """Without random histories, only the small ones are walked."""
    chosen = ["--histories", "0", "--regions", "3", "--processes", "2"]
    result = CliRunner().invoke(simulate, chosen)
    assert result.exit_code == 0, result.output
    assert "counters 1+1+1, Regions ABC, clocks even:" in result.output
    assert "at most 5 repairs, 0 failures" in result.output


def test_no_workload_is_left():
    """A workload of two Regions has no history of three."""
    result = CliRunner().invoke(simulate, ["--workload", "contended", "--regions", "3"])
    assert result.exit_code == 2


def test_a_failure_is_explained(monkeypatch: pytest.MonkeyPatch):
    """Status 1, the seed, and the shrunk history."""
    failure = runner.Failure("three", 7, "A: x Data=1 #1\n--> lost: x: #1 (Region A) never came back")
    monkeypatch.setattr(runner, "simulate", lambda *_: Summary(failing=[("three", 7)]))
    monkeypatch.setattr(runner, "explained", lambda _: iter([failure]))
    result = CliRunner().invoke(simulate, ["--histories", "5", "--random-only"])
    assert result.exit_code == 1
    assert "workload three, seed 7:\nA: x Data=1 #1" in result.output
