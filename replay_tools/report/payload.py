"""Payload: what the page's script reads, marks as columns of numbers and everything that repeats as a list.

regions, keys, attributes, decisions    what numbers in the columns point into
marks    {lane, kind, key, x, at, changed, lost, decision, source, overwrote}: from left to right
         `x` and `at` are differences to the mark before; -1 in `source` and `overwrote` is none
blocks   contents in JSON, BLOCK to a list, by key and then from left to right, deflated, in base64
"""

import json
import zlib
from base64 import b64encode
from collections import Counter
from collections.abc import Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

from replay_tools.report.gather import Gathered
from replay_tools.report.marks import Kind, Mark

BLOCK = 64  # contents that are unpacked together when one of them is looked at
LEVEL = 6


@dataclass(slots=True)
class _Names:
    """Values by number, in the order of their first use."""

    numbers: dict[Hashable, int] = field(default_factory=dict)

    def number(self, value: Hashable) -> int:
        """Return the value's number."""
        return self.numbers.setdefault(value, len(self.numbers))

    def values(self) -> list[Any]:
        """Return every value, by number."""
        return list(self.numbers)


def payload(marks: Sequence[Mark], gathered: Gathered, *, step_ms: int, unknown_losses: int) -> Mapping[str, Any]:
    """Return all that the page shows, but for the contents."""
    keys, sets, decisions = _Names(), _Names(), _Names()
    columns = _columns(marks, keys, sets, decisions)
    return {
        "regions": gathered.regions,
        "keys": keys.values(),
        "sets": sets.values(),
        "decisions": decisions.values(),
        "start_ms": marks[0].seen.at_ms if marks else 0,
        "step_ms": step_ms,
        "block": BLOCK,
        "marks": columns,
        "totals": totals(marks, gathered),
        "unknown_losses": unknown_losses,
    }


def totals(marks: Sequence[Mark], gathered: Gathered) -> Mapping[str, Any]:
    """Return how many marks of each kind each Region has, and how often each decision was made."""
    kinds = Counter((mark.seen.region, mark.kind) for mark in marks)
    decided: Counter[tuple[str, str]] = Counter()
    for (_, decision, reason), count in gathered.counts.items():
        decided[decision, reason] += count
    return {
        "records": len(marks),
        "items": len({mark.seen.key for mark in marks}),
        "kinds": {kind.value: [kinds[region, kind] for region in gathered.regions] for kind in Kind},
        "decisions": [
            [decision, reason, [gathered.counts[region, decision, reason] for region in gathered.regions]]
            for decision, reason in sorted(decided)
        ],
    }


def blocks(marks: Sequence[Mark]) -> Iterator[str]:
    """Yield the contents, packed: those of one key side by side, which makes them small."""
    by_key: dict[str, list[Mark]] = {}
    for mark in marks:
        by_key.setdefault(mark.seen.key, []).append(mark)
    ordered = [mark for group in by_key.values() for mark in group]
    for start in range(0, len(ordered), BLOCK):
        contents = ",".join(map(_content, ordered[start : start + BLOCK]))
        yield b64encode(zlib.compress(f"[{contents}]".encode(), LEVEL)).decode()


def _content(mark: Mark) -> str:
    says = json.dumps({"sequence": mark.seen.sequence_number, "says": mark.says}, separators=(",", ":"))
    return f"[{mark.seen.content},{says}]"


def _columns(marks: Sequence[Mark], keys: _Names, sets: _Names, decisions: _Names) -> Mapping[str, list[int]]:
    positions = {mark: position for position, mark in enumerate(marks)}
    kinds = {kind: number for number, kind in enumerate(Kind)}
    return {
        "lane": [mark.lane for mark in marks],
        "kind": [kinds[mark.kind] for mark in marks],
        "key": [keys.number(mark.seen.key) for mark in marks],
        "x": _differences([mark.x_us for mark in marks]),
        "at": _differences([mark.seen.at_ms for mark in marks]),
        "changed": [sets.number(mark.seen.changed) for mark in marks],
        "lost": [sets.number(mark.lost) for mark in marks],
        "decision": [decisions.number((mark.judged.decisions, mark.judged.mode)) for mark in marks],
        "source": [positions[mark.source] if mark.source else -1 for mark in marks],
        "overwrote": [positions[mark.overwrote] if mark.overwrote else -1 for mark in marks],
    }


def _differences(numbers: Sequence[int]) -> list[int]:
    return [0, *(after - before for before, after in pairwise(numbers))] if numbers else []
