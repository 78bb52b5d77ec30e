"""Classify: which stream records may have lost something, told from their two images alone.

    Region A (loser)    v0 -> a1 (local)   then   MODIFY OldImage=a1 NewImage=b1    <- the only complete evidence
    Region B (winner)   v0 -> b1 (local)   nothing more: a1 is rejected on arrival and leaves no record
"""

from dataclasses import dataclass
from decimal import Decimal

from reconciler.codec import causality_of, decode_ledger, expires_at
from reconciler.conflict import Kind
from reconciler.decisions import Escalate, Fine, Noop, Trouble
from reconciler.errors import ItemError
from reconciler.included import included
from reconciler.ledger import Ledger, missing
from reconciler.plain import adoption_included, has_clock, read_plain, succeeds
from reconciler.policy import CAUSALITY, EXPIRES_AT, Policy
from reconciler.records import StreamRecord
from reconciler.stamps import NEVER, ms_of
from reconciler.wire import Image, same

CREATED, INCLUDED, UNCHANGED = Noop(Fine.CREATED), Noop(Fine.INCLUDED), Noop(Fine.UNCHANGED)
SUCCESSOR, UNMANAGED, EXPIRED = Noop(Fine.SUCCESSOR), Noop(Fine.UNMANAGED), Noop(Fine.EXPIRED)


@dataclass(frozen=True, slots=True)
class Suspect:
    """A record whose old image may hold what the table has lost: to be judged against the table's item."""

    kind: Kind
    record: StreamRecord

    @property
    def loser(self) -> Image:
        """The overwritten image."""
        return self.record.old or {}


Verdict = Noop | Suspect | Escalate


def classify(record: StreamRecord, policy: Policy, now_ms: int) -> Verdict:
    """Say whether the record overwrote anything that its new image does not include."""
    try:
        if record.old is None:
            return CREATED
        if record.new is None:
            return _classify_removal(record, record.old, policy, now_ms)
        return _classify_change(record, record.old, record.new, policy, now_ms)
    except ItemError as error:
        return Escalate(Trouble.MALFORMED, str(error), record)


def _classify_change(record: StreamRecord, old: Image, new: Image, policy: Policy, now_ms: int) -> Verdict:
    if CAUSALITY in old and CAUSALITY in new:
        return _compare_ledgers(record, old, new, policy, now_ms)
    if CAUSALITY in old:
        return _compare_with_bare(record, old, new, policy)
    if CAUSALITY in new:
        return _compare_with_adopted(record, old, new, policy)
    if all(same(old.get(name), new.get(name)) for name in old.keys() | new.keys()):
        return UNCHANGED
    match succeeds(read_plain(new), read_plain(old)):
        case None:
            return UNMANAGED
        case True:
            return SUCCESSOR
        case _:
            return Suspect(Kind.OVERWRITTEN, record)


def _compare_ledgers(record: StreamRecord, old: Image, new: Image, policy: Policy, now_ms: int) -> Verdict:
    if included(old, new, policy):
        if old[CAUSALITY] == new[CAUSALITY]:
            return _compare_attributes(record, old, new)
        if old[CAUSALITY]["M"].get("Deleted") == new[CAUSALITY]["M"].get("Deleted"):
            return INCLUDED
        return _compare_lives(record, old, new, policy)
    if _is_expired(old, _ledger(old, policy), policy, record, now_ms):
        return EXPIRED
    return Suspect(Kind.OVERWRITTEN, record)


def _compare_attributes(record: StreamRecord, old: Image, new: Image) -> Verdict:
    """Tell a write that bypassed the writer: the ledger stayed, other attributes changed."""
    if all(same(old.get(name), new.get(name)) for name in old.keys() | new.keys()):
        return UNCHANGED
    return Suspect(Kind.FOREIGN, record)


def _compare_lives(record: StreamRecord, old: Image, new: Image, policy: Policy) -> Verdict:
    """Tell a delete that had seen everything from one that beat what it had not seen."""
    if missing(_ledger(old, policy), _ledger(new, policy)):
        return Suspect(Kind.LOST_TO_DELETE, record)
    return INCLUDED


def _compare_with_bare(record: StreamRecord, old: Image, new: Image, policy: Policy) -> Verdict:
    """Tell a bare PutItem over a ledger from a plain write of another Region that knew no ledger."""
    ledger = _ledger(old, policy)
    return Suspect(Kind.FOREIGN if overtakes(new, old, ledger) else Kind.OVERWRITTEN, record)


def overtakes(new: Image, old: Image, ledger: Ledger) -> bool:
    """Say whether a plain image was written over `old` by someone who saw it, or who keeps no Version at all."""
    if not has_clock(new):
        return True
    plain, before = read_plain(new), read_plain(old)
    return plain.version > ledger.version and (plain.timestamp_ms or 0) >= (before.timestamp_ms or 0)


def _compare_with_adopted(record: StreamRecord, old: Image, new: Image, policy: Policy) -> Verdict:
    ledger, plain = _ledger(new, policy), read_plain(old)
    if adoption_included(plain, ledger):
        return INCLUDED
    return Suspect(Kind.OVERWRITTEN if ledger.life == NEVER else Kind.LOST_TO_DELETE, record)


def _classify_removal(record: StreamRecord, old: Image, policy: Policy, now_ms: int) -> Verdict:
    if CAUSALITY not in old:
        return UNMANAGED if read_plain(old).timestamp_ms is None else Suspect(Kind.HARD_DELETE, record)
    members = old[CAUSALITY].get("M")
    if not isinstance(members, dict) or "Deleted" not in members:
        return Suspect(Kind.HARD_DELETE, record)
    ledger = _ledger(old, policy)
    if _is_expired(old, ledger, policy, record, now_ms):
        return EXPIRED
    return Suspect(Kind.SWEPT if _was_swept(ledger, policy, _time_of(record, now_ms)) else Kind.HARD_DELETE, record)


def _was_swept(ledger: Ledger, policy: Policy, at_ms: int) -> bool:
    """Tell TTL's sweep in another Region: it was meant for the tombstone that this young item re-created."""
    young = [stamp for stamps in ledger.writes.values() for stamp in stamps if stamp > ledger.life]
    return (
        not ledger.is_tombstone
        and ledger.horizon <= ledger.life
        and ms_of(ledger.life) + policy.tombstone_ttl_ms <= at_ms
        and all(at_ms - ms_of(stamp) < policy.window_ms for stamp in young)
    )


def _is_expired(old: Image, ledger: Ledger, policy: Policy, record: StreamRecord, now_ms: int) -> bool:
    """Say whether this is a tombstone past its time: it counts as included in anything."""
    return ledger.is_tombstone and _expiry(old, ledger, policy) * 1000 <= _time_of(record, now_ms)


def _expiry(old: Image, ledger: Ledger, policy: Policy) -> int:
    try:
        return int(Decimal(old[EXPIRES_AT]["N"]))
    except (KeyError, TypeError, ArithmeticError, ValueError):
        return expires_at(ledger.life, policy)


def _time_of(record: StreamRecord, now_ms: int) -> int:
    return now_ms if record.at_ms is None else record.at_ms


def _ledger(image: Image, policy: Policy) -> Ledger:
    return decode_ledger(causality_of(image), policy)
