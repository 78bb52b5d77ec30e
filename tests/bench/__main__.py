"""``python -m tests.bench``: measure, print, and leave the plot and all figures in a folder."""

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

import click
from rich.console import Console

from tests.bench.bookkeeping import bookkeeping
from tests.bench.growth import growth
from tests.bench.plot import plot
from tests.bench.profile import profile
from tests.bench.report import WIDTH, show, show_growth
from tests.bench.scale import FULL, SMALLEST
from tests.bench.server import serving
from tests.bench.speed import speed
from tests.bench.start import start
from tests.bench.workers import deployed
from tests.bench.writes import writes

OUT = Path(__file__).parents[2] / "build" / "bench"


@click.command()
@click.option("--json", "as_json", is_flag=True, help="Print every figure as JSON instead of tables.")
@click.option("--smallest", is_flag=True, help="Run everything once, on next to nothing.")
@click.option("--out", type=click.Path(path_type=Path), default=OUT, help="Folder for growth.svg and bench.json.")
def main(*, as_json: bool, smallest: bool, out: Path) -> None:
    """Measure this worker against a plain one, and how its cost grows."""
    scale = SMALLEST if smallest else FULL
    with serving() as server, deployed(server):
        rows = [*speed(scale, server), *start(scale, server), *writes(scale, server)]
        added, shares, growths = bookkeeping(scale), profile(scale), growth(scale, server)
    figures: dict[str, Any] = {
        "rows": [asdict(row) for row in rows],
        "bookkeeping": [asdict(line) for line in added],
        "profile": shares,
        "growth": [asdict(curve) for curve in growths],
    }
    text = json.dumps(figures, indent=2)
    out.mkdir(parents=True, exist_ok=True)
    (out / "bench.json").write_text(text, encoding="utf-8")
    (out / "growth.svg").write_text(plot(growths), encoding="utf-8")
    if as_json:
        click.echo(text)
        return
    console = Console(width=WIDTH)
    show(console, rows, added, shares)
    show_growth(console, growths)
    console.print(f"The plot is in {out / 'growth.svg'}.")


if __name__ == "__main__":
    main()
