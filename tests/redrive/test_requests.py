"""Requests that failed in the workflow: executed again under their own key, as of when they were asked for."""

import json
from typing import Any

import pytest

from reconciler.adapters.memory import MemoryTable
from reconciler.change import Change
from reconciler.failed_request import SCHEMA
from reconciler.ports import Stale, Written
from reconciler.wire import Image
from tests.redrive.world import DAY_MS, WON, World
from tests.worker.replicas import KEY, NOW, POLICY, A, Replica, image_of, policy

HOUR_MS = 3_600_000
SKEW_MS = POLICY.max_clock_skew_ms
STARTED = "2023-11-14T21:13:20.000Z"  # an hour before NOW


def failed(event: Any, error: str = "ConfigurationError", **more: Any) -> str:
    """Return the body of the workflow's message."""
    fault = {"Error": error, "Cause": "as it was then"}
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


def forgetful(asked_ms: int, horizon_ms: int, *, executed: bool = True) -> Image:
    """Return the item after k1 was executed at `asked_ms`, and after another write a window later that folded it."""
    replica = Replica(A, policy(window_ms=HOUR_MS))
    replica.holds(image_of({"IdempotencyKey": "k0", "Add": {"Balance": 101}}, at=asked_ms - 1))
    replica.clock.now_ms = asked_ms
    if executed:
        replica.write("k1", Add={"Balance": 5})
    for number, now_ms in enumerate((horizon_ms, horizon_ms + 2 * HOUR_MS)):
        replica.clock.now_ms = now_ms
        replica.write(f"later {number}", Add={"Balance": 1})
    image = replica.image
    assert image is not None
    assert image["Causality"]["M"]["Horizon"]["N"].startswith(str(horizon_ms))
    return image


def lost_answer(event: Any, **more: Any) -> str:
    """Return the body of a request that may have been applied, an hour before NOW."""
    return failed(event, "TransientError", startedAt=STARTED, **more)


def test_an_applied_request_that_the_ledger_forgot_is_not_applied_again() -> None:
    """Its answer was lost; two days and another write later nobody can tell: the message stays, for a person."""
    world = World()
    world.table.put(KEY, forgetful(NOW - HOUR_MS, NOW))
    world.later(2 * DAY_MS)
    assert redriven(world, lost_answer(event()))[:2] == (False, "too_late")
    assert (world.item["Balance"], len(world.queue.contents())) == (108, 1)
    assert "eventId of its own" in world.told[-1].fate.detail


@pytest.mark.parametrize("error", ["RequestError", "ConfigurationError", "PolicyFileError", "NotAnEvent"])
def test_what_failed_before_it_could_be_written_is_never_too_late(error: str) -> None:
    """The fault's name says that nothing was written: it counts once, however long ago it was asked for."""
    world = World()
    world.table.put(KEY, forgetful(NOW - HOUR_MS, NOW, executed=False))
    world.later(90 * DAY_MS)
    assert redriven(world, failed(event(), error, startedAt=STARTED))[:2] == (True, "applied")
    assert world.item["Balance"] == 108


@pytest.mark.parametrize(("before_ms", "why"), [(0, "too_late"), (SKEW_MS, "too_late"), (SKEW_MS + 1, "applied")])
def test_a_horizon_before_the_request_hides_nothing(before_ms: int, why: str) -> None:
    """Clocks differ by as much as the policy says: only what was folded before that cannot have been the request."""
    world = World()
    asked_ms = NOW - HOUR_MS
    world.table.put(KEY, forgetful(asked_ms - HOUR_MS - before_ms, asked_ms - before_ms, executed=False))
    world.later(2 * HOUR_MS)
    assert redriven(world, lost_answer(event()))[1] == why


def test_a_key_that_is_still_named_is_a_duplicate_however_late() -> None:
    """The ledger knows it: there is nothing to guess."""
    world = World()
    world.table.put(KEY, image_of({"IdempotencyKey": "k1", "Add": {"Balance": 5}}, on=WON))
    world.later(90 * DAY_MS)
    assert redriven(world, lost_answer(event()))[:2] == (True, "duplicate")


def test_the_events_own_time_may_be_the_earlier_one() -> None:
    """Another Region may have executed it before this one's execution began."""
    world = World()
    world.table.put(KEY, forgetful(NOW - 4 * HOUR_MS, NOW - 3 * HOUR_MS))
    old = {**event(), "eventTime": "2023-11-14T18:13:20Z"}  # four hours before NOW
    assert redriven(world, lost_answer(old))[1] == "too_late"
    assert redriven(world, lost_answer({**event(), "eventTime": "2023-11-14T20:13:20Z"}))[1] == "applied"


def test_without_any_time_nobody_can_tell() -> None:
    """The queue's own time is that of the newest copy."""
    world = World()
    assert redriven(world, failed(event(), "TransientError"))[:2] == (False, "too_late")


@pytest.mark.parametrize(
    ("expectation", "why"),
    [
        ({"ExpectedVersion": 3}, "version_conflict"),
        ({"ExpectedVersion": 4}, "applied"),
        ({"ExpectedToken": "t"}, "version_conflict"),
    ],
)
def test_a_request_for_one_state_is_never_counted_twice(expectation: dict[str, Any], why: str) -> None:
    """No execution leaves the item in the state that it was meant for."""
    world = World()
    world.table.put(KEY, forgetful(NOW - HOUR_MS, NOW))
    assert redriven(world, lost_answer(event(Add={"Balance": 5}, **expectation)))[1] == why


def test_a_token_that_still_fits_proves_that_nothing_was_executed() -> None:
    """It is of one exact state."""
    world = World()
    world.table.put(KEY, forgetful(NOW - HOUR_MS, NOW, executed=False))
    token = world.writer().process_event({"Id": "x", "ExpectedVersion": 99, "Set": {"Data": 1}})["token"]
    given = event(Add={"Balance": 5}, ExpectedToken=token)
    world.later(90 * DAY_MS)
    assert redriven(world, lost_answer(given))[1] == "applied"


@pytest.mark.parametrize(
    ("days", "why"), [(0, "applied"), (29, "applied"), (31, "too_late")], ids=["at once", "before", "after"]
)
def test_an_absent_item_may_have_been_deleted_since(days: int, why: str) -> None:
    """As long as its tombstone would stand, absent means that nothing was written; later it means nothing."""
    world = World()
    world.table.delete(KEY)
    world.later(days * DAY_MS)
    assert redriven(world, lost_answer(event()))[1] == why


@pytest.mark.parametrize(("days", "why"), [(29, "applied"), (31, "too_late")])
def test_an_item_that_began_anew_has_another_ledger(days: int, why: str) -> None:
    """Where a tombstone may have come and gone before it began, its ledger says nothing of what was before."""
    world = World()
    world.table.put(KEY, image_of({"IdempotencyKey": "k9", "Add": {"Balance": 1}}, at=NOW + days * DAY_MS))
    world.later((days + 1) * DAY_MS)
    expectations: list[dict[str, Any]] = [{}, {"ExpectedVersion": 1}]
    for number, expectation in enumerate(expectations):
        assert redriven(world, lost_answer(event(f"k{number}", Add={"Balance": 5}, **expectation)))[1] == why
        world.queue.held.clear()
        world.table.put(KEY, image_of({"IdempotencyKey": "k9", "Add": {"Balance": 1}}, at=NOW + days * DAY_MS))


def test_a_request_is_executed_on_the_state_that_was_judged() -> None:
    """Another write, and the fold that comes with it, in between: it is judged again, and found too late."""
    world = World()
    world.port = Overtaken(world.table, forgetful(NOW - HOUR_MS, NOW), 1)
    assert redriven(world, lost_answer(event()))[1] == "too_late"
    assert world.item["Balance"] == 108


def test_races_that_are_all_lost_leave_the_message() -> None:
    """Five times another write came first: the next redrive tries again."""
    world = World()
    world.port = Overtaken(world.table, None, 5)
    assert redriven(world, lost_answer(event()))[1] == "ContentionError"
    assert len(world.queue.contents()) == 1


class Overtaken(MemoryTable):
    """A table that others write to after each first read, a number of times: an image, or one write more."""

    def __init__(self, table: MemoryTable, image: Image | None, times: int) -> None:
        """Stand before `table`."""
        super().__init__()
        self._table, self._new, self._times, self._reads = table, image, times, 0

    def read(self, key: Image) -> Image | None:
        """Return the item; then another write comes."""
        found = self._table.read(key)
        self._reads += 1
        if self._reads % 2 and self._reads < 2 * self._times:
            more = {"IdempotencyKey": f"r{self._reads}", "Add": {"Balance": 1}}
            self._table.put(key, self._new or image_of(more, on=found))
        return found

    def write(self, change: Change) -> Written | Stale:
        """Write."""
        return self._table.write(change)


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
