"""The worker: a batch of stream records in, what could not be done out.

    records -> sift, on the wire -> classify -> suspects by key -> settle against the newest image -> effects

Effects of one key, in this order, each of which may be repeated without harm:

    1. poison messages   first: after the repair nobody could tell any more that there was something to escalate
    2. the repair        one conditional write; where it fails, the item that came back is judged afresh
    3. the record of it  best effort

A record that cannot be finished is reported as failed: Lambda resumes at the lowest and delivers all after it again
(https://docs.aws.amazon.com/lambda/latest/dg/services-ddb-batchfailurereporting.html).
"""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

from reconciler.classify import Suspect, classify
from reconciler.decisions import Escalate, Noop, Trouble
from reconciler.effects import Effects, Outcome
from reconciler.errors import ConfigurationError, ItemError, TransientError
from reconciler.included import sift
from reconciler.poison import PoisonMessage
from reconciler.policy import Policy
from reconciler.ports import Clock, Recorder, TimeLeft
from reconciler.records import (
    KeyId,
    RawRecord,
    SequenceNumber,
    key_id,
    parse_record,
    refuse_misconfiguration,
    sequence_number_of,
)
from reconciler.stamps import TICK, TICKS_PER_MS
from reconciler.wire import Image

EachKey = Callable[[Callable[[KeyId], Outcome], Iterable[KeyId]], Iterable[Outcome]]
"""Like `map`: one key after another, or several at a time."""


@dataclass(frozen=True, slots=True)
class BatchReport:
    """What a batch came to: `failures` are to be delivered again, `counts` are for metrics and the log."""

    records: int
    failures: tuple[SequenceNumber, ...]
    counts: Mapping[str, int]


class Worker:
    """Guards what one Region's replica forgets."""

    def __init__(
        self, policy: Policy, effects: Effects, recorder: Recorder, *, clock: Clock, each_key: EachKey = map
    ) -> None:
        """Work by `policy`; `each_key` runs keys one after another (`map`), or several at a time."""
        self._policy = policy
        self._effects = effects
        self._recorder = recorder
        self._clock = clock
        self._each_key = each_key

    def process(self, records: Sequence[RawRecord], time_left: TimeLeft) -> BatchReport:
        """Undo what the records show to be lost. ConfigurationError where every record would share a fault.

        The same batch again, whole or in part, changes nothing more.
        """
        refuse_misconfiguration(records, self._policy)
        now_ms = self._clock()
        suspicious, skewed = sift(records, _newest_allowed(now_ms, self._policy))
        first = Outcome(Counter(skewed_items=skewed))
        by_key = self._classify(suspicious, now_ms, time_left, first)
        newest = self._newest_images(records, by_key)

        def carry_out(key: KeyId) -> Outcome:
            return self._effects.carry_out(by_key[key], newest[key], time_left)

        return self._report(len(records), [first, *self._each_key(carry_out, by_key)])

    def _classify(
        self, suspicious: Sequence[RawRecord], now_ms: int, time_left: TimeLeft, outcome: Outcome
    ) -> dict[KeyId, list[Suspect]]:
        """Return the suspects by key, in stream order; what cannot be read is escalated at once."""
        by_key: dict[KeyId, list[Suspect]] = {}
        for raw in suspicious:
            try:
                suspect = self._classify_one(raw, now_ms, time_left, outcome)
            except ConfigurationError:
                raise
            except Exception as fault:  # noqa: BLE001 - whatever happens to one record, it is delivered again
                outcome.fail([sequence_number_of(raw)], fault)
                continue
            if suspect:
                by_key.setdefault(key_id(suspect.record.key, self._policy.key_names), []).append(suspect)
        return by_key

    def _classify_one(self, raw: RawRecord, now_ms: int, time_left: TimeLeft, outcome: Outcome) -> Suspect | None:
        try:
            record = parse_record(raw)
        except ItemError as error:
            self._effects.send(self._broken(raw, error), outcome, time_left)
            return None
        match classify(record, self._policy, now_ms):
            case Noop(reason):
                outcome.counts[f"noop_{reason.value}"] += 1
                return None
            case Escalate() as escalation:
                self._effects.escalate(escalation, outcome, time_left)
                return None
            case suspect:
                return suspect

    def _broken(self, raw: RawRecord, error: ItemError) -> PoisonMessage:
        """Return a record that is no record, whole."""
        return PoisonMessage(
            reason=Trouble.BROKEN_RECORD.value,
            detail=str(error),
            region=self._effects.region,
            table=self._policy.name,
            key={},
            sequence_number=sequence_number_of(raw),
            old_image=None,
            new_image=None,
            record=raw,
        )

    def _newest_images(self, records: Sequence[RawRecord], keys: Iterable[KeyId]) -> dict[KeyId, Image | None]:
        """Return each key's newest image in the batch; None where that record removed it."""
        wanted, newest = set(keys), {}
        for raw in reversed(records):
            if not wanted:
                break
            try:
                identity = key_id(raw["dynamodb"]["Keys"], self._policy.key_names)
                if identity not in wanted:
                    continue
                record = parse_record(raw)
            except (KeyError, TypeError, AttributeError, ItemError):
                continue  # broken: what it says of its key is nothing to start from
            wanted.discard(identity)
            newest[identity] = record.new
        return newest

    def _report(self, records: int, outcomes: Sequence[Outcome]) -> BatchReport:
        counts: Counter[str] = Counter()
        for outcome in outcomes:
            for name, count in outcome.counts.items():
                counts[name] += count
            counts["unrecorded"] += self._record(outcome)
        failures = tuple(dict.fromkeys(number for outcome in outcomes for number in outcome.failures))
        if "" in failures:
            raise TransientError("a record without a sequence number has failed: the whole batch has to come again")
        return BatchReport(records, failures, +counts)

    def _record(self, outcome: Outcome) -> int:
        """Tell of what happened; return how often the telling failed, which masks nothing."""
        tellings: list[Callable[[], None]] = [
            *(
                partial(self._recorder.conflict, conflict, repaired=repaired)
                for conflict, repaired in outcome.conflicts
            ),
            *(partial(self._recorder.poisoned, message) for message in outcome.messages.values()),
        ]
        if outcome.fault is not None:
            tellings.append(partial(self._recorder.failed, outcome.failures, outcome.fault))
        failed = 0
        for tell in tellings:
            try:
                tell()
            except Exception:  # noqa: BLE001 - recording is best effort: counted, and never in the way
                failed += 1
        return failed


def _newest_allowed(now_ms: int, policy: Policy) -> str:
    """Return the text of the greatest stamp that is no sign of a skewed clock."""
    return str((now_ms + policy.max_clock_skew_ms + 1) * TICKS_PER_MS * TICK)
