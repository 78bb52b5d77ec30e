"""Expectation: what an item must hold, told from its executions and from what each of them had seen.

Written without `join`: nothing here merges two states, or reads `Causality`. Values are DynamoDB's canonical wire form,
so that they can be held against an image as it stands.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from reconciler.policy import Kind, Policy
from reconciler.wire import Value
from replay_tools.simulator.steps import Scalar
from replay_tools.simulator.truth import Execution, Truth, numbers

Leaves = dict[str, Value]


@dataclass(frozen=True, slots=True)
class Offer:
    """One execution's value for one attribute; None where it removes it."""

    execution: Execution
    value: Scalar | None


def leaves(truth: Truth, executions: Sequence[Execution], policy: Policy) -> Leaves:
    """Return the attributes, and map members by path, of an item that has seen exactly this."""
    live = [executions[number] for number in numbers(truth.seen)]
    live = [execution for execution in live if execution.life == truth.life and not execution.ask.deletes]
    offers: dict[str, list[Offer]] = {}
    for execution in live:
        for path, value in _offers(execution, executions, policy):
            offers.setdefault(path, []).append(Offer(execution, value))
    found = {path: _RULES[policy.of(path).kind](path, rivals, policy) for path, rivals in offers.items()}
    found.update(_counters(live))
    found.update(_sets(live))
    return {path: value for path, value in found.items() if value is not None}


def attributes(found: Leaves) -> dict[str, Value]:
    """Return top-level attributes: members of maps put together."""
    image: dict[str, Any] = {}
    for path, value in found.items():
        *maps, name = path.split("/")
        level = image
        for segment in maps:
            level = level.setdefault(segment, {"M": {}})["M"]
        level[name] = value
    return image


def wire(value: Scalar) -> Value:
    """Return a step's value as DynamoDB holds it."""
    match value:
        case int():
            return {"N": str(value)}
        case frozenset():
            return {"SS": sorted(value)}
        case _:
            return {"S": value}


def _offers(
    execution: Execution, executions: Sequence[Execution], policy: Policy
) -> Iterable[tuple[str, Scalar | None]]:
    yield from execution.ask.sets
    for path, elements in execution.ask.elements_added:
        if policy.of(path).kind is Kind.UNION:
            yield path, elements
    for path in execution.ask.removes:
        if policy.of(path).kind is Kind.MAP:  # every member that its client could see
            before = leaves(execution.basis, executions, policy)
            yield from ((member, None) for member in before if member.startswith(f"{path}/"))
        else:
            yield path, None


def _latest(_path: str, rivals: list[Offer], _policy: Policy) -> Value | None:
    newest = max(rivals, key=lambda offer: (offer.execution.value_stamp, offer.value is not None))
    return None if newest.value is None else wire(newest.value)


def _greatest(path: str, rivals: list[Offer], policy: Policy) -> Value:
    values: list[Any] = [offer.value for offer in rivals]
    return wire((max if policy.of(path).kind is Kind.MAX else min)(values))


def _union(_path: str, rivals: list[Offer], _policy: Policy) -> Value:
    values: list[Any] = [offer.value for offer in rivals]
    return wire(frozenset().union(*values))


def _furthest(path: str, rivals: list[Offer], policy: Policy) -> Value:
    order = policy.of(path).order
    values = [wire(offer.value) for offer in rivals if offer.value is not None]
    return max(values, key=order.index)


def _custom(path: str, rivals: list[Offer], policy: Policy) -> Value:
    """Apply the user's function in the order of execution: by its laws, any order does."""
    function = policy.of(path).function
    value: Any = rivals[0].value
    for offer in rivals[1:]:
        value = function(value, offer.value) if function else value
    return wire(value)


_RULES: Mapping[Kind, Callable[[str, list[Offer], Policy], Value | None]] = {
    Kind.LATEST: _latest,
    Kind.MANUAL: _latest,
    Kind.MAX: _greatest,
    Kind.MIN: _greatest,
    Kind.UNION: _union,
    Kind.RANK: _furthest,
    Kind.CUSTOM: _custom,
}


def _counters(live: Sequence[Execution]) -> Leaves:
    """Sum each counter over requests, however often each was executed; a retry after folding counts anew."""
    totals: dict[str, int] = {}
    counted: set[tuple[str, str, int]] = set()
    for execution in live:
        for path, delta in execution.ask.adds:
            once = path, execution.request.key, execution.generation
            totals[path] = totals.get(path, 0) + (0 if once in counted else delta)
            counted.add(once)
    return {path: wire(total) for path, total in totals.items()}


def _sets(live: Sequence[Execution]) -> dict[str, Value | None]:
    """Keep what was added, but for what a removal had seen being added."""
    kept: dict[str, set[str]] = {}
    removals = [
        (path, elements, execution.basis.seen)
        for execution in live
        for path, elements in execution.ask.elements_removed
    ]
    dead: dict[tuple[str, str], int] = {}
    for path, elements, seen in removals:
        for element in elements:
            dead[path, element] = dead.get((path, element), 0) | seen
    for execution in live:
        for path, elements in execution.ask.elements_added:
            kept.setdefault(path, set()).update(
                element for element in elements if not dead.get((path, element), 0) >> execution.number & 1
            )
    return {path: wire(frozenset(elements)) if elements else None for path, elements in kept.items()}
