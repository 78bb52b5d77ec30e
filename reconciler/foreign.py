"""Foreign writes: someone changed an item without the writer, so the ledger does not know it.

Two images carry no order between them; nothing here can be exact.
Adopting gives the changed registers an id and a stamp derived from nothing but (`Causality`, new attributes),
so that every Region derives the same bytes.
"""

from collections.abc import Mapping
from dataclasses import replace

from reconciler.codec import encode, leaves
from reconciler.fitting import fitting
from reconciler.item import Item, Newest, Register
from reconciler.policy import CAUSALITY, REGISTERS, Policy, flatten
from reconciler.stamps import next_stamp, region_code_of, write_id
from reconciler.wire import Image, Value, canonical_text


def foreign_changes(base: Item, new: Image, policy: Policy) -> dict[str, Value | None]:
    """Return the paths that `new` changed, with their values (None: removed).

    A bare image, without `Causality`, removes nothing: what it lacks is kept.
    """
    before = leaves(base)
    after = {path: fitting(path, value, policy.of(path)) for path, value in flatten(new, policy)}
    changes: dict[str, Value | None] = {path: value for path, value in after.items() if before.get(path) != value}
    if CAUSALITY in new:
        changes.update(dict.fromkeys(before.keys() - after.keys()))
    return changes


def not_registers(changes: Mapping[str, Value | None], policy: Policy) -> list[str]:
    """Return the changed paths that no stamp can order: a foreign change to them is for a person."""
    return sorted(path for path in changes if policy.of(path).kind not in REGISTERS)


def adopt_foreign(base: Item, changes: Mapping[str, Value | None], policy: Policy) -> Item:
    """Return `base` with the changes as one more execution, the same in every Region."""
    content = {path: value or {"NULL": False} for path, value in changes.items()}
    identity = write_id(canonical_text({"M": {CAUSALITY: encode(base, policy)[CAUSALITY], "": {"M": content}}}))
    newest_execution = base.ledger.newest
    region = policy.region_of(newest_execution) if base.ledger.writes else policy.regions[0]
    code = region_code_of(newest_execution) if base.ledger.writes else 1
    stamp = next_stamp(0, base.newest_stamp, code, identity)
    registers = {path: Register(stamp, value) for path, value in changes.items()}
    return replace(
        base,
        ledger=replace(base.ledger, writes={**base.ledger.writes, identity: frozenset([stamp])}),
        newest=max(base.newest, Newest(stamp, identity, region)),
        registers={**base.registers, **registers},
    )


def still_held(changes: Mapping[str, Value | None], base: Item, current: Item) -> bool:
    """Say whether the table still holds a foreign value, and has overwritten the others by stamped writes.

    What another foreign write has replaced is gone: adopted after it, it would come back.
    """
    held = {path for path, value in changes.items() if _value_at(path, current) == value}
    return bool(held) and all(_overwritten(path, base, current) for path in changes.keys() - held)


def _value_at(path: str, item: Item) -> Value | None:
    register = item.registers.get(path)
    return register.value if register else None


def _overwritten(path: str, base: Item, current: Item) -> bool:
    now, before = current.registers.get(path), base.registers.get(path)
    return now is not None and now.stamp > (before.stamp if before else base.newest_stamp)
