"""Redrive: what once could not be settled, judged again: by today's policy, against the item that the table holds now.

    poison message -> the record that it tells of -> classify -> settle -> effects        the worker's own steps
    failed request -> can the ledger still know its key? -> the writer, under that key, on the very state judged

Nothing is escalated anew: what cannot be settled today either stays in the queue, as it is.
"""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

from reconciler.attempt import Found, found_item, refusal, token_of
from reconciler.classify import Suspect, Verdict, classify
from reconciler.conflict import Conflict
from reconciler.decisions import Escalate, Fine, Noop, Trouble
from reconciler.effects import Effects, Outcome
from reconciler.errors import ConfigurationError, ContentionError, ItemError, KeySchemaError, ReconcilerError
from reconciler.failed_request import FailedRequest, is_forgotten, request_of
from reconciler.poison import PoisonMessage
from reconciler.policy import Kind, Policy, flatten
from reconciler.ports import Clock, Pause, Table, TimeLeft
from reconciler.records import parse_record
from reconciler.requests import WriteEvent
from reconciler.writer import Result

Execute = Callable[[WriteEvent], Result]
"""A writer's `process_event`."""

ANSWERED = (Fine.BEATEN, Fine.HARD_DELETED, Fine.INCLUDED)
"""What leaves nothing to ask a person: the life that the question was about is over."""

TOO_LATE = (
    "the item's ledger cannot tell any more whether the key was executed; look whether the item has what was asked for:"
    " if so delete the message, else ask anew with an eventId of its own, and delete the message then"
)


@dataclass(frozen=True, slots=True)
class Fate:
    """What became of a message: it is settled, or stays in the queue; `why` in a word, `detail` without values."""

    settled: bool
    why: str
    detail: str = ""
    conflicts: Sequence[tuple[Conflict, bool]] = ()
    """What is to be told, each with whether it was repaired."""
    counts: Counter[str] = field(default_factory=Counter)


def judge_again(message: PoisonMessage, policy: Policy, sent_ms: int) -> Verdict:
    """Classify the message's record by `policy`; ItemError where it still is none, or is another table's.

    Where a message does not say when its record was made, that was not after `sent_ms`: a tombstone whose time came in
    between is left to a person.
    """
    if message.table != policy.name:
        raise ItemError("table", f"is {message.table!r}; this policy is for {policy.name!r}")
    made_ms = sent_ms if message.at_ms is None else message.at_ms
    record = parse_record(_raw_record(message, made_ms) if message.record is None else message.record)
    if record.key.keys() != set(policy.key_names):
        raise ItemError("key", f"is {sorted(record.key)}; the policy's is {sorted(policy.key_names)}")
    verdict = classify(record, policy, made_ms)
    is_dated = (message.at_ms if message.record is None else record.at_ms) is not None
    if isinstance(verdict, Noop) and verdict.reason is Fine.EXPIRED and not is_dated:
        return Escalate(Trouble(message.reason), "whether the tombstone had expired then is not known", record)
    return verdict


def asks_a_person(message: PoisonMessage, policy: Policy) -> bool:
    """Say whether the message stays a question even where the item has all that was lost.

    A divergence always does; a `manual` attribute does as long as the policy calls it so.
    """
    if message.reason == Trouble.MANUAL.value:
        images = [image for image in (message.old_image, message.new_image) if image is not None]
        return any(policy.of(path).kind is Kind.MANUAL for image in images for path, _ in flatten(image, policy))
    return message.reason == Trouble.DIVERGED.value


class Redriver:
    """Settles messages, one at a time, on one Region's replica."""

    def __init__(  # noqa: PLR0913 - a composition root names each
        self,
        table: Table,
        execute: Execute,
        policy: Policy,
        region: str,
        *,
        clock: Clock,
        pause: Pause,
        attempts: int,
        reserve_ms: int,
    ) -> None:
        """Repair `table`, and let `execute` do requests; the bounds are those of `Effects`."""
        self._table = table
        self._execute = execute
        self._policy = policy
        self._clock = clock
        self._pause = pause
        self._attempts = attempts
        self._effects = Effects(table, _Stays(), policy, region, pause=pause, attempts=attempts, reserve_ms=reserve_ms)

    def settle(self, message: PoisonMessage, sent_ms: int, time_left: TimeLeft) -> Fate:
        """Judge a message again and do what can be done now; ConfigurationError where every message would fail."""
        return _explained(lambda: self._settle(message, sent_ms, time_left))

    def execute(self, request: FailedRequest, sent_ms: int) -> Fate:
        """Execute a request that failed, as of when it was first asked for: at most once for its key.

        Where the item's ledger may have forgotten the key, it is not executed. What takes the ledger away past the
        writer takes this knowledge with it.
        """
        return _explained(lambda: self._execute_once(request, sent_ms))

    def _settle(self, message: PoisonMessage, sent_ms: int, time_left: TimeLeft) -> Fate:
        match judge_again(message, self._policy, sent_ms):
            case Noop(reason):
                asks = asks_a_person(message, self._policy)
                return Fate(not asks, message.reason if asks else reason.value)
            case Escalate(reason, detail):
                return Fate(settled=False, why=reason.value, detail=detail)
            case suspect:
                return self._carry_out(suspect, message, time_left)

    def _carry_out(self, suspect: Suspect, message: PoisonMessage, time_left: TimeLeft) -> Fate:
        current = self._table.read(suspect.record.key)
        outcome = self._effects.carry_out([suspect], current, time_left)
        if outcome.fault is not None:
            raise outcome.fault
        if outcome.messages:
            trouble = next(iter(outcome.messages.values()))
            return _fate(outcome, trouble.reason, trouble.detail, settled=False)
        if asks_a_person(message, self._policy) and not any(outcome.counts[f"noop_{fine.value}"] for fine in ANSWERED):
            return _fate(outcome, message.reason, "nothing is missing; the question is a person's", settled=False)
        return _fate(outcome, _what_was_done(outcome), settled=True)

    def _execute_once(self, request: FailedRequest, sent_ms: int) -> Fate:
        asked_ms = min(request.started_ms or sent_ms, self._clock())
        event = request_of(request, self._policy, asked_ms)
        for number in range(1, self._attempts + 1):
            found = found_item(event, self._table.read(event.key), self._policy)
            status = refusal(event, found, self._policy)
            if status is None and is_forgotten(request, event, found, self._policy, self._clock()):
                return Fate(settled=False, why="too_late", detail=TOO_LATE)
            status = status or self._execute(_on_that_state(event, found))["status"]
            if status != "version_conflict" or refusal(event, found, self._policy):
                return Fate(settled=True, why=status, counts=Counter({status: 1}))
            self._pause(number)
        raise ContentionError(f"lost {self._attempts} races for the request's item")


class _Stays:
    """The queue that a message is already in: escalating it again sends nothing."""

    def send(self, message: PoisonMessage) -> None:
        """Leave it to whoever received the message to leave it there."""


def _raw_record(message: PoisonMessage, made_ms: int) -> dict[str, object]:
    """Return the record that a message was made of, as a stream shows it."""
    images = {"OldImage": message.old_image, "NewImage": message.new_image}
    body = {name: image for name, image in images.items() if image is not None}
    operation = "MODIFY" if message.old_image is not None and message.new_image is not None else "REMOVE"
    return {
        "eventName": "INSERT" if message.old_image is None else operation,
        "dynamodb": {
            **body,
            "Keys": message.key,
            "SequenceNumber": message.sequence_number,
            "ApproximateCreationDateTime": made_ms / 1000,
        },
    }


def _on_that_state(event: WriteEvent, found: Found) -> WriteEvent:
    """Return the request for the item as it was judged, and for no other state of it."""
    if found.image is None:
        return replace(event, expected_version=0)
    return replace(event, expected_token=token_of(found.item.ledger))


def _explained(act: Callable[[], Fate]) -> Fate:
    """Let one message's fault be its own: it stays in the queue, and the others go on."""
    try:
        return act()
    except KeySchemaError as error:
        return Fate(settled=False, why=type(error).__name__, detail=str(error))
    except ConfigurationError:
        raise
    except Exception as error:  # noqa: BLE001 - whatever happens to one message, it stays in the queue
        return Fate(
            settled=False, why=type(error).__name__, detail=str(error) if isinstance(error, ReconcilerError) else ""
        )


def _fate(outcome: Outcome, why: str, detail: str = "", *, settled: bool) -> Fate:
    return Fate(settled, why, detail, outcome.conflicts, outcome.counts)


def _what_was_done(outcome: Outcome) -> str:
    """Return the one decision that was made."""
    names = [name.removeprefix("noop_") for name in outcome.counts if name == "repaired" or name.startswith("noop_")]
    return names[0]
