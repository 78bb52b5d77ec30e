"""The report: tables for people, one document for programs."""

from collections.abc import Iterable, Mapping, Sequence

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table

from tests.bench.bookkeeping import Added
from tests.bench.curves import Growth
from tests.bench.measure import Spread
from tests.bench.speed import Asked, Row
from tests.bench.units import MEASURES, short

WIDTH = 160
FEW = 100
STRICT = "strict: the plain worker's records have no Causality, and it puts by boto3's low-level client"


def show(
    console: Console, rows: Sequence[Row], added: Sequence[Added], profile: Mapping[str, Mapping[str, float]]
) -> None:
    """Print the tables of what one record, write or start costs."""
    console.print(_speed(rows), _bookkeeping(added))
    for name, shares in profile.items():
        console.print(_profile(name, shares))


def show_growth(console: Console, growths: Iterable[Growth]) -> None:
    """Print one table for each thing that is varied, and the reason of its curves."""
    for growth in growths:
        console.print(_growth(growth))
        console.print(growth.reason, style="dim")
        console.print()


def _table(title: str, *columns: str) -> Table:
    """Return an empty table; its first column is text, the others are numbers."""
    table = Table(title=title, title_justify="left", title_style="bold", box=SIMPLE_HEAD, min_width=len(title))
    table.caption_justify = "left"
    for number, column in enumerate(columns):
        table.add_column(column, justify="right" if number else "left", no_wrap=True)
    return table


def _speed(rows: Iterable[Row]) -> Table:
    title = "This worker against the plain one: median ± half of what the middle half of the repeats spans"
    table = _table(title, "work", "unit", "this", "plain", "plain/this", "bar", "asks: this", "plain")
    for row in rows:
        bar = "" if row.bar is None else f"{row.bar:g} {'met' if row.is_met else 'MISSED'}"
        figures = (_spread(row.ours), _spread(row.plain), _spread(row.ratio, digits=2 if row.ratio.median < FEW else 0))
        table.add_row(row.work, row.unit, *figures, bar, _asked(row.ours_asked), _asked(row.plain_asked))
    table.caption = STRICT
    return table


def _spread(spread: Spread, *, digits: int = 0) -> str:
    digits = digits or (1 if spread.median < FEW else 0)
    return f"{spread.median:,.{digits}f} ± {(spread.high - spread.low) / 2:,.{digits}f}"


def _number(value: float) -> str:
    return f"{value:,.1f}" if value < FEW else f"{value:,.0f}"


def _asked(asked: Asked) -> str:
    return " ".join(f"{count} {operation.removesuffix('Item')}" for operation, count in sorted(asked.items())) or "-"


def _bookkeeping(added: Iterable[Added]) -> Table:
    table = _table("Bytes that Causality adds to an item", "item", "writes in the window", "Causality", "whole item")
    for line in added:
        table.add_row(line.item, str(line.writes), f"{line.causality:,}", f"{line.whole:,}")
    return table


def _profile(name: str, shares: Mapping[str, float]) -> Table:
    table = _table(f"Where the processor time goes: {name}", "step", "µs/record", "share")
    total = sum(shares.values())
    for step, time in shares.items():
        table.add_row(step, _number(time), f"{time / total:.0%}")
    return table


def _growth(growth: Growth) -> Table:
    columns = [measure.title.lower() for measure in MEASURES.values()]
    table = _table(f"{growth.title}: cost of {growth.per}", "records", growth.x, *columns)
    for line in growth.lines:
        for point in line.points:
            figures = (
                short(cost, measure) if (cost := getattr(point, name)) else "-" for name, measure in MEASURES.items()
            )
            table.add_row(line.name, short(point.x, growth.unit), *figures)
        table.add_row(
            "", "grows as", *(_power(line.exponent(name)) for name in MEASURES), style="dim", end_section=True
        )
    return table


def _power(exponent: float | None) -> str:
    return "-" if exponent is None else f"x^{exponent:.2f}"
