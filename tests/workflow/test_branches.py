"""Every branch of the workflow: each way from state to state is taken by a history below, and there is no other."""

import json
from collections.abc import Callable, Iterator
from itertools import pairwise
from typing import Any

import pytest

from tests.workflow.world import DEFINITION, World, event, fail_claims

MACHINE: Any = json.loads(DEFINITION.read_text(encoding="utf-8"))
STATES: Any = MACHINE["States"]
Prepare = Callable[[World, pytest.MonkeyPatch], Any]

CLAIMED = "CheckEvent SetDefaults Claim"
POISONED = "SendToPoisonQueue Poisoned"
SETTLED = "IsOutcome RecordOutcome Outcome"


def applied_before(world: World, _: pytest.MonkeyPatch) -> None:
    """The same event came to its end before."""
    world.run(event(), "before")


def written_before(world: World, _: pytest.MonkeyPatch) -> None:
    """The write went past the workflow."""
    world.writer()(event(), None)


def deleted_before(world: World, _: pytest.MonkeyPatch) -> None:
    """The item is gone, and the policy refuses another."""
    world.refuse_recreation()
    world.writer()(event("k0", Delete=True), None)


def newer_before(world: World, _: pytest.MonkeyPatch) -> None:
    """A newer value stands there."""
    world.writer()(event("k0", Set={"Data": "newer"}), None)


def claim_not_readable(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """There is a claim, and it cannot be read."""
    world.put_claim()
    fail_claims(monkeypatch, "get_item", "AccessDeniedException")


BRANCHES: dict[str, tuple[Prepare, Any, str]] = {
    "applied": (lambda *_: None, event(), f"{CLAIMED} Apply {SETTLED} Applied"),
    "no event": (lambda *_: None, {"event": {}}, f"CheckEvent NoEvent {POISONED}"),
    "settled before": (applied_before, event(), f"{CLAIMED} ReadClaim IsSettled TellOutcome Duplicate"),
    "claimed and lost": (
        lambda world, _: world.put_claim(),
        event(),
        f"{CLAIMED} ReadClaim IsSettled Apply {SETTLED} Applied",
    ),
    "claim refused": (
        lambda _, monkeypatch: fail_claims(monkeypatch, "put_item", "AccessDeniedException"),
        event(),
        f"{CLAIMED} {POISONED}",
    ),
    "claim not readable": (claim_not_readable, event(), f"{CLAIMED} ReadClaim {POISONED}"),
    "duplicate": (written_before, event(), f"{CLAIMED} Apply {SETTLED} Duplicate"),
    "superseded": (
        newer_before,
        {**event(Set={"Data": "older"}), "eventTime": "2001-09-10T00:00:00Z"},
        f"{CLAIMED} Apply {SETTLED} Superseded",
    ),
    "version conflict": (
        lambda *_: None,
        event(Add={"Balance": 1}, ExpectedVersion=7),
        f"{CLAIMED} Apply {SETTLED} VersionConflict",
    ),
    "deleted": (deleted_before, event(), f"{CLAIMED} Apply {SETTLED} Deleted"),
    "wrong request": (lambda *_: None, event(Set={"Balance": 1}), f"{CLAIMED} Apply {POISONED}"),
    "unknown status": (
        lambda world, _: setattr(world, "answer", {"status": "odd", "version": 1, "token": "t"}),
        event(),
        f"{CLAIMED} Apply IsOutcome UnknownOutcome {POISONED}",
    ),
    "outcome not recorded": (
        lambda _, monkeypatch: fail_claims(monkeypatch, "update_item", "AccessDeniedException"),
        event(),
        f"{CLAIMED} Apply {SETTLED} Applied",
    ),
}


@pytest.mark.parametrize(("prepare", "given", "path"), BRANCHES.values(), ids=BRANCHES)
def test_a_branch_is_taken(
    world: World, monkeypatch: pytest.MonkeyPatch, prepare: Prepare, given: Any, path: str
) -> None:
    """The states that the execution entered, in order."""
    prepare(world, monkeypatch)
    assert " ".join(world.path(world.run(given))) == path


def test_there_is_no_other_way() -> None:
    """Every transition of the definition is on a path above."""
    taken = {way for _, _, path in BRANCHES.values() for way in pairwise(path.split())}
    assert taken == {(name, after) for name, state in STATES.items() for after in ways_out(state)}
    assert MACHINE["StartAt"] == "CheckEvent"


def ways_out(state: Any) -> Iterator[str]:
    """Yield the states that may follow."""
    for choice in (state, *state.get("Choices", ()), *state.get("Catch", ())):
        yield from (choice[name] for name in ("Next", "Default") if name in choice)


def test_the_whole_is_given_more_time_than_its_steps_take() -> None:
    """Even the slowest way ends in the queue: an execution that runs out of time could not be caught."""
    tasks = [state for state in STATES.values() if state["Type"] == "Task"]
    assert sum(map(longest_seconds, tasks)) < MACHINE["TimeoutSeconds"]


def longest_seconds(task: Any) -> int:
    """Return how long a task takes where every attempt times out, and jitter waits its longest."""
    (retry,) = task["Retry"]
    waits = (min(retry["IntervalSeconds"] * 2**at, retry["MaxDelaySeconds"]) for at in range(retry["MaxAttempts"]))
    assert retry["BackoffRate"] == 2
    return int(task["TimeoutSeconds"] * (retry["MaxAttempts"] + 1) + sum(waits))
