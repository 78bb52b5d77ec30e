"""Buffered recording: told once, at the end, within bounds; what cannot be told is counted, and no one's obstacle."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

import pytest
import structlog
from botocore.exceptions import ClientError
from structlog.testing import capture_logs

from reconciler.adapters import buffered
from reconciler.adapters.buffered import ATTEMPTS, BufferedRecorder
from reconciler.conflict import Conflict
from reconciler.poison import PoisonMessage
from tests.conflicts.conflicts import NOW, SECRET, conflict

UNHURRIED = 900_000


@dataclass
class Shelf:
    """A sink that takes two entries at a time, and refuses or fails as it is told to."""

    name: str = "shelf"
    taken: list[str] = field(default_factory=list)
    calls: int = 0
    refusing: list[set[str]] = field(default_factory=list)
    """For each call, what is refused."""
    fault: Exception | None = None

    def entry_of(self, told: Conflict, *, repaired: bool, now_ms: int) -> str:
        """Return the item's key."""
        assert (repaired, now_ms) == (True, NOW)
        return str(told.key["Id"]["S"])

    def batches(self, entries: Sequence[str]) -> Iterable[list[str]]:
        """Yield two at a time."""
        for start in range(0, len(entries), 2):
            yield list(entries[start : start + 2])

    def send(self, batch: list[str]) -> list[str]:
        """Take what is not refused."""
        self.calls += 1
        if self.fault and self.calls > 1:
            raise self.fault
        refused = self.refusing.pop(0) if self.refusing else set()
        self.taken += [entry for entry in batch if entry not in refused]
        return [entry for entry in batch if entry in refused]


class World:
    """A shelf, a recorder that tells it, and the pauses in between."""

    def __init__(self, conflicts: int = 5) -> None:
        """Start with conflicts that wait to be told."""
        self.shelf, self.pauses = Shelf(), list[int]()
        self.recorder: BufferedRecorder[str] = BufferedRecorder(
            self.shelf, structlog.get_logger(), clock=lambda: NOW, pause=self.pauses.append
        )
        for number in range(conflicts):
            self.recorder.conflict(conflict(number), repaired=True)

    def flush(self, left_ms: Iterable[int] = ()) -> tuple[int, list[Any]]:
        """Tell what waits; return how many could not be told, and the lines of the log."""
        times = iter(left_ms)
        with capture_logs() as lines:
            unrecorded = self.recorder.flush(lambda: next(times, UNHURRIED))
        return unrecorded, lines


def test_nothing_is_told_before_the_end() -> None:
    """While the worker repairs no service is called; then all is told, once, in batches."""
    world = World()
    assert world.shelf.calls == 0
    assert world.flush() == (0, [])
    assert (world.shelf.taken, world.shelf.calls) == ([f"item-{number}" for number in range(5)], 3)
    assert (world.flush(), world.shelf.calls, world.pauses) == ((0, []), 3, [])


def test_a_conflict_that_comes_twice_in_a_batch_is_told_once() -> None:
    """A service may refuse a batch with duplicates."""
    world = World(1)
    world.recorder.conflict(conflict(0), repaired=True)
    world.flush()
    assert world.shelf.taken == ["item-0"]


def test_what_a_service_takes_in_part_is_tried_again() -> None:
    """Only what it refused, after a pause."""
    world = World()
    world.shelf.refusing = [{"item-1"}, set(), {"item-4"}]
    assert world.flush() == (0, [])
    assert sorted(world.shelf.taken) == [f"item-{number}" for number in range(5)]
    assert (world.shelf.calls, world.pauses) == (4, [1])


def test_attempts_are_bounded() -> None:
    """What is refused again and again is counted, logged and forgotten."""
    world = World(1)
    world.shelf.refusing = [{"item-0"}] * 9
    line = {"event": "conflicts_unrecorded", "log_level": "warning", "sink": "shelf", "conflicts": 1}
    assert world.flush() == (1, [{**line, "reason": "refused"}])
    assert (world.shelf.calls, world.pauses) == (ATTEMPTS, [1, 2])
    assert world.flush() == (0, [])


def test_a_service_that_is_down_is_not_asked_again() -> None:
    """What it took counts; the rest is not told, and the fault's own words, which may hold values, are not logged."""
    world = World()
    world.shelf.fault = ClientError({"Error": {"Code": "Throttled", "Message": SECRET}}, "PutEvents")
    unrecorded, lines = world.flush()
    assert (unrecorded, world.shelf.taken, world.shelf.calls) == (3, ["item-0", "item-1"], 2)
    assert [line["reason"] for line in lines] == ["ClientError Throttled"]
    assert SECRET not in str(lines)


@pytest.mark.parametrize("fault", [OSError(SECRET), ZeroDivisionError("a bug")])
def test_any_fault_is_only_counted(fault: Exception) -> None:
    """Recording is best effort: not even a bug is in the way."""
    world = World()
    world.shelf.fault = fault
    unrecorded, lines = world.flush()
    assert (unrecorded, lines[0]["reason"]) == (3, type(fault).__name__)


@pytest.mark.parametrize(("left_ms", "taken"), [((3_000, 2_999), 2), ((2_999,), 0), ((3_000, 3_000, 3_000), 5)])
def test_no_call_is_begun_that_cannot_be_finished(left_ms: tuple[int, ...], taken: int) -> None:
    """With less than the reserve left, what is not told is counted."""
    world = World()
    unrecorded, lines = world.flush(left_ms)
    assert (len(world.shelf.taken), unrecorded) == (taken, 5 - taken)
    assert [line["reason"] for line in lines] == ["deadline"] * bool(unrecorded)


def test_the_buffer_has_a_size(monkeypatch: pytest.MonkeyPatch) -> None:
    """One conflict too many is an error, which the worker counts."""
    monkeypatch.setattr(buffered, "MAX_BUFFERED", 5)
    world = World()
    with pytest.raises(BufferError, match="5 conflicts"):
        world.recorder.conflict(conflict(5), repaired=True)
    assert world.flush()[0] == 0


def test_a_log_that_fails_masks_nothing() -> None:
    """The count comes back all the same."""

    class Broken:
        def warning(self, *_: object, **__: object) -> None:
            raise OSError

    shelf = Shelf(refusing=[{"item-0"}] * ATTEMPTS)
    logger: Any = Broken()
    recorder = BufferedRecorder(shelf, logger, clock=lambda: NOW, pause=lambda _: None)
    recorder.conflict(conflict(0), repaired=True)
    assert recorder.flush(lambda: UNHURRIED) == 1


def test_only_conflicts_are_told() -> None:
    """The queue has the poison messages, and failed records come again."""
    world = World(0)
    world.recorder.poisoned(PoisonMessage("malformed", "", "us-east-1", "T", {}, "7", None, None))
    world.recorder.failed(["7"], OSError())
    assert (world.flush(), world.shelf.calls) == ((0, []), 0)
