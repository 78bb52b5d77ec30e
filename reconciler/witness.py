"""Witness: the conflict that a record shows, told from its two images and from what they became."""

from collections.abc import Mapping

from reconciler.causality import causality_of, decode_ledger
from reconciler.conflict import Conflict, Kind, Mode
from reconciler.errors import ItemError
from reconciler.included import unseen_at_first_sight
from reconciler.ledger import Ledger, missing
from reconciler.plain import adoption_included, is_plain, read_plain
from reconciler.policy import Policy, flatten
from reconciler.records import StreamRecord
from reconciler.stamps import WriteId
from reconciler.wire import Image, Value, same


def conflict_of(  # noqa: PLR0913 - who, what, to whom, and by whose rules
    kind: Kind,
    record: StreamRecord,
    merged: Image | None,
    policy: Policy,
    region: str,
    *,
    beaten_by: Image | None = None,
) -> Conflict:
    """Return what the record's old image lost, to whom, and what it became.

    `beaten_by` is the image whose delete beat it, where that is not the record's own new image.
    """
    loser = record.old or {}
    winner = record.new
    return Conflict(
        kind=kind,
        mode=_mode(kind, loser, winner),
        region=region,
        table=policy.name,
        key=record.key,
        sequence_number=record.sequence_number,
        loser=loser,
        winner=winner,
        merged=merged,
        writes=_unseen(loser, winner if beaten_by is None else beaten_by, policy),
        overwritten=_differing(loser, winner or {}, policy),
        lost=_differing(loser, merged or {}, policy),
        at_ms=record.at_ms,
    )


def _mode(kind: Kind, loser: Image, winner: Image | None) -> Mode:
    """Only two ledgers prove anything; a foreign write has none, whatever `Causality` it left standing."""
    exact = not is_plain(loser) and (winner is None or not is_plain(winner)) and kind is not Kind.FOREIGN
    return Mode.EXACT if exact else Mode.APPROXIMATE


def _unseen(loser: Image, rival: Image | None, policy: Policy) -> tuple[WriteId, ...]:
    """Return the loser's writes that the rival has never seen; none where they cannot be read, nor need be."""
    if rival is not None and (apart := unseen_at_first_sight(loser, rival)) is not None:
        return tuple(sorted(map(WriteId, apart)))
    try:
        seen = Ledger() if rival is None or is_plain(rival) else decode_ledger(causality_of(rival), policy)
        if not is_plain(loser):
            return missing(decode_ledger(causality_of(loser), policy), seen)
        plain = read_plain(loser)
        return () if adoption_included(plain, seen) else (plain.id,)
    except ItemError:
        return ()


def _leaves(image: Image, policy: Policy) -> Mapping[str, Value]:
    try:
        return dict(flatten(image, policy))
    except ItemError:
        return {name: value for name, value in image.items() if policy.is_users(name)}


def _differing(before: Image, after: Image, policy: Policy) -> tuple[str, ...]:
    """Return the paths that stand otherwise in `after`, or no longer; most attributes are equal at first sight."""
    suspects = {
        name: value for name, value in before.items() if name not in policy.reserved and value != after.get(name)
    }
    rivals = _leaves({name: after[name] for name in suspects if name in after}, policy)
    return tuple(sorted(path for path, value in _leaves(suspects, policy).items() if not same(value, rivals.get(path))))
