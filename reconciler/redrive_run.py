"""A redrive's run: messages out of the poison queue, judged again, and done with or back where they were.

    receive -> all parts? -> settle -> delete      only once the effect is made: a crash before it changes nothing
                    |          |
                    +----------+-----> put back    the very message: its body, its attributes, its age

A message that is received is only hidden from other readers, for as long as this run can last.
So nothing is lost wherever a run ends; what was settled and not deleted comes again, and is found settled.

The queue sets a message aside once it has been received too often, and forgets it when it is too old.
Redrives must bring neither about: well before, the message is sent again, byte for byte, and only then the old one
deleted. A crash in between leaves two: both have one id, and the second is found settled once the first is.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Protocol, assert_never

from reconciler.errors import TransientError
from reconciler.failed_request import FailedRequest
from reconciler.poison import PoisonMessage, parse
from reconciler.ports import Clock, TimeLeft
from reconciler.redrive import Fate, Redriver
from reconciler.redrive_bodies import Part, Unread, read_body

BATCH = 10  # https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_ReceiveMessage.html
RENEW_AT_RECEIVES = 3  # below the queue's maxReceiveCount (infra/worker.yaml), with room for readers by hand
RENEW_AT_AGE_MS = 7 * 86_400_000  # half of what the queue keeps
HOLD_MARGIN_S = 30  # a run ends before its messages show up again
EFFECTS = 2  # for each `reserve_ms`: a message's write, and then its deletion


@dataclass(frozen=True, slots=True)
class Received:
    """A message in the hands of this run."""

    message_id: str
    receipt: str
    body: str
    attributes: Mapping[str, Any]
    """As the queue gave them: what is sent again has the same."""
    receives: int
    """How often it has been received, this time included."""
    sent_ms: int


class Messages(Protocol):
    """A queue to take from. Faults: TransientError."""

    def receive(self, most: int, hold_s: int) -> Sequence[Received]:
        """Return up to `most` messages, and hide them from other readers for a while."""
        ...

    def delete(self, messages: Sequence[Received]) -> None:
        """Delete messages for good."""
        ...

    def send(self, message: Received) -> None:
        """Send a message with the same body and attributes."""
        ...

    def release(self, messages: Sequence[Received]) -> None:
        """Let other readers see the messages again."""
        ...


@dataclass(frozen=True, slots=True)
class Redriven:
    """What became of one message, or of all that was found of it."""

    content: PoisonMessage | FailedRequest | None
    """None where it cannot be read, or not yet."""
    messages: Sequence[Received]
    fate: Fate


Tell = Callable[[Redriven], None]
"""Told of each message when its fate is known: best effort."""


@dataclass(slots=True)
class RunReport:
    """How many messages of the queue were received, and settled or put back, each by why: these add up."""

    received: int = 0
    settled: Counter[str] = field(default_factory=Counter)
    put_back: Counter[str] = field(default_factory=Counter)
    faults: int = 0
    """Effects on the queue that failed: what was to be deleted comes again, what was to be shown is late."""
    counts: Counter[str] = field(default_factory=Counter)
    """What the effects counted, for metrics."""


class Run:
    """One run, bounded by a number of messages and by time."""

    def __init__(  # noqa: PLR0913 - a composition root names each
        self, queue: Messages, redriver: Redriver, time_left: TimeLeft, *, clock: Clock, most: int, reserve_ms: int
    ) -> None:
        """Take at most `most` messages, and begin none unless time for two effects of `reserve_ms` is left."""
        self._queue = queue
        self._redriver = redriver
        self._time_left = time_left
        self._clock = clock
        self._most = most
        self._reserve_ms = reserve_ms
        self._held: dict[str, Received] = {}
        self._parts: dict[str, dict[int, list[Received]]] = {}
        self._fates: dict[str, Fate] = {}
        self.report = RunReport()

    def run(self, tell: Tell) -> RunReport:
        """Redrive; whatever happens, what is not settled is put back.

        ConfigurationError where every message would fail, TransientError where the queue gives none at all.
        """
        try:
            while self._has_time() and (fresh := self._receive()):
                for message in fresh:
                    self._take(message, tell)
            for copies in self._parts.values():
                found = [message for group in copies.values() for message in group]
                self._conclude(Redriven(None, found, Fate(settled=False, why="incomplete")), tell)
        finally:
            self._put_back()
        return self.report

    def _has_time(self) -> bool:
        return self._time_left() >= EFFECTS * self._reserve_ms

    def _receive(self) -> list[Received]:
        """Return messages that this run has not seen."""
        room = min(BATCH, self._most - self.report.received)
        if room <= 0:
            return []
        try:
            received = self._queue.receive(room, self._time_left() // 1000 + HOLD_MARGIN_S)
        except TransientError:
            if not self.report.received:
                raise
            self.report.faults += 1
            return []
        fresh = [message for message in received if message.message_id not in self._held]
        self._held.update((message.message_id, message) for message in received)
        self.report.received += len(fresh)
        return fresh

    def _take(self, message: Received, tell: Tell) -> None:
        if not self._has_time():
            self._conclude(Redriven(None, [message], Fate(settled=False, why="no_time")), tell)
            return
        match read_body(message.body):
            case Part() as part:
                self._gather(part, message, tell)
            case FailedRequest() as request:
                self._conclude(Redriven(request, [message], self._redriver.execute(request, message.sent_ms)), tell)
            case Unread(why, detail):
                self._conclude(Redriven(None, [message], Fate(settled=False, why=why, detail=detail)), tell)
            case _ as unknown:
                assert_never(unknown)

    def _gather(self, part: Part, message: Received, tell: Tell) -> None:
        """Settle a message once all its parts are here; never on half of it. A copy shares its fate."""
        if part.id in self._fates:
            fate = replace(self._fates[part.id], conflicts=(), counts=Counter())
            self._conclude(Redriven(None, [message], fate), tell)
            return
        copies = self._parts.setdefault(part.id, {})
        copies.setdefault(part.number, []).append(message)
        if len(copies) == part.of:
            del self._parts[part.id]
            redriven = self._settle(copies)
            self._fates[part.id] = redriven.fate
            self._conclude(redriven, tell)

    def _settle(self, copies: Mapping[int, Sequence[Received]]) -> Redriven:
        messages = [message for group in copies.values() for message in group]
        try:
            content = parse([group[0].body for group in copies.values()])
        except ValueError as error:
            return Redriven(None, messages, Fate(settled=False, why="unreadable", detail=str(error)))
        sent_ms = min(message.sent_ms for message in messages)
        return Redriven(content, messages, self._redriver.settle(content, sent_ms, self._time_left))

    def _conclude(self, redriven: Redriven, tell: Tell) -> None:
        fate = redriven.fate
        self.report.counts.update(fate.counts)
        (self.report.settled if fate.settled else self.report.put_back)[fate.why] += len(redriven.messages)
        tell(redriven)  # before the message goes, which may be the only evidence left
        if fate.settled:
            self._delete(redriven.messages)

    def _delete(self, messages: Sequence[Received]) -> None:
        if self._made(lambda: self._queue.delete(messages)):
            for message in messages:
                self._held.pop(message.message_id, None)

    def _put_back(self) -> None:
        """Let go of what stays: as it is, or sent again where the queue would soon set it aside."""
        for message in self._worn():
            if self._made(lambda message=message: self._queue.send(message)):  # type: ignore[misc]
                self._delete([message])
        self._made(lambda: self._queue.release([*self._held.values()]))

    def _worn(self) -> Iterable[Received]:
        oldest_ms = self._clock() - RENEW_AT_AGE_MS
        held = [*self._held.values()]
        return [message for message in held if message.receives >= RENEW_AT_RECEIVES or message.sent_ms < oldest_ms]

    def _made(self, effect: Callable[[], None]) -> bool:
        """Say whether an effect on the queue was made; where it was not, nothing is lost."""
        try:
            effect()
        except TransientError:
            self.report.faults += 1
            return False
        return True
