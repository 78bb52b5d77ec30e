"""Join: the one operation on items. Total, commutative, associative, idempotent.

    write  = join(current, delta of the request)      repair = join(lost, current)

Of two lives the greater wins whole. Within a life, what is folded is one value whose greater side wins whole, and the
rest is the union of what both ledgers name. Sets follow the add-wins observed-remove set (Bieniusa et al. 2012,
"An optimized conflict-free replicated set"), with the ledger in place of its version vector.
"""

from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any

from reconciler.errors import MergeError
from reconciler.item import (
    ZERO,
    Deltas,
    Dots,
    Item,
    Register,
    fold_item,
    named_deltas,
    register_order,
)
from reconciler.ledger import Ledger, above, merge_writes
from reconciler.policy import AttributePolicy, Kind, Policy
from reconciler.stamps import Stamp
from reconciler.wire import Value, canonical, canonical_text, from_plain, plain


def join(left: Item, right: Item, policy: Policy) -> Item:
    """Return the least state that includes both."""
    if left.ledger.life != right.ledger.life:
        return max(left, right, key=lambda item: item.ledger.life)
    ahead = left if left.past >= right.past else right
    return Item(
        key=left.key,
        ledger=_join_ledgers(ahead.ledger, left.ledger, right.ledger),
        newest=max(left.newest, right.newest),
        registers=_join_by_name(left.registers, right.registers, lambda _, a, b: later(a, b)),
        values=_join_by_name(left.values, right.values, lambda name, a, b: join_values(name, policy.of(name), a, b)),
        bases={name: ahead.bases.get(name, ZERO) for name in left.bases.keys() | right.bases.keys()},
        deltas=_join_deltas(left, right, ahead.ledger.horizon),
        dots=_join_dots(left, right),
    )


def diverged(left: Item, right: Item) -> bool:
    """Say whether the two histories parted before the horizon: what lies there cannot be joined exactly any more."""
    if left.ledger.life != right.ledger.life or left.past == right.past:
        return False
    horizon = max(left.ledger.horizon, right.ledger.horizon)
    return fold_item(left, horizon).past != fold_item(right, horizon).past


def later(left: Register, right: Register) -> Register:
    """Return the register that was written later; equal stamps are ordered by value."""
    if left.stamp != right.stamp:
        return left if left.stamp > right.stamp else right
    return max(left, right, key=register_order)


def _join_by_name(
    left: Mapping[str, Any], right: Mapping[str, Any], joined: Callable[[str, Any, Any], Any]
) -> dict[str, Any]:
    result = {**left, **right}
    for name in left.keys() & right.keys():
        if left[name] != right[name]:
            result[name] = joined(name, left[name], right[name])
    return result


def _join_ledgers(ahead: Ledger, left: Ledger, right: Ledger) -> Ledger:
    writes = merge_writes(above(left.writes, ahead.horizon), above(right.writes, ahead.horizon))
    return Ledger(ahead.life, ahead.horizon, ahead.count, ahead.sum, writes)


def _join_deltas(left: Item, right: Item, horizon: Stamp) -> Deltas:
    """Return the union by write id; of two payloads under one key the greater delta counts, in every Region."""
    ours, theirs = _named_above(left, horizon), _named_above(right, horizon)
    return _join_by_name(ours, theirs, lambda _, a, b: _join_by_name(a, b, lambda _, x, y: max(x, y)))


def _named_above(item: Item, horizon: Stamp) -> dict[str, dict[Any, Decimal]]:
    return named_deltas(item.deltas, above(item.ledger.writes, horizon))


def _join_dots(left: Item, right: Item) -> Dots:
    if left.dots == right.dots == {}:
        return {}
    ours, theirs = left.ledger.stamps(), right.ledger.stamps()
    joined: dict[str, dict[str, frozenset[Stamp]]] = {}
    for name in left.dots.keys() | right.dots.keys():
        mine, yours = left.dots.get(name, {}), right.dots.get(name, {})
        for element in mine.keys() | yours.keys():
            here, there = mine.get(element, frozenset()), yours.get(element, frozenset())
            kept = frozenset(
                (here & there)
                | {dot for dot in here if not right.ledger.knows(dot, theirs)}
                | {dot for dot in there if not left.ledger.knows(dot, ours)}
            )
            if kept:
                joined.setdefault(name, {})[element] = kept
    return joined


def join_values(path: str, policy: AttributePolicy, left: Value, right: Value) -> Value:
    """Join two values whose policy needs no stamps; ItemError where their types do not go together."""
    if left == right:
        return left
    match policy.kind:
        case Kind.UNION:
            return _union(path, left, right)
        case Kind.MIN:
            return min(left, right, key=scalar_order)
        case Kind.RANK:
            return max(left, right, key=lambda value: _rank(policy, value))
        case Kind.CUSTOM:
            return _custom(path, policy, left, right)
        case _:
            return max(left, right, key=scalar_order)


def scalar_order(value: Value) -> tuple[str, Any]:
    """Order values of one type as DynamoDB does, and of several types by their letter, so that the order is total."""
    letter, content = next(iter(value.items()))
    match letter:
        case "N":
            return letter, Decimal(content)
        case "S":
            return letter, content.encode("utf-8", "surrogatepass")
        case "B":
            return letter, plain(value)
        case _:
            return letter, canonical_text(value)


def _union(path: str, left: Value, right: Value) -> Value:
    if left.keys() != right.keys():
        raise MergeError(path, f"sets of two types, {next(iter(left))} and {next(iter(right))}, have no union")
    letter = next(iter(left))
    return canonical({letter: [*left[letter], *right[letter]]})


def _rank(policy: AttributePolicy, value: Value) -> int:
    return policy.order.index(value)


def _custom(path: str, policy: AttributePolicy, left: Value, right: Value) -> Value:
    if policy.function is None:
        raise MergeError(path, f"the function {policy.function_name} is not loaded")
    try:
        return from_plain(policy.function(plain(left), plain(right)))
    except Exception as error:  # whatever a user's function raises becomes one kind of fault
        raise MergeError(path, f"{policy.function_name} failed: {type(error).__name__}") from error
