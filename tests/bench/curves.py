"""Curves: what grows with what, as values."""

from dataclasses import dataclass
from math import log
from statistics import linear_regression

from tests.bench.units import Measure

TAIL = 3
NO_CONFLICT = "no conflict"


@dataclass(frozen=True, slots=True)
class Point:
    """What one size costs."""

    x: float
    processor_us: float
    peak_bytes: float
    requests: float


@dataclass(frozen=True, slots=True)
class Line:
    """One kind of record, from small to large."""

    name: str
    points: tuple[Point, ...]

    def exponent(self, measure: str) -> float | None:
        """Return the power of x by which the large end grows: 0 is flat, 1 linear; None where there is nothing."""
        tail = [(log(point.x), log(cost)) for point in self.points[-TAIL:] if (cost := getattr(point, measure))]
        return linear_regression(*zip(*tail, strict=True)).slope if len(tail) > 1 else None


@dataclass(frozen=True, slots=True)
class Growth:
    """One thing that is varied: its lines, what a point is the cost of, and why a line is neither flat nor linear."""

    title: str
    x: str
    unit: Measure
    per: str
    reason: str
    lines: tuple[Line, ...]
