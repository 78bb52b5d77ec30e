"""Every interleaving of small histories ends right, after no more repairs than are known to be needed."""

import pytest

from replay_tools.simulator.exhaustive import Small, explore
from replay_tools.simulator.language import read, write
from replay_tools.simulator.mixes import TWO, mixes, small
from replay_tools.simulator.workloads import CORE, policy_for
from replay_tools.simulator.world import World

SMALL = [each for each in mixes(large=False) if len(each.requests) < 4]


@pytest.mark.parametrize("each", SMALL, ids=[each.name.replace(" ", "-") for each in SMALL])
def test_no_interleaving_goes_wrong(each: Small):
    """Two Regions need two repairs at most for three writes, three Regions five."""
    found = explore(each)
    assert found.failures == []
    assert found.tally.interleavings > 1_000
    assert found.tally.repairs <= (2 if len(each.policy.regions) == 2 else 5)


def test_two_lone_writes_have_as_many_interleavings_as_one_can_count():
    """One write in each of two Regions, nothing lost on either path but by the first arrival's order."""
    one = small("one", policy_for(2, CORE), "A: x Balance+1 #a1")
    found = explore(one)
    # The write; its arrival in B; A's record and B's record, each once or once more after a death that changes nothing.
    assert (found.states, found.tally.interleavings, found.tally.repairs) == (7, 3, 0)


def test_a_reduced_walk_finds_as_many_repairs():
    """What commutes may be done at once: the outcome is the same, the walk shorter."""
    text = TWO["counters 2+1"]
    whole = explore(Small("whole", policy_for(2, CORE), small("", policy_for(2, CORE), text).requests, crashes=False))
    short = explore(
        Small("short", policy_for(2, CORE), small("", policy_for(2, CORE), text).requests, crashes=False, reduced=True)
    )
    assert short.tally.repairs == whole.tally.repairs
    assert short.states < whole.states


def test_a_path_is_a_history(monkeypatch: pytest.MonkeyPatch):
    """A failing path can be printed, read and played: here every path fails, as the oracle is made to say so."""
    monkeypatch.setattr("replay_tools.simulator.exhaustive.judge_item", lambda *_: ["made to fail"])
    each = small("two", policy_for(2, CORE), "A: x Balance+1 #a1 | B: x Balance+2 #b1")
    path, violations = explore(each).failures[0]
    world = World(each.policy, each.skew_ms)
    world.play(read(write(path)))
    assert violations == ["made to fail"]
    assert world.get("A", "x").image == world.get("B", "x").image is not None
