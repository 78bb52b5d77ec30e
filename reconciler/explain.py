"""Explain: a decision as data, and the data as one English sentence.

    explain(decision, record, policy, region)  ->  what happened, to which attributes, and the witness
    sentence(that)                             ->  the same, for a person who never saw a conflict

Both hold the item's values: they are for whoever asks at a terminal, never for a log.
"""

from collections.abc import Mapping
from typing import Any, assert_never

from reconciler.causality import causality_of, decode_ledger
from reconciler.conflict import Conflict, Kind, Mode
from reconciler.decisions import Decision, Escalate, Fine, Noop, Repair
from reconciler.errors import ItemError
from reconciler.ledger import Ledger, missing
from reconciler.plain import is_plain, read_plain
from reconciler.policy import Policy, flatten
from reconciler.records import StreamRecord
from reconciler.sentences import sentence
from reconciler.wire import Image, Value, canonical_image, plain, same

__all__ = ["explain", "sentence"]

Explanation = dict[str, Any]

RESTORED, MERGED, SUPERSEDED = "restored", "merged", "superseded"
WITNESSED = frozenset({Fine.INCLUDED, Fine.ALREADY_REPAIRED})


def explain(decision: Decision, record: StreamRecord, policy: Policy, region: str) -> Explanation:
    """Return what was decided and why, values as boto3's resources give them.

    Always ``decision, reason, mode, region, table, key, sequence_number``; where something was overwritten also
    ``conflict, kind, writes, now_deleted, attributes: [{name, policy, fate, overwritten, winner, now}]``, each value
    left out where absent; of a witnessed no-op ``witness: {executions, included}``, those of
    the old image and how many of them the new one has; of an escalation ``detail, old_image, new_image``, both in wire
    form, as malformed as they came.
    """
    head = _head(decision, record, policy, region)
    match decision:
        case Noop(reason, conflict):
            return head | (_conflict(conflict, policy) if conflict else _witness(reason, record, policy))
        case Repair(conflict):
            return head | _conflict(conflict, policy)
        case Escalate():
            return head | {"detail": decision.detail, "old_image": record.old, "new_image": record.new}
        case _:
            assert_never(decision)


def _head(decision: Decision, record: StreamRecord, policy: Policy, region: str) -> Explanation:
    images = [image for image in (record.old, record.new) if image is not None]
    reason = decision.reason
    return {
        "decision": type(decision).__name__.lower(),
        "reason": reason if isinstance(reason, str) else reason.value,
        "mode": (Mode.APPROXIMATE if any(map(is_plain, images)) else decision.mode).value,
        "region": region,
        "table": policy.name,
        "key": {name: _plain(value) for name, value in record.key.items()},
        "sequence_number": record.sequence_number,
    }


def _conflict(conflict: Conflict, policy: Policy) -> Explanation:
    leaves = [_leaves(image, policy) for image in (conflict.loser, conflict.winner, conflict.merged)]
    added = leaves[1].keys() - leaves[0].keys() if conflict.kind is Kind.FOREIGN else ()
    paths = sorted({*conflict.overwritten, *conflict.lost, *added})
    return {
        "mode": conflict.mode.value,
        "conflict": conflict.id,
        "kind": conflict.kind.value,
        "writes": list(conflict.writes),
        "now_deleted": _is_tombstone(conflict.merged, policy),
        "attributes": [_attribute(path, policy, *(side.get(path) for side in leaves)) for path in paths],
    }


def _attribute(path: str, policy: Policy, loser: Value | None, winner: Value | None, now: Value | None) -> Explanation:
    fate = RESTORED if same(loser, now) else SUPERSEDED if now is None or same(winner, now) else MERGED
    values = {"overwritten": loser, "winner": winner, "now": now}
    told = {name: _plain(value) for name, value in values.items() if value is not None}
    return {"name": path, "policy": policy.of(path).kind.value, "fate": fate, **told}


def _witness(reason: Fine, record: StreamRecord, policy: Policy) -> Explanation:
    """Return how many executions the old image has, and how many of them the new one has too."""
    if reason not in WITNESSED or record.old is None:
        return {}
    executions, unseen = _executions(record.old, policy), 0
    if not is_plain(record.old):
        seen = Ledger() if record.new is None or is_plain(record.new) else _ledger(record.new, policy)
        unseen = len(missing(_ledger(record.old, policy), seen))
    return {"witness": {"executions": executions, "included": executions - unseen}}


def _executions(image: Image, policy: Policy) -> int:
    return read_plain(image).version if is_plain(image) else _ledger(image, policy).version


def _ledger(image: Image, policy: Policy) -> Ledger:
    return decode_ledger(causality_of(image), policy)


def _is_tombstone(image: Image | None, policy: Policy) -> bool:
    return image is not None and not is_plain(image) and _ledger(image, policy).is_tombstone


def _leaves(image: Image | None, policy: Policy) -> Mapping[str, Value]:
    try:
        return dict(flatten(canonical_image(image or {}), policy))
    except (ItemError, ValueError):
        return {name: value for name, value in (image or {}).items() if policy.is_users(name)}


def _plain(value: Value) -> Any:  # noqa: ANN401 - any Python value
    """Return the value as boto3's resources give it; as it came, where it is no value."""
    try:
        return plain(value)
    except (AttributeError, ArithmeticError, TypeError, ValueError):
        return value
