"""Effects: one key's settlement carried out, in an order in which a crash anywhere loses nothing.

    poison messages -> conditional write -> (a lost race: judge the item that came back, again)

The messages go first: after the repair nobody could tell any more that there was something to escalate.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import assert_never

from reconciler.change import Change
from reconciler.classify import Suspect
from reconciler.conflict import Conflict
from reconciler.decisions import Decision, Escalate, Noop, Repair, Trouble
from reconciler.errors import ConfigurationError, ContentionError, DeadlineError, ItemError, TooLargeError
from reconciler.poison import PoisonMessage
from reconciler.policy import Policy
from reconciler.ports import Pause, PoisonQueue, Stale, Table, TimeLeft
from reconciler.records import SequenceNumber
from reconciler.settle import settle
from reconciler.wire import Image


@dataclass(slots=True)
class Outcome:
    """What became of some records."""

    counts: Counter[str] = field(default_factory=Counter)
    conflicts: list[tuple[Conflict, bool]] = field(default_factory=list)
    """Each with whether it was repaired."""
    messages: dict[str, PoisonMessage] = field(default_factory=dict)
    """What the poison queue has, by message id."""
    failures: list[SequenceNumber] = field(default_factory=list)
    fault: Exception | None = None

    def fail(self, numbers: Iterable[SequenceNumber], fault: Exception) -> None:
        """Report records as failed: they will be delivered again."""
        self.failures.extend(numbers)
        self.fault = fault


class Effects:
    """Carries out settlements on one Region's replica and poison queue."""

    def __init__(  # noqa: PLR0913 - a composition root names each
        self,
        table: Table,
        queue: PoisonQueue,
        policy: Policy,
        region: str,
        *,
        pause: Pause,
        attempts: int,
        reserve_ms: int,
    ) -> None:
        """Give each key at most `attempts` conditional writes, and start none with less than `reserve_ms` left."""
        self._table = table
        self._queue = queue
        self._policy = policy
        self.region = region
        self._pause = pause
        self._attempts = attempts
        self._reserve_ms = reserve_ms

    def carry_out(self, suspects: Sequence[Suspect], newest: Image | None, time_left: TimeLeft) -> Outcome:
        """Settle one key, whose newest known image is `newest`; the outcome says what could not be done."""
        outcome = Outcome()
        try:
            self._settle(suspects, newest, time_left, outcome)
        except ConfigurationError:
            raise
        except Exception as fault:  # noqa: BLE001 - whatever happens to one key, its records are delivered again
            outcome.fail((suspect.record.sequence_number for suspect in suspects), fault)
        return outcome

    def escalate(self, escalation: Escalate, outcome: Outcome, time_left: TimeLeft) -> None:
        """Send what a person has to look at."""
        record = escalation.record
        message = PoisonMessage(
            reason=escalation.reason.value,
            detail=escalation.detail,
            region=self.region,
            table=self._policy.name,
            key=record.key,
            sequence_number=record.sequence_number,
            old_image=record.old,
            new_image=record.new,
            at_ms=record.at_ms,
        )
        self.send(message, outcome, time_left)

    def send(self, message: PoisonMessage, outcome: Outcome, time_left: TimeLeft) -> None:
        """Send one poison message, once for its id."""
        identity = message.id
        if identity not in outcome.messages:
            self._hold_deadline(time_left)
            self._queue.send(message)
            outcome.messages[identity] = message
            outcome.counts[f"escalated_{message.reason}"] += 1

    def _hold_deadline(self, time_left: TimeLeft) -> None:
        if time_left() < self._reserve_ms:
            raise DeadlineError("too little time is left for another effect")

    def _settle(
        self, suspects: Sequence[Suspect], current: Image | None, time_left: TimeLeft, outcome: Outcome
    ) -> None:
        for number in range(1, self._attempts + 1):
            self._hold_deadline(time_left)
            settlement = settle(suspects, current, self._policy, self.region)
            self._escalate_all(settlement.decisions, time_left, outcome)
            try:
                stale = self._write(settlement.change, time_left, outcome)
            except ItemError as error:
                self._escalate_all(_unwritten(error, suspects), time_left, outcome)
                _note((decision for decision in settlement.decisions if not isinstance(decision, Repair)), outcome)
                return
            if stale is None:
                _note(settlement.decisions, outcome)
                return
            current = stale.current
            if number < self._attempts:
                self._pause(number)
        raise ContentionError(f"lost {self._attempts} races for one item")

    def _escalate_all(self, decisions: Iterable[Decision], time_left: TimeLeft, outcome: Outcome) -> None:
        for decision in decisions:
            if isinstance(decision, Escalate):
                self.escalate(decision, outcome, time_left)

    def _write(self, change: Change | None, time_left: TimeLeft, outcome: Outcome) -> Stale | None:
        """Make the change, if there is one; return what stood in its way."""
        if change is None:
            return None
        self._hold_deadline(time_left)  # once more: a slow queue may have taken the time
        outcome.counts["attempts"] += 1
        written = self._table.write(change)
        return written if isinstance(written, Stale) else None


def _unwritten(error: ItemError, suspects: Iterable[Suspect]) -> list[Escalate]:
    trouble = Trouble.TOO_LARGE if isinstance(error, TooLargeError) else Trouble.UNSTORABLE
    return [Escalate(trouble, str(error), suspect.record) for suspect in suspects]


def _note(decisions: Iterable[Decision], outcome: Outcome) -> None:
    for decision in decisions:
        match decision:
            case Repair(conflict):
                outcome.counts["repaired"] += 1
                _note_conflict(conflict, outcome, repaired=True)
            case Noop(reason, conflict):
                outcome.counts[f"noop_{reason.value}"] += 1
                if conflict is not None:
                    _note_conflict(conflict, outcome, repaired=False)
            case Escalate():
                pass  # counted when it was sent
            case _:
                assert_never(decision)


def _note_conflict(conflict: Conflict, outcome: Outcome, *, repaired: bool) -> None:
    outcome.conflicts.append((conflict, repaired))
    outcome.counts["lost_writes"] += max(len(conflict.writes), 1)
    outcome.counts[conflict.mode.value] += 1
