"""Units: how the bench writes what it measured, short enough for a table and an axis."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Measure:
    """One cost: its name, and the names of its unit, each `step` of the one before."""

    title: str
    units: tuple[str, ...]
    step: int = 1_000


MEASURES = {
    "processor_us": Measure("Processor time", (" µs", " ms", " s")),
    "peak_bytes": Measure("Memory at the peak", (" B", " kB", " MB", " GB")),
    "requests": Measure("Requests", ("", "k", "M")),
}
COUNTS = Measure("Count", ("", "k", "M"))
SIZES = Measure("Size", (" B", " KB", " MB"), 1024)


def short(value: float, measure: Measure) -> str:
    """Write a value with three digits at most, in the unit that suits it."""
    for unit in measure.units[:-1]:
        if abs(value) < 0.9995 * measure.step:
            return _digits(value) + unit
        value /= measure.step
    return _digits(value) + measure.units[-1]


def _digits(value: float) -> str:
    return f"{value:.3g}" if value < 100 else f"{value:.0f}"  # three digits, and no exponent
