"""Requests that failed in the workflow: executed again under their own key, as of when they were asked for."""

import json
from typing import Any

import pytest

from reconciler.failed_request import SCHEMA
from tests.redrive.world import World
from tests.worker.replicas import KEY, NOW, image_of

HOUR_MS = 3_600_000
STARTED = "2023-11-14T21:13:20.000Z"  # an hour before NOW


def failed(event: Any, **more: Any) -> str:
    """Return the body of the workflow's message."""
    fault = {"Error": "ConfigurationError", "Cause": "as it was then"}
    return json.dumps({"schema": SCHEMA, "execution": "arn:k1", "fault": fault, "event": event, **more})


def event(key: str = "k1", **request: Any) -> dict[str, Any]:
    """Return a TMF688 event."""
    return {"eventId": key, "claimExpiresAt": 0, "event": {"Id": "x", **(request or {"Add": {"Balance": 5}})}}


def redriven(world: World, body: str) -> tuple[bool, str, str]:
    """Redrive one body; return whether it was settled, and why."""
    world.queue.put(body)
    world.run()
    fate = world.told[-1].fate
    return fate.settled, fate.why, fate.detail


def test_a_request_is_executed_once() -> None:
    """The ledger knows its key: again, it is a duplicate."""
    world = World()
    assert redriven(world, failed(event()))[:2] == (True, "applied")
    assert redriven(world, failed(event()))[:2] == (True, "duplicate")
    assert (world.item["Balance"], world.queue.contents()) == (106, [])


def test_it_takes_nothing_from_whoever_wrote_since() -> None:
    """It counts as written when its execution began: a newer value stays."""
    world = World()
    newer = image_of({"IdempotencyKey": "k9", "Set": {"Data": "newer"}, "Timestamp": NOW - HOUR_MS // 2})
    world.table.put(KEY, newer)
    assert redriven(world, failed(event(Set={"Data": "older"}), startedAt=STARTED))[:2] == (True, "superseded")
    assert world.item["Data"] == "newer"


def test_it_wins_over_what_was_older_already() -> None:
    """What stood there when it was asked for is overwritten, as it would have been then."""
    world = World()
    older = image_of({"IdempotencyKey": "k9", "Set": {"Data": "older"}, "Timestamp": NOW - 2 * HOUR_MS})
    world.table.put(KEY, older)
    assert redriven(world, failed(event(Set={"Data": "newer"}), startedAt=STARTED))[:2] == (True, "applied")
    assert world.item["Data"] == "newer"


def test_the_events_own_time_goes_first() -> None:
    """A client that gave a time meant it."""
    world = World()
    between = image_of({"IdempotencyKey": "k9", "Set": {"Data": "between"}, "Timestamp": NOW - 3 * HOUR_MS // 2})
    world.table.put(KEY, between)
    at = {**event(Set={"Data": "v"}), "eventTime": "2023-11-14T20:13:20Z"}
    assert redriven(world, failed(at, startedAt=STARTED))[:2] == (True, "superseded")
    assert world.item["Data"] == "between"


def test_without_a_start_it_counts_as_of_when_it_was_sent() -> None:
    """A message of a workflow that did not say when it began."""
    world = World()
    world.queue.put(failed(event(Set={"Data": "v"})))
    world.later(60_000)
    world.run()
    assert world.item["Timestamp"] == NOW


def test_a_start_ahead_of_this_clock_is_now() -> None:
    """Two clocks may differ; the writer refuses the future."""
    world = World()
    assert redriven(world, failed(event(Set={"Data": "v"}), startedAt="2023-11-15T22:13:20Z"))[:2] == (True, "applied")
    assert world.item["Timestamp"] == NOW


def test_numbers_are_exact() -> None:
    """What a float would round is not."""
    world = World()
    redriven(world, failed(event()).replace(": 5}", ": 0.12345678901234567890123}"))
    assert str(world.item["Balance"]) == "101.12345678901234567890123"


def test_a_version_conflict_is_an_answer() -> None:
    """As in the workflow: nothing is written, and to ask again would change nothing."""
    world = World()
    assert redriven(world, failed(event(Add={"Balance": 1}, ExpectedVersion=9)))[:2] == (True, "version_conflict")
    assert (world.item["Balance"], world.queue.contents()) == (101, [])


def test_a_late_delete_is_a_persons_affair() -> None:
    """No time lets a Delete lose: only one that says which state it means is executed."""
    world = World()
    why = (False, "RequestError", "Delete: came too late to be executed without ExpectedVersion or ExpectedToken")
    assert redriven(world, failed(event(Delete=True))) == why
    assert world.item["Balance"] == 101
    assert redriven(world, failed(event("k12", Delete=True, ExpectedVersion=2)))[:2] == (True, "applied")
    assert "Balance" not in world.item


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (
            failed({"Id": "x", "Data": "bare"}),
            (False, "RequestError", "eventId: is missing, or event is; both were expected"),
        ),
        (
            failed({"Id": "x", "event": "a meeting"}),
            (False, "RequestError", "eventId: is missing, or event is; both were expected"),
        ),
        (failed({"eventId": "k1"}), (False, "RequestError", "eventId: is missing, or event is; both were expected")),
        (
            failed({**event(), "eventId": None}),
            (False, "RequestError", "eventId: is missing or null; text was expected"),
        ),
        (
            failed(event(Set={"Balance": 1})),
            (False, "RequestError", "event.Set.Balance: 'Set' does not fit the policy counter"),
        ),
        (failed("text"), (False, "unreadable", "event: a mapping was expected")),
        (failed(event(), startedAt="yesterday"), (False, "unreadable", "startedAt: a time was expected")),
        (failed(event(), startedAt=7), (False, "unreadable", "startedAt: a time was expected")),
    ],
)
def test_what_still_fails_stays(body: str, expected: tuple[bool, str, str]) -> None:
    """Byte for byte, and the reason names the field."""
    world = World()
    got = redriven(world, body)
    assert got[:2] == expected[:2]
    assert expected[2].partition(":")[0] in got[2]
    assert [text for text, _ in world.queue.contents()] == [body]
    assert world.item["Balance"] == 101
