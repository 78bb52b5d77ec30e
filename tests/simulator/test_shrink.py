"""Shrinking leaves the fewest and plainest steps that still fail."""

from collections.abc import Sequence

from replay_tools.simulator.generate import History, generate
from replay_tools.simulator.language import read, write
from replay_tools.simulator.play import explain, play
from replay_tools.simulator.shrink import shrink
from replay_tools.simulator.steps import Request, Step
from replay_tools.simulator.verdict import Violation, Wrong
from replay_tools.simulator.workloads import WORKLOADS


def asks_for(steps: Sequence[Step], attribute: str) -> bool:
    """Say whether any request sets the attribute."""
    requests = [step for step in steps if isinstance(step, Request)]
    return any(name == attribute for request in requests for ask in request.asks for name, _ in ask.sets)


def test_only_what_fails_is_left():
    """Of sixty steps, one request with one operation."""
    history = generate(WORKLOADS["transactions"], 3)
    left = shrink(history.steps, lambda steps: asks_for(steps, "Note"))
    assert len(left) == 1
    assert write(left).count("=") == 1


def test_steps_that_need_each_other_stay():
    """Two requests and their order."""
    steps = read("A: x Data=1 #1 | wait 5 | B: x Data=2 #2 !after | A>B x | A works 4 | B: x Note=3 #3 @5 if=2")

    def fails(candidate: Sequence[Step]) -> bool:
        keys = [step.key for step in candidate if isinstance(step, Request)]
        return keys[-2:] == ["2", "3"]

    assert write(shrink(steps, fails)) == "B: x Data=2 #2\nB: x Note=3 #3"


def test_tries_are_bounded():
    """Nothing left to try, the history stays as long as it is."""
    steps = read("A: x Data=1 #1 | wait 5 | wait 6")
    assert shrink(steps, lambda _: True, max_tries=1) == steps[:2]


def test_an_explanation_is_short_and_says_what_is_wrong():
    """Owner is manual: in a workload that expects no message, one conflict is enough."""
    workload = WORKLOADS["contended"]
    steps = read("A: x Data=1 #0 | A: x Owner=a #1 | wait 3 | B: x Owner=b #2 | B: y Data=1 #3")
    strict = WORKLOADS["kinds"].__class__(**{**vars(WORKLOADS["kinds"]), "troubles": workload.troubles})
    history = History(strict, {"A": 5, "B": -5}, tuple(steps))
    assert [found.wrong for found in play(history).violations] == [Wrong.POISON]
    text = explain(history, Violation(Wrong.POISON, "x", ""))
    assert text.splitlines() == [
        "clocks: A +5 ms, B -5 ms",
        "A: x Owner=a #1",
        "B: x Owner=b #2",
        "--> poison: x: Region A escalated manual: Owner: policy manual",
    ]
