"""Buffered recording: what a batch has to tell is kept, and told at its end, in the batches that a service takes.

    conflict ... conflict        while the worker repairs: only remembered, nothing is called
    flush                        when all repairs are done, in the time that is left

Recording is best effort: what cannot be told within bounded attempts, or in time, is counted and logged, and dropped.
It is neither in the way of a repair nor hidden by one.
"""

from collections.abc import Iterable, Sequence
from contextlib import suppress
from itertools import chain
from typing import Generic, Protocol, TypeVar

from reconciler.adapters.log import Logger
from reconciler.conflict import Conflict
from reconciler.poison import PoisonMessage
from reconciler.ports import Clock, Pause, TimeLeft

Entry = TypeVar("Entry")

MAX_BUFFERED = 10_000  # Lambda's largest batch of records
ATTEMPTS = 3  # for what a service takes only in part
REFUSED, DEADLINE = "refused", "deadline"
RESERVE_MS = 3_000  # no call is begun with less time left: above what one may take (`aws_recorders`)


class Sink(Protocol[Entry]):
    """A service that takes entries by the batch."""

    name: str
    """For the log."""

    def entry_of(self, conflict: Conflict, *, repaired: bool, now_ms: int) -> Entry:
        """Return what is to be told of a conflict."""
        ...

    def batches(self, entries: Sequence[Entry]) -> Iterable[list[Entry]]:
        """Return the entries in batches that the service takes."""
        ...

    def send(self, batch: list[Entry]) -> list[Entry]:
        """Tell one batch; return what the service did not take, which may be tried again."""
        ...


class BufferedRecorder(Generic[Entry]):
    """Tells a sink of conflicts, once per batch; a conflict that comes twice in a batch is told once."""

    def __init__(
        self, sink: Sink[Entry], logger: Logger, *, clock: Clock, pause: Pause, reserve_ms: int = RESERVE_MS
    ) -> None:
        """Tell `sink`, and `logger` of what could not be told; begin no call with less than `reserve_ms` left."""
        self._sink = sink
        self._logger = logger
        self._clock = clock
        self._pause = pause
        self._reserve_ms = reserve_ms
        self._entries: dict[str, Entry] = {}

    def conflict(self, conflict: Conflict, *, repaired: bool) -> None:
        """Remember a conflict until the batch ends; BufferError where too many are remembered already."""
        if len(self._entries) >= MAX_BUFFERED:
            raise BufferError(f"{MAX_BUFFERED} conflicts are waiting to be told")
        self._entries[conflict.event_id] = self._sink.entry_of(conflict, repaired=repaired, now_ms=self._clock())

    def poisoned(self, message: PoisonMessage) -> None:
        """Say nothing: the queue has the message."""

    def failed(self, sequence_numbers: Sequence[str], fault: BaseException) -> None:
        """Say nothing: the records come again."""

    def flush(self, time_left: TimeLeft) -> int:
        """Tell what is remembered; return how many conflicts could not be told, which are forgotten."""
        left, self._entries = list(self._entries.values()), {}
        reason = ""
        for number in range(1, ATTEMPTS + 1):
            left, reason = self._tell(left, time_left)
            if not left or reason != REFUSED:
                break
            if number < ATTEMPTS:
                self._pause(number)
        if left:
            with suppress(Exception):  # a log that fails masks nothing either
                self._logger.warning("conflicts_unrecorded", sink=self._sink.name, conflicts=len(left), reason=reason)
        return len(left)

    def _tell(self, entries: Sequence[Entry], time_left: TimeLeft) -> tuple[list[Entry], str]:
        """Try each batch once; return what was not taken, and why: a service that is down is not asked again."""
        refused: list[Entry] = []
        batches = list(self._sink.batches(entries))
        for position, batch in enumerate(batches):
            reason = DEADLINE if time_left() < self._reserve_ms else ""
            try:
                refused += [] if reason else self._sink.send(batch)
            except Exception as fault:  # noqa: BLE001 - recording is best effort: whatever it is, it masks no repair
                reason = _name_of(fault)
            if reason:
                return refused + list(chain.from_iterable(batches[position:])), reason
        return refused, REFUSED


def _name_of(fault: Exception) -> str:
    """Name a fault by its type, and AWS's code: its text might hold an item's values."""
    code = getattr(fault, "response", {}).get("Error", {}).get("Code", "")
    return f"{type(fault).__name__} {code}".strip()
