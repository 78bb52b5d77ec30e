"""Classify: which stream records may have lost something, told from their two images alone.

Region A (loser)    v0 -> a1 (local)   then   MODIFY OldImage=a1 NewImage=b1    <- the only complete evidence
Region B (winner)   v0 -> b1 (local)   nothing more: a1 is rejected on arrival and leaves no record
"""

from dataclasses import dataclass

from reconciler.causality import causality_of, decode_ledger
from reconciler.codec import expires_at
from reconciler.conflict import Kind
from reconciler.decisions import Escalate, Fine, Noop, Trouble
from reconciler.errors import ItemError
from reconciler.included import included
from reconciler.ledger import Ledger, has_missed
from reconciler.plain import adoption_included, has_clock, read_plain, succeeds
from reconciler.policy import CAUSALITY, EXPIRES_AT, LEGACY_PREFIX, Policy
from reconciler.records import StreamRecord
from reconciler.stamps import NEVER, ms_of
from reconciler.wire import Image, members_of, same, whole

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
    match CAUSALITY in old, CAUSALITY in new:
        case True, True:
            return _compare_ledgers(record, old, new, policy, now_ms)
        case True, False:
            return _compare_with_bare(record, old, new, policy, now_ms)
        case False, True:
            return _compare_with_adopted(record, old, new, policy)
        case _:
            return _compare_plain(record, old, new)


def _compare_ledgers(record: StreamRecord, old: Image, new: Image, policy: Policy, now_ms: int) -> Verdict:
    if not included(old, new, policy):
        return _unless_expired(Suspect(Kind.OVERWRITTEN, record), policy, now_ms)
    if same(old[CAUSALITY], new[CAUSALITY]):  # the ledger stayed: what else changed bypassed the writer
        return UNCHANGED if _same_attributes(old, new) else Suspect(Kind.FOREIGN, record)
    if old[CAUSALITY]["M"].get("Deleted") == new[CAUSALITY]["M"].get("Deleted"):
        return INCLUDED
    if has_missed(_ledger(new, policy), _ledger(old, policy)):
        return _unless_expired(Suspect(Kind.LOST_TO_DELETE, record), policy, now_ms)
    return INCLUDED


def _compare_with_bare(record: StreamRecord, old: Image, new: Image, policy: Policy, now_ms: int) -> Verdict:
    """Tell a bare PutItem over a ledger from a plain write of another Region that knew no ledger."""
    kind = Kind.FOREIGN if overtakes(new, old, _ledger(old, policy)) else Kind.OVERWRITTEN
    return _unless_expired(Suspect(kind, record), policy, now_ms)


def _compare_with_adopted(record: StreamRecord, old: Image, new: Image, policy: Policy) -> Verdict:
    ledger = _ledger(new, policy)
    if adoption_included(read_plain(old), ledger):
        return Noop(Fine.INCLUDED, plain=True)
    return Suspect(Kind.OVERWRITTEN if ledger.life == NEVER else Kind.LOST_TO_DELETE, record)


def _compare_plain(record: StreamRecord, old: Image, new: Image) -> Verdict:
    if _same_attributes(old, new):
        return Noop(Fine.UNCHANGED, plain=True)
    match succeeds(read_plain(new), read_plain(old)):
        case None:
            return UNMANAGED
        case True:
            return SUCCESSOR
        case _:
            return Suspect(Kind.OVERWRITTEN, record)


def overtakes(new: Image, old: Image, ledger: Ledger) -> bool:
    """Say whether a plain image was written over `old` by someone who saw it, or who keeps no Version at all.

    The same Version and key are the very item, put back without its ledger: adopted beside it, it would count twice.
    """
    if not has_clock(new):
        return True
    plain, before = read_plain(new), read_plain(old)
    is_same = (plain.version, plain.idempotency_key) == (ledger.version, before.idempotency_key)
    return (plain.version > ledger.version or is_same) and (plain.timestamp_ms or 0) >= (before.timestamp_ms or 0)


def _classify_removal(record: StreamRecord, old: Image, policy: Policy, now_ms: int) -> Verdict:
    if CAUSALITY not in old:
        return UNMANAGED if read_plain(old).timestamp_ms is None else Suspect(Kind.HARD_DELETE, record)
    if "Deleted" not in (members_of(old[CAUSALITY]) or ()):
        return Suspect(Kind.HARD_DELETE, record)
    swept = _was_swept(_ledger(old, policy), policy, _time_of(record, now_ms))
    return _unless_expired(Suspect(Kind.SWEPT if swept else Kind.HARD_DELETE, record), policy, now_ms)


def _was_swept(ledger: Ledger, policy: Policy, at_ms: int) -> bool:
    """Tell TTL's sweep in another Region: it was meant for the tombstone that this young item re-created."""
    young = [stamp for stamps in ledger.writes.values() for stamp in stamps if stamp > ledger.life]
    return (
        not ledger.is_tombstone
        and ledger.horizon <= ledger.life
        and ms_of(ledger.life) + policy.tombstone_ttl_ms <= at_ms
        and all(at_ms - ms_of(stamp) < policy.window_ms for stamp in young)
    )


def _unless_expired(suspect: Suspect, policy: Policy, now_ms: int) -> Verdict:
    """Return the suspect, but for a tombstone past its time: that counts as included in anything."""
    old = suspect.loser
    if EXPIRES_AT not in old and "Deleted" not in (members_of(old[CAUSALITY]) or ()):
        return suspect
    ledger = _ledger(old, policy)
    if ledger.is_tombstone and _expiry(old, ledger, policy) * 1000 <= _time_of(suspect.record, now_ms):
        return EXPIRED
    return suspect


def _expiry(old: Image, ledger: Ledger, policy: Policy) -> int:
    seconds = whole(old.get(EXPIRES_AT))
    return expires_at(ledger.life, policy) if seconds is None else seconds


def _time_of(record: StreamRecord, now_ms: int) -> int:
    return now_ms if record.at_ms is None else record.at_ms


def _same_attributes(old: Image, new: Image) -> bool:
    """Say whether nothing changed, but for what an upgraded 2017 table's own replication may have left there."""
    names = (name for name in old.keys() | new.keys() if not name.startswith(LEGACY_PREFIX))
    return all(same(old.get(name), new.get(name)) for name in names)


def _ledger(image: Image, policy: Policy) -> Ledger:
    return decode_ledger(causality_of(image), policy)
