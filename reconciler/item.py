"""An item as the algebra sees it: a ledger, the newest write, and content by policy.

    kind of attribute             state
    latest, manual                registers: stamp and value (None = removed)
    counter                       bases (folded) + deltas by write id
    set                           dots: element -> stamps of the executions that added it
    max, min, union, rank, custom values

Names are paths where the policy says `map`. Everything is kept in canonical wire form.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import NamedTuple

from reconciler.ledger import Ledger, fold
from reconciler.stamps import NEVER, Stamp, WriteId
from reconciler.wire import EXACT, Image, Value, canonical_text

ZERO = Decimal(0)
Deltas = Mapping[str, Mapping[WriteId, Decimal]]
Dots = Mapping[str, Mapping[str, frozenset[Stamp]]]


class Register(NamedTuple):
    """A value and when it was written; None where it was removed."""

    stamp: Stamp
    value: Value | None


class Newest(NamedTuple):
    """The write with the greatest value stamp: one register, ordered by (stamp, key, Region)."""

    stamp: Stamp = NEVER
    idempotency_key: str = ""
    region: str = ""


NO_WRITE = Newest()
Past = tuple[Stamp, int, int, tuple[tuple[str, Decimal], ...]]


@dataclass(frozen=True, slots=True)
class Item:
    """One item's whole state; equal states are equal values: every counter has a base, and nothing listed is empty."""

    key: Image
    ledger: Ledger = field(default_factory=Ledger)
    newest: Newest = NO_WRITE
    registers: Mapping[str, Register] = field(default_factory=dict)
    values: Mapping[str, Value] = field(default_factory=dict)
    bases: Mapping[str, Decimal] = field(default_factory=dict)
    deltas: Deltas = field(default_factory=dict)
    dots: Dots = field(default_factory=dict)

    @property
    def past(self) -> Past:
        """What is anonymous, with the counters' bases: one value, of which the greater side wins whole."""
        return (*self.ledger.folded, tuple(sorted((name, base) for name, base in self.bases.items() if base)))

    @property
    def newest_stamp(self) -> Stamp:
        """The greatest stamp anywhere in the item: ledger, value stamps, horizon and life."""
        return max(
            self.ledger.newest,
            self.ledger.horizon,
            self.ledger.life,
            self.newest.stamp,
            max((register.stamp for register in self.registers.values()), default=NEVER),
        )

    def total(self, name: str) -> Decimal:
        """Return what a counter stands at."""
        return sum_exactly(self.bases[name], self.deltas.get(name, {}))


def sum_exactly(base: Decimal, deltas: Mapping[WriteId, Decimal]) -> Decimal:
    """Return base + deltas without rounding, in any order."""
    for delta in deltas.values():
        base = EXACT.add(base, delta)
    return base


def register_order(register: Register) -> tuple[Stamp, str]:
    """Order registers by stamp, then by canonical value, absent lowest."""
    return register.stamp, "" if register.value is None else canonical_text(register.value)


def fold_item(item: Item, horizon: Stamp) -> Item:
    """Make every execution at or before the horizon anonymous.

    A delta moves into its counter's base with its id's last execution; dots keep their stamps.
    """
    if horizon <= item.ledger.horizon:
        return item
    ledger = fold(item.ledger, horizon)
    bases = dict(item.bases)
    for name, deltas in item.deltas.items():
        folded = {identity: delta for identity, delta in deltas.items() if identity not in ledger.writes}
        bases[name] = sum_exactly(bases[name], folded)
    return replace(item, ledger=ledger, bases=bases, deltas=named_deltas(item.deltas, ledger.writes))


def named_deltas(deltas: Deltas, writes: Mapping[WriteId, frozenset[Stamp]]) -> dict[str, dict[WriteId, Decimal]]:
    """Return the deltas whose id is still named."""
    return {
        name: named
        for name, by_id in deltas.items()
        if (named := {identity: delta for identity, delta in by_id.items() if identity in writes})
    }


def end_life(item: Item, stamp: Stamp) -> Item:
    """End this life: the content goes, the ledger goes on, so that a retry of what was deleted stays a duplicate."""
    return Item(item.key, replace(item.ledger, life=stamp))
