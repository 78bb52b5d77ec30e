"""Suspects: the keys to look at closely.

An item is calm where every version that two Regions show replaced the same, and all Regions end with the same.
Fingerprints are enough to say so. A few calm keys are looked at too: their steps teach what writes have in common.
"""

from collections import defaultdict
from collections.abc import Iterable
from itertools import chain
from pathlib import Path

from replay_tools.audit.scan import ENTRY

SAMPLED = 256
"""One calm key in so many is a sample."""
MAX_SAMPLED = 100
"""Samples from one partition."""

Place = tuple[int, int, int]
"""Source, offset, position there."""


def suspects(paths: Iterable[Path]) -> tuple[list[tuple[int, Place]], int]:
    """Return the places of the suspicious keys' records, and of some calm ones', with the key; and how many keys."""
    entries = [ENTRY.iter_unpack(path.read_bytes()) for path in paths]
    listed = list(chain.from_iterable(entries))
    first: dict[tuple[int, int], int] = {}
    last: defaultdict[int, dict[int, int]] = defaultdict(dict)
    candidates: set[int] = set()
    for key, old, new, region, *_ in listed:
        if first.setdefault((key, new), old) != old:
            candidates.add(key)
        last[key][region] = new
    keys = last.keys()
    ends_apart = {key for key, ends in last.items() if len(set(ends.values())) > 1}
    samples = sorted(key for key in keys if key % SAMPLED == 0)[:MAX_SAMPLED]
    chosen = _disputed(listed, candidates) | ends_apart | set(samples)
    places = [(key, (source, offset, position)) for key, _, _, _, source, position, offset in listed if key in chosen]
    return places, len(keys)


def _disputed(entries: Iterable[tuple[int, ...]], candidates: set[int]) -> set[int]:
    """Return the candidates of which some version replaced one thing here and another there."""
    replaced: defaultdict[tuple[int, int], defaultdict[int, set[int]]] = defaultdict(lambda: defaultdict(set))
    for key, old, new, region, *_ in entries:
        if key in candidates:
            replaced[key, new][region].add(old)
    return {
        key
        for (key, _), by_region in replaced.items()
        if any(olds != next(iter(by_region.values())) for olds in by_region.values())
    }
