"""The ledger: which executions an item includes, and what one ledger can say of another.

A version vector would be wrong: a replica forgets its own writes, so "A: 5" no longer means "A's first five".
The ledger names every execution newer than the horizon, and keeps a count and a sum of the rest:

        folded: count, sum          named: write id -> stamps
    ------------------------- horizon ------------------------->  stamps

Two ledgers with the same horizon, count and sum hold the same old executions, up to a collision in 96 bits.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from reconciler.stamps import NEVER, Stamp, WriteId, id_number

SUM_MODULUS = 1 << 96
Writes = Mapping[WriteId, frozenset[Stamp]]


@dataclass(frozen=True, slots=True)
class Ledger:
    """The executions of one life of an item."""

    life: Stamp = NEVER
    horizon: Stamp = NEVER
    count: int = 0
    sum: int = 0
    writes: Writes = field(default_factory=dict)

    @property
    def version(self) -> int:
        """How many executions the item includes."""
        return self.count + sum(map(len, self.writes.values()))

    @property
    def newest(self) -> Stamp:
        """The greatest stamp that the ledger knows of."""
        return max((stamp for stamps in self.writes.values() for stamp in stamps), default=self.horizon)

    @property
    def mark(self) -> int:
        """A number of all that the ledger includes, folded or not: two that differ have it in common by chance only."""
        named = sum(id_number(identity) + stamp for identity, stamps in self.writes.items() for stamp in stamps)
        return (self.sum + named) % SUM_MODULUS

    @property
    def folded(self) -> tuple[Stamp, int, int]:
        """What is anonymous, as one value."""
        return self.horizon, self.count, self.sum

    @property
    def is_tombstone(self) -> bool:
        """Whether nothing was executed since the delete that began this life."""
        return self.life > NEVER and max(self.newest, self.horizon) <= self.life

    def knows(self, stamp: Stamp, named: frozenset[Stamp]) -> bool:
        """Say whether this side has seen the execution; `named` is `stamps_of` its writes."""
        return stamp <= self.horizon or stamp in named

    def stamps(self) -> frozenset[Stamp]:
        """Return the stamps of every named execution."""
        return frozenset().union(*self.writes.values())


def above(writes: Writes, horizon: Stamp) -> dict[WriteId, frozenset[Stamp]]:
    """Return what the ledger names after the horizon."""
    if horizon < min(map(min, writes.values()), default=horizon):
        return dict(writes)  # nothing lies before it
    return {
        identity: later
        for identity, stamps in writes.items()
        if (later := frozenset(stamp for stamp in stamps if stamp > horizon))
    }


def fold(ledger: Ledger, horizon: Stamp) -> Ledger:
    """Make every execution at or before the horizon anonymous."""
    if horizon <= ledger.horizon:
        return ledger
    gone = [(identity, stamp) for identity, stamps in ledger.writes.items() for stamp in stamps if stamp <= horizon]
    total = ledger.sum + sum(id_number(identity) + stamp for identity, stamp in gone)
    return Ledger(ledger.life, horizon, ledger.count + len(gone), total % SUM_MODULUS, above(ledger.writes, horizon))


def is_subset(old: Writes, new: Writes) -> bool:
    """Say whether every named execution of `old` is named by `new`."""
    return all(stamps <= new.get(identity, frozenset()) for identity, stamps in old.items())


def includes(new: Ledger, old: Ledger) -> bool | None:
    """Say whether every execution in `old` is in `new`; None where the horizon hides it.

    An older life is included (what the delete beat is reported apart), a newer one is not.
    """
    return old.life < new.life if old.life != new.life else has_seen(new, old)


def has_seen(new: Ledger, old: Ledger) -> bool | None:
    """Say whether `new` knows every execution in `old`, in whatever life; None where the horizon hides it."""
    if old.folded != new.folded:
        horizon = max(old.horizon, new.horizon)
        old, new = fold(old, horizon), fold(new, horizon)
        if old.folded != new.folded:
            return None
    return is_subset(old.writes, new.writes)


def has_missed(new: Ledger, old: Ledger) -> bool:
    """Say whether a delete that left `new` behind beat writes that it had not seen: named ones, or hidden ones."""
    return bool(missing(old, new)) or has_seen(new, old) is None


def missing(old: Ledger, new: Ledger) -> tuple[WriteId, ...]:
    """Return the writes that `old` names and `new` has not, nor can have folded, sorted."""
    return tuple(sorted(identity for identity in above(old.writes, new.horizon) if identity not in new.writes))


def merge_writes(left: Writes, right: Writes) -> dict[WriteId, frozenset[Stamp]]:
    """Return the union of two ledgers' executions."""
    merged = {**left, **right}
    for identity in left.keys() & right.keys():
        merged[identity] = left[identity] | right[identity]
    return merged
