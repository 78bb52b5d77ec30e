"""Habits: what a table's writes do to an attribute every time, learnt from the steps that nobody disputes.

A version number that every write raises by one, a time that only grows, the name of the writing Region: nobody has to
declare them, and each tells from which version a write was made.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation
from typing import Any

from reconciler.policy import LAST_REGION, TIMESTAMP, VERSION
from reconciler.wire import Image

MIN_SAMPLES = 5
SURE = 0.97
MAX_SAMPLES = 5_000
MIN_PASSIVE = 100
"""A Region is passive where not one version in so many, of as many at least, is made there."""
MINUTE_MS = 60_000


@dataclass(frozen=True, slots=True)
class Habits:
    """Attributes by their habit: `steps` grow by a fixed number, `clocks` only grow, `regions` name the writer."""

    steps: Mapping[str, Decimal] = field(default_factory=dict)
    clocks: frozenset[str] = frozenset()
    regions: frozenset[str] = frozenset()
    keys: frozenset[str] = frozenset()
    passive: frozenset[str] = frozenset()
    """Regions that make no writes of their own, as far as the records' times tell."""

    @property
    def names(self) -> frozenset[str]:
        """Every attribute that changes by itself with each write, or never."""
        return self.clocks | self.regions | self.keys | frozenset(self.steps)


class Learner:
    """Looks at steps whose base is beyond dispute, and says afterwards what they have in common."""

    def __init__(self, regions: Iterable[str]) -> None:
        """Know the names of the Regions."""
        self._regions = frozenset(regions)
        self._samples = 0
        self._present: Counter[str] = Counter()
        self._steps: defaultdict[str, Counter[Decimal]] = defaultdict(Counter)
        self._grown: Counter[str] = Counter()
        self._fits: Counter[str] = Counter()
        self._made: Counter[str] = Counter()
        self._makers: defaultdict[str, set[str]] = defaultdict(set)
        self._first: Counter[str] = Counter()

    @property
    def is_full(self) -> bool:
        """Whether more samples would teach nothing."""
        return self._samples >= MAX_SAMPLES

    def see(self, old: Image | None, new: Image | None, maker: str | None) -> None:
        """Take one step; `maker` is the Region that made it, None where several may have."""
        if new is None or self.is_full:
            return
        self._samples += 1
        for name, value in new.items():
            self._see_region(name, value.get("S"), maker)
            if old is not None and name in old:
                self._see_growth(name, old[name], value)

    def see_times(self, times: Mapping[str, int | None]) -> None:
        """Take the moments at which one version came to each Region: the first is where it was made."""
        known = sorted((at_ms, region) for region, at_ms in times.items() if at_ms is not None)
        is_coarse = not any(at_ms % MINUTE_MS for at_ms, _ in known)  # DynamoDB Local tells minutes
        if not is_coarse and len(known) == len(self._regions) and known[0][0] < known[1][0]:
            self._first[known[0][1]] += 1

    def _see_region(self, name: str, text: object, maker: str | None) -> None:
        if isinstance(text, str) and text in self._regions and maker is not None:
            self._made[name] += 1
            self._makers[name].add(maker)
            self._fits[name] += text == maker

    def _see_growth(self, name: str, old: Mapping[str, Any], new: Mapping[str, Any]) -> None:
        self._present[name] += 1
        step = difference(old, new)
        if step is not None:
            self._steps[name][step] += 1
        if _has_grown(old, new):
            self._grown[name] += 1

    def habits(self) -> Habits:
        """Return what nearly every write did."""
        steps = {}
        for name, counted in self._steps.items():
            ((step, count),) = counted.most_common(1)
            if step and self._is_sure(count, self._present[name]):
                steps[name] = step
        clocks = {name for name, count in self._grown.items() if self._is_sure(count, self._present[name])}
        regions = {
            name
            for name, count in self._made.items()
            if len(self._makers[name]) > 1 and self._is_sure(self._fits[name], count)
        }
        total = self._first.total()
        passive = {region for region in self._regions if self._first[region] * MIN_PASSIVE <= total >= MIN_PASSIVE}
        all_clocks = frozenset(clocks - steps.keys() | {TIMESTAMP})
        return Habits(
            {VERSION: Decimal(1), **steps}, all_clocks, frozenset(regions | {LAST_REGION}), passive=frozenset(passive)
        )

    @staticmethod
    def _is_sure(count: int, of: int) -> bool:
        return of >= MIN_SAMPLES and count >= SURE * of


def difference(old: Mapping[str, Any], new: Mapping[str, Any]) -> Decimal | None:
    """Return by how much a number grew; None where either is none."""
    before, after = number_of(old), number_of(new)
    return None if before is None or after is None else after - before


def number_of(value: Mapping[str, Any]) -> Decimal | None:
    """Return the number; None where the value is none."""
    try:
        number = Decimal(value["N"])
    except (KeyError, TypeError, InvalidOperation, ValueError):
        return None
    return number if number.is_finite() else None


def _has_grown(old: Mapping[str, Any], new: Mapping[str, Any]) -> bool:
    """Say whether a number, or a text such as an ISO time, is after what stood there."""
    step = difference(old, new)
    if step is not None:
        return step > 0
    before, after = old.get("S"), new.get("S")
    return isinstance(before, str) and isinstance(after, str) and after > before and after[:2].isdigit()
