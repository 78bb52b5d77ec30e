"""Apply: a request's delta, joined into the item that it found, as one more execution in the ledger."""

from bisect import bisect_right
from dataclasses import dataclass, replace

from reconciler.item import ZERO, Deltas, Dots, Item, Newest, Register, end_life, fold_item
from reconciler.join import join_values, later
from reconciler.ledger import Ledger
from reconciler.policy import REGISTERS, Policy
from reconciler.requests import WriteEvent
from reconciler.stamps import Stamp, WriteId, ms_of
from reconciler.wire import Value


@dataclass(frozen=True, slots=True)
class Execution:
    """One execution of one request in one Region."""

    id: WriteId
    stamp: Stamp
    """The ledger stamp: above every stamp in the item."""
    value_stamp: Stamp
    """The client's time where the request gives one, else the ledger stamp."""
    idempotency_key: str
    region: str


def apply(item: Item, event: WriteEvent, execution: Execution, policy: Policy) -> Item:
    """Return the item with the request executed."""
    ledger = _entered(item.ledger, execution)
    if event.deletes:
        newest = Newest(execution.stamp, execution.idempotency_key, execution.region)
        return replace(end_life(replace(item, ledger=ledger), execution.stamp), newest=newest)
    newest = Newest(execution.value_stamp, execution.idempotency_key, execution.region)
    return Item(
        key=item.key,
        ledger=ledger,
        newest=max(item.newest, newest),
        registers=_registers(item, event, execution.value_stamp, policy),
        values=_values(item, event, policy),
        bases={**dict.fromkeys(event.adds, ZERO), **item.bases},
        deltas=_deltas(item, event, execution.id),
        dots=_dots(item, event, execution.stamp),
    )


def _entered(ledger: Ledger, execution: Execution) -> Ledger:
    stamps = ledger.writes.get(execution.id, frozenset()) | {execution.stamp}
    return Ledger(ledger.life, *ledger.folded, {**ledger.writes, execution.id: stamps})


def _registers(item: Item, event: WriteEvent, stamp: Stamp, policy: Policy) -> dict[str, Register]:
    registers = dict(item.registers)
    offers = {path: Register(stamp, value) for path, value in event.sets.items() if policy.of(path).kind in REGISTERS}
    for path in (*event.removes, *_members_present(item, event)):
        offers[path] = Register(stamp, None)
    for path, offer in offers.items():
        registers[path] = later(registers[path], offer) if path in registers else offer
    return registers


def _members_present(item: Item, event: WriteEvent) -> list[str]:
    """Return the members that the removal of whole maps names: each one that is present."""
    return [
        path
        for name in event.removed_maps
        for path, register in item.registers.items()
        if path.startswith(f"{name}/") and register.value is not None
    ]


def _values(item: Item, event: WriteEvent, policy: Policy) -> dict[str, Value]:
    values = dict(item.values)
    for path, value in event.sets.items():
        attribute = policy.of(path)
        if attribute.kind not in REGISTERS:
            values[path] = join_values(path, attribute, values[path], value) if path in values else value
    return values


def _deltas(item: Item, event: WriteEvent, identity: WriteId) -> Deltas:
    deltas = dict(item.deltas)
    for path, delta in event.adds.items():
        if delta:
            deltas[path] = {**deltas.get(path, {}), identity: delta}
    return deltas


def _dots(item: Item, event: WriteEvent, stamp: Stamp) -> Dots:
    """Add a dot to each added element, beside those that it has, and drop each removed one with all its dots."""
    dots = dict(item.dots)
    for path in event.elements_added.keys() | event.elements_removed.keys():
        elements = dict(dots.get(path, {}))
        for element in event.elements_added.get(path, ()):
            elements[element] = elements.get(element, frozenset()) | {stamp}
        for element in event.elements_removed.get(path, ()):
            elements.pop(element, None)
        dots[path] = elements
    return {path: elements for path, elements in dots.items() if elements}


def changes_nothing(before: Item, after: Item) -> bool:
    """Say whether no attribute came out different, in value or in standing: the write is superseded."""
    return (
        before.registers == after.registers
        and before.values == after.values
        and before.deltas == after.deltas
        and before.dots == after.dots
        and before.bases.keys() == after.bases.keys()
    )


def fold_when_due(item: Item, now_ms: int, policy: Policy) -> Item:
    """Fold in steps, so that Regions agree on few horizons: at twice the window, or at twice `max_writes`.

    What is younger than `min_window` stays, by this Region's clock and by the newest stamp, whichever is behind.
    """
    stamps = sorted(item.ledger.stamps())
    newest_ms = ms_of(stamps[-1])
    due = 0
    if newest_ms - ms_of(stamps[0]) >= 2 * policy.window_ms:
        due = bisect_right(stamps, newest_ms - policy.window_ms, key=ms_of)
    if len(stamps) >= 2 * policy.max_writes:
        due = max(due, len(stamps) - policy.max_writes)
    old_enough = bisect_right(stamps, min(now_ms, newest_ms) - policy.min_window_ms, key=ms_of)
    due = min(due, old_enough)
    return fold_item(item, stamps[due - 1]) if due else item
