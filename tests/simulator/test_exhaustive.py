"""Every interleaving of small histories ends right, after no more repairs than are known to be needed."""

from collections.abc import Iterator, Sequence
from dataclasses import replace

import pytest

from replay_tools.simulator.engine import Small
from replay_tools.simulator.exhaustive import explore
from replay_tools.simulator.language import read, write
from replay_tools.simulator.mixes import TWO, mixes, small
from replay_tools.simulator.oracle import judge
from replay_tools.simulator.steps import Deliver, Request, Step, Work
from replay_tools.simulator.verdict import Violation, Wrong
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


def test_one_write_has_as_many_interleavings_as_one_can_count():
    """It arrives in B; both workers read their record, B's after the arrival: three orders."""
    one = small("one", policy_for(2, CORE), "A: x Balance+1 #a1")
    found = explore(one)
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
    failure = Violation(Wrong.LOST, "x", "made to fail")
    monkeypatch.setattr("replay_tools.simulator.engine.judge_item", lambda *_: [failure])
    each = small("two", policy_for(2, CORE), "A: x Balance+1 #a1 | B: x Balance+2 #b1")
    path, violations = explore(each).failures[0]
    world = World(each.policy, each.skew_ms)
    world.play(read(write(path)))
    assert violations == [failure]
    assert world.get("A", "x").image == world.get("B", "x").image is not None


def played_one_by_one(requests: Sequence[Request]) -> Iterator[World]:
    """Yield the end of every interleaving, each played from the beginning: no state is ever recognised."""
    ahead: list[list[Step]] = [[]]
    while ahead:
        path = ahead.pop()
        world = World(policy_for(2, CORE))
        world.play(path)
        moves = [*next_requests(requests, path), *idle_moves(world)]
        ahead.extend([*path, move] for move in moves)
        if not moves:
            yield world


def next_requests(requests: Sequence[Request], path: Sequence[Step]) -> list[Request]:
    """Return each Region's next request: the tests ask one of each."""
    return [request for request in requests if request not in path]


def idle_moves(world: World) -> list[Step]:
    """Return what may happen without a client."""
    arrivals = [Deliver(*link, "x") for link, items in world.replicas.links.items() if items]
    return [
        *arrivals,
        *(Work(name, 1) for name, region in world.regions.items() if region.position < len(region.stream)),
    ]


@pytest.mark.parametrize("text", ["A: x Balance+1 #a1 | B: x Balance+2 #b1", "A: x Balance+1 #a1 | B: x delete #b1"])
def test_the_walk_counts_what_is_there(text: str):
    """Played one by one, there are as many interleavings, with as many repairs and no failure."""
    each = replace(small("", policy_for(2, CORE), text), crashes=False)
    ends = list(played_one_by_one(each.requests))
    found = explore(each)
    assert len(ends) == found.tally.interleavings
    assert max(sum(region.repairs for region in end.regions.values()) for end in ends) == found.tally.repairs
    assert all(judge(end) == [] for end in ends)
    assert found.failures == []
