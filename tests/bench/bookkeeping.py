"""Bookkeeping: how many bytes `Causality` adds to an item, by DynamoDB's item size rules.

https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/CapacityUnitCalculations.html
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from reconciler.policy import CAUSALITY
from reconciler.size import item_bytes
from reconciler.wire import Image
from tests.bench.records import HERE, POLICY, STEP_MS
from tests.bench.scale import Scale
from tests.worker.replicas import Clock, Replica

Request = dict[str, Any]
LIVE = 10


@dataclass(frozen=True, slots=True)
class Added:
    """One line of the table, in bytes; every write lies within the window."""

    item: str
    writes: int
    causality: int
    """The attribute's name and value."""
    whole: int
    """The whole item."""


def registers(number: int) -> Request:
    """Set both registers."""
    return {"Set": {"Data": f"value {number}", "Name": f"name {number}"}}


def registers_in_turn(number: int) -> Request:
    """Set one of two registers: the other keeps a stamp of its own."""
    return {"Set": {("Data", "Name")[number % 2]: f"value {number}"}}


def counter(number: int) -> Request:
    """Count."""
    return {"Add": {"Balance": 1}}


def elements(number: int) -> Request:
    """Add an element, and remove the one before the last ten."""
    removed = {"RemoveFromSet": {"Tags": [f"tag-{number - LIVE}"]}} if number >= LIVE else {}
    return {"AddToSet": {"Tags": [f"tag-{number}"]}, **removed}


ITEMS: dict[str, Callable[[int], Request]] = {
    "2 registers, both set": registers,
    "2 registers, in turn": registers_in_turn,
    "a counter": counter,
    f"a set of up to {LIVE}": elements,
}


def bookkeeping(scale: Scale) -> list[Added]:
    """Return what each kind of item carries after so many writes."""
    return [added for item, request in ITEMS.items() for added in _measured(item, request, scale)]


def _measured(item: str, request: Callable[[int], Request], scale: Scale) -> Iterator[Added]:
    clock = Clock()
    replica = Replica(HERE, POLICY, clock)
    for number in range(max(scale.written)):
        clock.now_ms += STEP_MS
        replica.write(f"key-{number}", **request(number))
        if number + 1 in scale.written:
            image = replica.image
            assert image
            yield Added(item, number + 1, causality_bytes(image), item_bytes(image))


def causality_bytes(image: Image) -> int:
    """Return the size of the attribute `Causality`, its name included."""
    return item_bytes({CAUSALITY: image[CAUSALITY]})
