"""``simulate``: random histories, and every interleaving of small ones."""

from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from os import cpu_count

import click
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from replay_tools.simulator import runner
from replay_tools.simulator.report import interleavings_line, random_lines
from replay_tools.simulator.workloads import WORKLOADS


@click.command
@click.option("--histories", type=click.IntRange(0), default=1_000, show_default=True, help="How many random ones.")
@click.option("--seed", type=click.IntRange(0), default=0, show_default=True, help="The first one's seed.")
@click.option("--workload", "names", type=click.Choice(list(WORKLOADS)), multiple=True, help="Only these workloads.")
@click.option("--regions", type=click.IntRange(2, 3), multiple=True, help="Only histories of so many Regions.")
@click.option("--random-only", is_flag=True, help="Walk no interleavings.")
@click.option("--exhaustive", is_flag=True, help="Walk those of four writes in three Regions too (minutes).")
@click.option("--processes", type=click.IntRange(1), default=cpu_count() or 1, help="Cores to use; all by default.")
@click.pass_context
def simulate(  # noqa: PLR0913, PLR0917 - one for each option
    ctx: click.Context,
    histories: int,
    seed: int,
    names: Sequence[str],
    regions: Sequence[int],
    processes: int,
    *,
    random_only: bool,
    exhaustive: bool,
) -> None:
    """Search histories of a Global Table for a lost write, over the real writer and the real worker.

    Histories are random by seed: lag, coalescing, partitions, skewed clocks, crashes, redelivery, retries, deletes.
    Small ones are walked in every interleaving. Beside each runs a table without a worker, to say what it would lose.
    A failure is printed with its seed, shrunk to the fewest steps. Exit status 1: something failed.
    """
    counts = regions or (2, 3)
    chosen = [name for name in names or WORKLOADS if WORKLOADS[name].regions in counts]
    if histories and not chosen:
        raise click.UsageError("no workload is left of these names and numbers of Regions")
    with runner.pool(processes) as executor:
        fails = _random(executor, chosen, range(seed, seed + histories)) if histories else False
        if not random_only:
            fails = _interleavings(executor, counts, large=exhaustive) or fails
    ctx.exit(1 if fails else 0)


def _random(executor: ProcessPoolExecutor, names: Sequence[str], seeds: range) -> bool:
    with _progress("random histories", len(seeds)) as advance:
        summary = runner.simulate(names, seeds, executor, advance)
    for line in random_lines(summary, len(names)):
        click.echo(line)
    for failure in runner.explained(summary):
        click.echo(f"\nworkload {failure.workload}, seed {failure.seed}:\n{failure.text}")
    return bool(summary.failing)


def _interleavings(executor: ProcessPoolExecutor, regions: Sequence[int], *, large: bool) -> bool:
    fails = False
    click.echo("\nEvery interleaving of small histories:")
    for found in runner.walk(executor, large=large, regions=regions):
        click.echo(interleavings_line(found))
        if found.failures:
            click.echo(runner.describe(found))
            fails = True
    return fails


@contextmanager
def _progress(title: str, total: int) -> Iterator[runner.Advance]:
    """Show progress on a terminal, and nothing elsewhere."""
    console = Console(stderr=True)
    columns = (TextColumn(title), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console, disable=not console.is_terminal, transient=True) as progress:
        task = progress.add_task(title, total=total)
        yield lambda count: progress.advance(task, count)
