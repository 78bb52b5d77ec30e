"""Seen: what one record shows and what the worker decided about it, small enough to keep a hundred thousand."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum

from reconciler.conflict import Kind as ConflictKind
from reconciler.conflict import Mode
from reconciler.decisions import Escalate, Fine, Noop, Repair, Trouble
from reconciler.policy import CAUSALITY, LEGACY_PREFIX, Policy
from reconciler.wire import Image, members_of
from replay_tools.replay import Judged

OVERWRITING = frozenset({ConflictKind.OVERWRITTEN, ConflictKind.LOST_TO_DELETE, ConflictKind.SWEPT})
UNSETTLED_LOSSES = frozenset(
    {
        Trouble.MERGE_FAILED,
        Trouble.UNSTORABLE,
        Trouble.TOO_LARGE,
        Trouble.DIVERGED,
        Trouble.MANUAL,
        Trouble.LOST_TO_DELETE,
    }
)


class Finding(Enum):
    """What a record proves about the version that it replaced."""

    NOTHING = "nothing"
    OVERWROTE = "overwrote"  # the replaced version was never seen by who wrote the new one
    REPEATED = "repeated"  # the same, but all it held was another execution of a write that is there
    ATTENTION = "attention"  # the writer was bypassed, or the record cannot be read


@dataclass(frozen=True, slots=True)
class Seen:
    """One record of one Region's recording."""

    region: str
    key: str
    """The key, as a person reads it."""
    at_ms: int
    sequence_number: str
    before: str | None
    """What tells the replaced version from others; None where there was none."""
    after: str | None
    has_ledger: bool
    added: frozenset[str]
    """Stamps of the executions that the new version includes and the replaced one does not."""
    dropped: frozenset[str]
    changed: tuple[str, ...]
    written_in: str | None
    """The Region that a version without a ledger names as its own."""
    finding: Finding
    lost: tuple[str, ...]
    """Attributes whose overwritten value the winner does not hold."""
    decisions: tuple[tuple[str, str], ...]
    """Decision and reason, each as `explain` names them."""
    mode: str
    says: tuple[str, ...]
    content: str
    """Both versions as text for people, in JSON."""


def finding_of(judged: Judged) -> Finding:
    """Return what the decisions say of the replaced version."""
    conflicts = [each.conflict for each in judged.decisions if isinstance(each, Noop | Repair) and each.conflict]
    troubles = [each.reason for each in judged.decisions if isinstance(each, Escalate)]
    if UNSETTLED_LOSSES.intersection(troubles):
        return Finding.OVERWROTE
    if any(conflict.kind in OVERWRITING for conflict in conflicts):
        is_repetition = all(not conflict.writes and conflict.mode is Mode.EXACT for conflict in conflicts)
        return Finding.REPEATED if is_repetition and not troubles else Finding.OVERWROTE
    if any(isinstance(each, Noop) and each.reason is Fine.ALREADY_REPAIRED for each in judged.decisions):
        return Finding.OVERWROTE
    return Finding.ATTENTION if conflicts or troubles or judged.fault else Finding.NOTHING


def executions(image: Image | None) -> frozenset[str]:
    """Return the stamps that an image's ledger names, as text; none where it cannot be read."""
    causality = members_of((image or {}).get(CAUSALITY)) or {}
    writes = members_of(causality.get("Writes")) or {}
    stamps: set[str] = set()
    for value in writes.values():
        named = value.get("NS") if isinstance(value, Mapping) else None
        stamps.update(stamp for stamp in named or () if isinstance(stamp, str))
    return frozenset(stamps)


def changed_names(old: Image | None, new: Image | None, policy: Policy) -> tuple[str, ...]:
    """Return the attributes that differ, without the writer's own bookkeeping."""
    ours, theirs = old or {}, new or {}
    hidden = policy.reserved if CAUSALITY in ours or CAUSALITY in theirs else frozenset(policy.key_names)
    names = (name for name in ours.keys() | theirs.keys() if ours.get(name) != theirs.get(name))
    return tuple(sorted(name for name in names if name not in hidden and not name.startswith(LEGACY_PREFIX)))
