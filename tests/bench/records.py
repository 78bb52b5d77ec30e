"""Stream records, recorded from the project's own writers: each event is parsed from its JSON, as Lambda does.

quiet     v0 -> v1                          one more write, nothing lost
conflict  v0 -> a1 (local) -> b1            b1 was written in another Region, from v0
storm     v0 -> a1 -> b1 -> a2 -> b2 ...    the same, again and again, on one item
"""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import Any

from reconciler.policy import CAUSALITY, Policy
from reconciler.size import item_bytes
from tests.worker.replicas import NOW, Clock, Replica

Record = dict[str, Any]
Event = dict[str, Any]

POLICY_FILE = Path(__file__).parents[2] / "infra" / "policy.toml"
POLICY = Policy.load(POLICY_FILE)
HERE, THERE = POLICY.regions
STEP_MS = 1_000
KIB = 1024
LINE_BYTES = 90
TEMPLATES = 2
"""How many items are really written; more records are the same under other keys."""

PROFILE = {
    "Name": "Ana Example",
    "Email": "ana@example.com",
    "Phone": "+49 30 901820",
    "Street": "1 Long Street",
    "City": "Springfield",
    "Country": "DE",
    "Plan": "standard",
    "Created": 1_700_000_000_000,
    "Score": 17,
    "Limit": 500,
    "Status": "active",
}


@dataclass(frozen=True, slots=True)
class Shape:
    """What an item looks like before the record: its size with one write, what fills it, its ledger's writes."""

    size_bytes: int = KIB
    ledger: int = 5
    nested: bool = False
    """Filled with a list of small maps, not with one text."""


SMALL = Shape()


def event_of(records: Iterable[Record]) -> Event:
    """Return the event that delivers these records: each object in it is its own, as after parsing."""
    event: Event = json.loads(json.dumps({"Records": list(records)}))
    return event


def quiet(count: int, shape: Shape = SMALL) -> list[Record]:
    """Return records that have lost nothing, each of its own item."""
    return _each_its_own(_quiet_templates(shape), count, "quiet")


def conflicts(count: int, shape: Shape = SMALL) -> list[Record]:
    """Return records that have each lost one write, each of its own item."""
    return _each_its_own(_conflict_templates(shape), count, "conflict")


def mixed(count: int, conflicting: int) -> list[Record]:
    """Return records of which so many are conflicts, evenly spread."""
    bad, good = iter(conflicts(conflicting)), iter(quiet(count - conflicting))
    turns = [number * conflicting // count for number in range(count + 1)]
    return [next(bad if turn < after else good) for turn, after in pairwise(turns)]


def storm(count: int, keys: int) -> list[Record]:
    """Return records of a few items, in turn; every second record of each item has lost a write."""
    history = _storm_history(-(-count // keys))
    records = [renamed(record, f"storm-{key}") for record in history for key in range(keys)]
    return numbered(records[:count])


def without_ledger(record: Record) -> Record:
    """Return the record as a table without `Causality` would show it."""
    body = record["dynamodb"]
    images = {
        kind: {name: value for name, value in body[kind].items() if name != CAUSALITY}
        for kind in ("OldImage", "NewImage")
    }
    return {**record, "dynamodb": {**body, **images}}


def _each_its_own(templates: Sequence[Record], count: int, name: str) -> list[Record]:
    return numbered(renamed(templates[number % len(templates)], f"{name}-{number}") for number in range(count))


def renamed(record: Record, name: str) -> Record:
    """Return the record as another item's."""
    key = {"Id": {"S": name}}
    images = {kind: {**record["dynamodb"][kind], **key} for kind in ("OldImage", "NewImage")}
    return {**record, "dynamodb": {**record["dynamodb"], **images, "Keys": key}}


def numbered(records: Iterable[Record]) -> list[Record]:
    """Return the records with sequence numbers in their order."""
    return [
        {**record, "dynamodb": {**record["dynamodb"], "SequenceNumber": f"{number:024}"}}
        for number, record in enumerate(records, 1)
    ]


@cache
def _quiet_templates(shape: Shape) -> tuple[Record, ...]:
    return tuple(_quiet_record(number, shape) for number in range(TEMPLATES))


@cache
def _conflict_templates(shape: Shape) -> tuple[Record, ...]:
    return tuple(_conflict_record(number, shape) for number in range(TEMPLATES))


def _quiet_record(number: int, shape: Shape) -> Record:
    home = _started(number, shape)
    home.write(f"last-{number}")
    return home.stream[-1]


def _conflict_record(number: int, shape: Shape) -> Record:
    home = _started(number, shape)
    home.lose(f"lost-{number}")
    return home.stream[-1]


@cache
def _storm_history(length: int) -> tuple[Record, ...]:
    home = _started(0, SMALL)
    before = len(home.stream)
    for number in range(-(-length // 2)):
        home.lose(f"storm-{number}")
    return tuple(home.stream[before : before + length])


def _started(number: int, shape: Shape) -> "Home":
    """Return a Region whose item has its size and its ledger."""
    bare, home = Home(number), Home(number)
    bare.start({}, 1)
    home.start(_filler(shape.size_bytes - item_bytes(bare.stream[-1]["dynamodb"]["NewImage"]), shape), shape.ledger)
    return home


def _filler(room_bytes: int, shape: Shape) -> dict[str, Any]:
    if room_bytes < LINE_BYTES:
        return {}
    if not shape.nested:
        return {"Data": "x" * room_bytes}
    lines = range(room_bytes // LINE_BYTES)
    return {"Lines": [{"Sku": f"sku-{line:06}", "Quantity": line, "Note": "y" * 54} for line in lines]}


class Home:
    """One item in the Region whose stream is recorded, and the other Region that overwrites it."""

    def __init__(self, number: int, now_ms: int = NOW) -> None:
        """Start without the item; `number` makes its writes another item's."""
        self._clock = Clock(now_ms)
        self._here, self._there = Replica(HERE, POLICY, self._clock), Replica(THERE, POLICY, self._clock)
        self._number = number
        self.stream = self._here.stream

    def start(self, filler: dict[str, Any], writes: int) -> None:
        """Create the item, and let its ledger name so many writes."""
        self._execute(self._here, "create", {"Set": PROFILE | filler, "AddToSet": {"Tags": ["a", "b"]}})
        for number in range(1, writes):
            self.write(f"early-{number}")

    def write(self, key: str) -> None:
        """Write once more, where the stream is recorded."""
        self._execute(self._here, key, {"Set": {"Score": self._clock.now_ms}, "Add": {"Balance": 1}})

    def lose(self, key: str) -> None:
        """Write here and there at once, and let the other Region win."""
        image = self._here.image
        self._there.holds(image)
        self.write(key)
        self._execute(self._there, f"{key}-there", {"Set": {"Plan": f"plan-{key}"}, "AddToSet": {"Tags": ["c"]}})
        self._here.holds(self._there.image)

    def _execute(self, replica: Replica, key: str, request: dict[str, Any]) -> None:
        self._clock.now_ms += STEP_MS
        replica.write(f"{self._number}-{key}", **request)
