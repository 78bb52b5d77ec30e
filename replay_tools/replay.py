"""Replay: recorded stream records through the real worker, one by one, and what it decides about each.

record -> Worker (classify -> settle -> effects) -> decisions
             |                       |
             the policy file         a RecordedTable (read-only), or the real table and queue
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from reconciler.classify import classify
from reconciler.conflict import Conflict
from reconciler.conflict import Kind as ConflictKind
from reconciler.decisions import Decision, Escalate, Fine, Noop, Repair, Trouble
from reconciler.effects import Effects
from reconciler.errors import ConfigurationError, ItemError, ReconcilerError
from reconciler.explain import Explanation, explain, sentence
from reconciler.poison import PoisonMessage
from reconciler.policy import Policy
from reconciler.ports import Clock
from reconciler.records import RawRecord, StreamRecord, parse_record, refuse_misconfiguration, sequence_number_of
from reconciler.wire import plain_image
from reconciler.worker import Worker
from replay_tools.recorded_table import RecordedTable
from replay_tools.recordings import Recorded

UNLIMITED_MS = 900_000

RECORDED = {
    ConflictKind.LOST_TO_DELETE: Fine.BEATEN,
    ConflictKind.HARD_DELETE: Fine.HARD_DELETED,
    ConflictKind.FOREIGN: Fine.REPORTED,
}


@dataclass(frozen=True, slots=True)
class Judged:
    """One record, where it stands, and what was decided about it; `fault` where nothing could be."""

    place: str
    record: StreamRecord
    decisions: tuple[Decision, ...]
    fault: str = ""

    @property
    def is_settled(self) -> bool:
        """Whether nothing is left for a person or a later attempt."""
        return not self.fault and not any(isinstance(decision, Escalate) for decision in self.decisions)


@dataclass(slots=True)
class _Ear:
    """A recorder that keeps what the worker tells of one record."""

    conflicts: list[tuple[Conflict, bool]] = field(default_factory=list)
    messages: list[PoisonMessage] = field(default_factory=list)
    fault: str = ""

    def conflict(self, conflict: Conflict, *, repaired: bool) -> None:
        self.conflicts.append((conflict, repaired))

    def poisoned(self, message: PoisonMessage) -> None:
        self.messages.append(message)

    def failed(self, sequence_numbers: Sequence[str], fault: BaseException) -> None:
        del sequence_numbers  # there is only one
        self.fault = str(fault) if isinstance(fault, ReconcilerError) else type(fault).__name__

    def decisions(self, record: StreamRecord, counts: Counter[str]) -> Iterator[Decision]:
        """Yield what the worker decided, as values."""
        for conflict, repaired in self.conflicts:
            if repaired:
                yield Repair(conflict)
            else:
                yield Noop(RECORDED[conflict.kind], conflict)
                counts[f"noop_{RECORDED[conflict.kind].value}"] -= 1
        for reason in Fine:
            if counts[f"noop_{reason.value}"] > 0:
                yield Noop(reason)
        for message in self.messages:
            yield Escalate(Trouble(message.reason), message.detail, record)


class Replay:
    """Judges records by a policy, through `effects` on a real table, or on the table that the recording shows."""

    def __init__(self, policy: Policy, effects: Effects, clock: Clock, recorded: RecordedTable | None = None) -> None:
        """Judge as the worker would; `recorded` is what `effects` writes to, where that is no real table."""
        self._policy = policy
        self._effects = effects
        self._clock = clock
        self._recorded = recorded

    @property
    def region(self) -> str:
        """The Region whose replica is guarded."""
        return self._effects.region

    def judge_all(self, recording: Iterable[Recorded]) -> Iterator[Judged]:
        """Judge one record after another; ConfigurationError where they do not fit the policy at all."""
        for place, raw in recording:
            yield self.judge(place, raw)

    def judge(self, place: str, raw: RawRecord) -> Judged:
        """Judge one record, as a batch of one."""
        refuse_misconfiguration([raw], self._policy)
        try:
            record, is_broken = parse_record(raw), False
        except ItemError:
            record, is_broken = StreamRecord("", {}, None, None, sequence_number_of(raw), None), True
        repair = self._recorded.show(record) if self._recorded and not is_broken else None
        ear = _Ear()
        worker = Worker(self._policy, self._effects, ear, clock=self._clock)
        report = worker.process([raw], lambda: UNLIMITED_MS)
        decisions = tuple(ear.decisions(record, Counter(report.counts)))
        if repair and self._recorded:
            self._recorded.rejoin(repair, record)
        return Judged(place, record, decisions or self._sifted(record, ear), ear.fault)

    def _sifted(self, record: StreamRecord, ear: _Ear) -> tuple[Decision, ...]:
        """Return what the worker saw at first sight: that nothing was lost."""
        if ear.fault:
            return ()
        verdict = classify(record, self._policy, self._clock())
        return (verdict,) if isinstance(verdict, Noop) else ()


def region_of(first: Recorded, policy: Policy) -> str:
    """Return the Region that the record names; ConfigurationError where that is none of the policy's."""
    region = first.raw.get("awsRegion")
    if region not in policy.regions:
        raise ConfigurationError(
            f"{first.place}: its Region {region!r} is not among the policy's {list(policy.regions)}; name the Region"
        )
    return str(region)


def explanations(judged: Judged, policy: Policy, region: str) -> Iterator[Explanation]:
    """Yield what was decided about a record as data, with its place."""
    for decision in judged.decisions:
        yield {"place": judged.place, **explain(decision, judged.record, policy, region)}
    if judged.fault:
        key = plain_image(judged.record.key)
        yield {"place": judged.place, "decision": "failed", "reason": "fault", "key": key, "detail": judged.fault}


def told_as_sentence(told: Explanation) -> str:
    """Return one of `explanations` as a sentence."""
    return f"The record is to be tried again: {told['detail']}." if told["decision"] == "failed" else sentence(told)
