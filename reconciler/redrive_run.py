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
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import islice, product
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
COMBINATIONS = 100  # of bodies that claim to be parts of one message: damaged ones stand beside sound ones
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

Copies = dict[str, list[Received]]
"""The messages that have one body, by body."""


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
        self._parts: dict[tuple[str, int], dict[int, Copies]] = {}
        self._problems: dict[tuple[str, int], str] = {}
        self._fates: dict[str, Fate] = {}
        self.report = RunReport()

    def run(self, tell: Tell, before_release: Callable[[], None] = lambda: None) -> RunReport:
        """Redrive; whatever happens, what is not settled is put back, as far as time allows.

        `before_release` is called first: what is put back too late shows itself, what is not told then never is.
        ConfigurationError where every message would fail, TransientError where the queue gives none at all.
        """
        try:
            while self._has_time() and (fresh := self._receive()):
                for message in fresh:
                    self._take(message, tell)
            for whole, numbers in self._parts.items():
                found = [message for copies in numbers.values() for group in copies.values() for message in group]
                self._conclude(Redriven(None, found, self._fate_of_rest(whole)), tell)
        finally:
            try:
                before_release()
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
        """Settle a message once all its parts are here; never on half of it. Only an equal body shares its fate."""
        if message.body in self._fates:
            fate = replace(self._fates[message.body], conflicts=(), counts=Counter())
            self._conclude(Redriven(None, [message], fate), tell)
            return
        numbers = self._parts.setdefault((part.whole, part.of), {})
        numbers.setdefault(part.number, {}).setdefault(message.body, []).append(message)
        if len(numbers) == part.of:
            self._settle(part, {**numbers, part.number: {message.body: []}}, tell)

    def _settle(self, part: Part, newest: Mapping[int, Copies], tell: Tell) -> None:
        """Settle the message that the newest body makes whole, if it does; the others wait for theirs."""
        for bodies in islice(product(*newest.values()), COMBINATIONS):
            try:
                content = parse(bodies)
            except ValueError as error:
                self._problems[part.whole, part.of] = str(error)
                continue
            messages = self._taken(part, bodies)
            sent_ms = min(message.sent_ms for message in messages)
            fate = self._redriver.settle(content, sent_ms, self._time_left)
            self._fates.update(dict.fromkeys(bodies, fate))
            self._conclude(Redriven(content, messages, fate), tell)
            return

    def _taken(self, part: Part, bodies: Sequence[str]) -> list[Received]:
        """Return the messages that have these bodies, and wait for no more of them."""
        numbers = self._parts.pop((part.whole, part.of))
        messages = [message for copies in numbers.values() for body in bodies for message in copies.pop(body, ())]
        if rest := {number: copies for number, copies in numbers.items() if copies}:
            self._parts[part.whole, part.of] = rest
        return messages

    def _fate_of_rest(self, whole: tuple[str, int]) -> Fate:
        """Return the fate of parts that made no message: one is missing, or one is damaged."""
        if whole in self._problems:
            return Fate(settled=False, why="unreadable", detail=self._problems[whole])
        return Fate(settled=False, why="incomplete")

    def _conclude(self, redriven: Redriven, tell: Tell) -> None:
        fate = redriven.fate
        self.report.counts.update(fate.counts)
        (self.report.settled if fate.settled else self.report.put_back)[fate.why] += len(redriven.messages)
        tell(redriven)  # before the message goes, which may be the only evidence left
        if fate.settled:
            self._delete(redriven.messages)

    def _delete(self, messages: Sequence[Received]) -> None:
        if messages and self._made(lambda: self._queue.delete(messages)):
            for message in messages:
                self._held.pop(message.message_id, None)

    def _put_back(self) -> None:
        """Let go of what stays: as it is, or sent again where the queue would soon set it aside.

        What there is no time for shows itself once it is no longer hidden.
        """
        for messages in _batches(self._worn()):
            self._delete([message for message in messages if self._is_sent_again(message)])
        for messages in _batches([*self._held.values()]):
            if self._has_time_for_one():
                self._made(lambda messages=messages: self._queue.release(messages))  # type: ignore[misc]

    def _is_sent_again(self, message: Received) -> bool:
        return self._has_time_for_one() and self._made(lambda: self._queue.send(message))

    def _has_time_for_one(self) -> bool:
        return self._time_left() >= self._reserve_ms

    def _worn(self) -> list[Received]:
        """Return what the queue would soon set aside, the most worn first."""
        oldest_ms = self._clock() - RENEW_AT_AGE_MS
        held = sorted(self._held.values(), key=lambda message: (-message.receives, message.sent_ms))
        return [message for message in held if message.receives >= RENEW_AT_RECEIVES or message.sent_ms < oldest_ms]

    def _made(self, effect: Callable[[], None]) -> bool:
        """Say whether an effect on the queue was made; where it was not, nothing is lost."""
        try:
            effect()
        except TransientError:
            self.report.faults += 1
            return False
        return True


def _batches(messages: Sequence[Received]) -> Iterator[Sequence[Received]]:
    """Yield the messages in batches; an empty one where there are none, for a queue that is only told the run's end."""
    for start in range(0, max(len(messages), 1), BATCH):
        yield messages[start : start + BATCH]
