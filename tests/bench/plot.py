"""The plot: one row for each thing that is varied, one column for each cost, all axes logarithmic.

On such axes a flat line is flat, and a linear one runs along the dashed guide.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import ceil, floor, log10
from textwrap import wrap

from tests.bench.curves import NO_CONFLICT, Growth
from tests.bench.svg import FAINT, Dot, curve, document, rule, text
from tests.bench.units import MEASURES, Measure, short

QUIET, COLOURS = "#1f7a8c", ("#d9622b", "#6a4c93")
GUIDE = "#c3c9d4"
MARGIN, TOP = 40, 112
TEXT_WIDTH, TEXT_COLUMNS, LEADING = 330, 54, 16
PANEL_WIDTH, PANEL_HEIGHT, GAP = 230, 156, 68
ROW_HEIGHT = PANEL_HEIGHT + 82
WIDTH = 2 * MARGIN + TEXT_WIDTH + 3 * (GAP + PANEL_WIDTH)
MIN_DECADES, MOST_TICKS = 2, 5


def plot(growths: Sequence[Growth]) -> str:
    """Return the plot as one SVG document."""
    rows = (_row(growth, TOP + ROW_HEIGHT * number) for number, growth in enumerate(growths))
    return document(
        WIDTH, TOP + ROW_HEIGHT * len(growths), [*_heading(), *(element for row in rows for element in row)]
    )


def _panel_left(number: int) -> float:
    return MARGIN + TEXT_WIDTH + GAP + (PANEL_WIDTH + GAP) * number


def _heading() -> Iterator[str]:
    yield text((MARGIN, 44), "How the worker's cost grows", size=22, weight=600)
    words = (
        "Both axes are logarithmic; the dashed guide is linear growth. What costs nothing is not drawn. "
        "Memory is a whole batch's, without the event itself."
    )
    yield text((MARGIN, 66), words, colour=FAINT, size=13)
    for number, measure in enumerate(MEASURES.values()):
        yield text((_panel_left(number), TOP - 14), measure.title, size=13, weight=600)


def _row(growth: Growth, top: float) -> Iterator[str]:
    yield rule((MARGIN, top), (WIDTH - MARGIN, top))
    yield from _explanation(growth, top)
    for number, measure in enumerate(MEASURES):
        yield from _panel(growth, measure, (_panel_left(number), top + 24))


def _explanation(growth: Growth, top: float) -> Iterator[str]:
    yield text((MARGIN, top + 32), growth.title, size=15, weight=600)
    yield text((MARGIN, top + 50), f"cost of {growth.per}", colour=FAINT)
    y = top + 74
    for line, colour in zip(growth.lines, _colours(growth), strict=True):
        yield from curve([(MARGIN + 2, y - 4), (MARGIN + 18, y - 4)], colour)
        yield text((MARGIN + 28, y), line.name)
        y += LEADING + 2
    for number, words in enumerate(wrap(growth.reason, TEXT_COLUMNS)):
        yield text((MARGIN, y + 8 + LEADING * number), words, colour=FAINT)


def _colours(growth: Growth) -> list[str]:
    """Return each line's colour: one for what has no conflict, the same in every row, others for what has."""
    others = iter(COLOURS)
    return [QUIET if line.name == NO_CONFLICT else next(others) for line in growth.lines]


@dataclass(frozen=True, slots=True)
class _Axis:
    """Where values lie along so many pixels, from `low` to `high` in powers of ten."""

    low: float
    high: float
    pixels: float

    def place(self, value: float) -> float:
        """Return how far along the axis a value lies."""
        return (log10(value) - self.low) / (self.high - self.low) * self.pixels


def _axis_of(values: Sequence[float], pixels: float) -> _Axis:
    """Return the axis from the least value to the greatest."""
    return _Axis(log10(min(values)), log10(max(values)), pixels)


def _decades_of(values: Sequence[float], pixels: float) -> _Axis:
    """Return an axis of whole decades, no fewer than show what is flat as flat."""
    low = floor(log10(min(values)))
    return _Axis(low, max(ceil(log10(max(values))), low + MIN_DECADES), pixels)


@dataclass(frozen=True, slots=True)
class _Frame:
    """Where one panel lies, and both its axes."""

    left: float
    bottom: float
    across: _Axis
    up: _Axis

    def at(self, x: float, y: float) -> Dot:
        """Return where a point is drawn."""
        return self.left + self.across.place(x), self.bottom - self.up.place(y)


def _panel(growth: Growth, measure: str, corner: Dot) -> Iterator[str]:
    lines = [[(point.x, y) for point in line.points if (y := getattr(point, measure))] for line in growth.lines]
    values = [y for line in lines for _, y in line]
    if not values:
        return
    xs = sorted({point.x for line in growth.lines for point in line.points})
    up = _decades_of(values, PANEL_HEIGHT)
    frame = _Frame(corner[0], corner[1] + PANEL_HEIGHT, _axis_of(xs, PANEL_WIDTH), up)
    yield from _grid(frame, MEASURES[measure])
    yield from _across(frame, growth, xs)
    yield _guide(frame)
    for line, colour in zip(lines, _colours(growth), strict=True):
        yield from curve((frame.at(x, y) for x, y in line), colour)


def _grid(frame: _Frame, measure: Measure) -> Iterator[str]:
    """Draw a line for each decade; name them all, or every second where there are many."""
    low, high = int(frame.up.low), int(frame.up.high)
    step = 2 if high - low > MOST_TICKS else 1
    for power in range(low, high + 1):
        _, y = frame.at(10**frame.across.low, 10**power)
        yield rule((frame.left, y), (frame.left + PANEL_WIDTH, y))
        if (power - low) % step == 0:
            yield text((frame.left - 8, y + 4), short(10**power, measure), size=11, colour=FAINT, anchor="end")


def _across(frame: _Frame, growth: Growth, xs: Sequence[float]) -> Iterator[str]:
    for x in xs:
        place = frame.left + frame.across.place(x)
        yield rule((place, frame.bottom), (place, frame.bottom + 4), GUIDE)
        yield text((place, frame.bottom + 17), short(x, growth.unit), size=11, colour=FAINT, anchor="middle")
    middle = (frame.left + PANEL_WIDTH / 2, frame.bottom + 34)
    yield text(middle, growth.x, size=11, colour=FAINT, anchor="middle")


def _guide(frame: _Frame) -> str:
    """Draw linear growth, from the lower left corner as far as it stays in the panel."""
    decades = min(frame.across.high - frame.across.low, frame.up.high - frame.up.low)
    start = frame.at(10**frame.across.low, 10**frame.up.low)
    end = frame.at(10 ** (frame.across.low + decades), 10 ** (frame.up.low + decades))
    return rule(start, end, GUIDE, dashes="4 4")
