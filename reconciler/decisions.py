"""Decisions: what a stream record means, as values with a reason and a witness.

Noop      nothing is to be done; `conflict` is set where something was lost that stays lost by policy
Repair    the overwritten image is joined back; `conflict` is the witness
Escalate  a person, or a later policy, has to settle it; the record's own images are the witness
"""

from dataclasses import dataclass
from enum import Enum

from reconciler.conflict import Conflict, Mode
from reconciler.policy import CAUSALITY
from reconciler.records import StreamRecord


class Fine(Enum):
    """Why nothing is to be done."""

    CREATED = "created"  # an INSERT overwrites nothing
    INCLUDED = "included"  # the new image includes every execution of the old one
    UNCHANGED = "unchanged"  # both images are equal
    ALREADY_REPAIRED = "already_repaired"  # the table's item includes the overwritten image
    SUCCESSOR = "successor"  # plain items: the new one was written over the old one
    UNMANAGED = "unmanaged"  # plain items without a usable Timestamp
    EXPIRED = "expired_tombstone"  # a tombstone past its ExpiresAt
    BEATEN = "lost_to_delete"  # recorded: a delete beat what it had not seen
    HARD_DELETED = "hard_delete"  # recorded: a REMOVE that left no tombstone is accepted
    REPORTED = "foreign_write"  # recorded: a foreign write is reported only, or no longer stands


GUESSED = frozenset({Fine.SUCCESSOR, Fine.UNMANAGED})  # told from two images without a ledger, always


class Trouble(Enum):
    """Why a record is escalated."""

    MALFORMED = "malformed"
    BROKEN_RECORD = "broken_record"
    MERGE_FAILED = "merge_failed"
    UNSTORABLE = "unstorable"  # a sum beyond 38 digits, a set of two types
    TOO_LARGE = "too_large"
    DIVERGED = "diverged_beyond_horizon"
    MANUAL = "manual"
    FOREIGN = "foreign_write"
    HARD_DELETE = "hard_delete"
    LOST_TO_DELETE = "lost_to_delete"


@dataclass(frozen=True, slots=True)
class Noop:
    """Nothing is to be done."""

    reason: Fine
    conflict: Conflict | None = None
    plain: bool = False
    """Whether an image without a ledger had to be judged."""

    @property
    def mode(self) -> Mode:
        """Whether ledgers prove it."""
        if self.conflict is not None:
            return self.conflict.mode
        return Mode.APPROXIMATE if self.plain or self.reason in GUESSED else Mode.EXACT


@dataclass(frozen=True, slots=True)
class Repair:
    """What was overwritten is joined into the item."""

    conflict: Conflict

    @property
    def reason(self) -> str:
        """The kind of conflict."""
        return self.conflict.kind.value

    @property
    def mode(self) -> Mode:
        """Whether ledgers prove it."""
        return self.conflict.mode


@dataclass(frozen=True, slots=True)
class Escalate:
    """The record goes to the poison queue, with both its images."""

    reason: Trouble
    detail: str
    record: StreamRecord

    @property
    def mode(self) -> Mode:
        """Whether ledgers stand behind it: a foreign write has none, whatever `Causality` it left standing."""
        images = [image for image in (self.record.old, self.record.new) if image is not None]
        has_ledgers = bool(images) and all(CAUSALITY in image for image in images)
        return Mode.EXACT if has_ledgers and self.reason is not Trouble.FOREIGN else Mode.APPROXIMATE


Decision = Noop | Repair | Escalate
