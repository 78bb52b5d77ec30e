"""``report``: one HTML page from the recordings of two or more Regions."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import click
from rich.console import Console
from rich.progress import Progress, SpinnerColumn, TaskProgressColumn, TextColumn

from reconciler.policy import Policy
from replay_tools import bootstrap
from replay_tools.recordings import RecordingError
from replay_tools.report.gather import Advance, Gathered, gather, policy_for
from replay_tools.report.lineage import lineage
from replay_tools.report.losses import read_losses, tell_losses
from replay_tools.report.marks import Kind, Mark
from replay_tools.report.order import arrange
from replay_tools.report.page import page
from replay_tools.report.payload import blocks, payload

FEWEST = 2


@click.command
@click.argument("recordings", metavar="REGION=FILE...", nargs=-1, required=True)
@click.option(
    "--policy",
    "policy_file",
    envvar="POLICY_FILE",
    type=click.Path(exists=True, dir_okay=False),
    help="The policy file; otherwise the records' own key, and every attribute is latest.",
)
@click.option("--losses", type=click.Path(exists=True, dir_okay=False), help="What audit --json printed.")
@click.option("-o", "--output", type=click.Path(dir_okay=False), default="report.html", show_default=True)
def report(recordings: tuple[str, ...], policy_file: str | None, losses: str | None, output: str) -> None:
    """Write one HTML page that shows what each Region saw, and which writes were overwritten.

    The page holds the items' values, asks nothing of any network, and opens from a file. Nothing else is written.

    Example: report us-east-1=us.ndjson eu-west-1=eu.ndjson --policy policy.toml -o report.html
    """
    sources = sources_of(recordings)
    policy = Policy.load(policy_file) if policy_file else policy_for(sources)
    with _progress() as advance:
        gathered = gather(sources, policy, lambda policy, region: bootstrap.replay(policy, region)[0], advance)
    lanes = lineage(gathered, policy)
    unknown = tell_losses(read_losses(losses), lanes) if losses else 0
    marks = _write(output, lanes, gathered, unknown)
    overwritten = sum(mark.kind is Kind.OVERWRITTEN for mark in marks)
    click.echo(f"{output}: {len(marks)} records, {overwritten} overwritten writes")


def sources_of(recordings: tuple[str, ...]) -> Mapping[str, str]:
    """Return each Region's file; UsageError where fewer than two Regions are named, or one twice."""
    sources: dict[str, str] = {}
    for recording in recordings:
        region, separator, path = recording.partition("=")
        if not (region and separator and path):
            raise click.UsageError(f"{recording!r} is no REGION=FILE")
        if region in sources:
            raise click.UsageError(f"the Region {region} is named twice")
        sources[region] = path
    if len(sources) < FEWEST:
        raise click.UsageError("a report needs the recordings of two Regions or more")
    return sources


def _write(output: str, lanes: list[list[Mark]], gathered: Gathered, unknown: int) -> list[Mark]:
    marks, step_ms = arrange(lanes)
    data = payload(marks, gathered, step_ms=step_ms, unknown_losses=unknown)
    try:
        with Path(output).open("w", encoding="utf-8") as file:
            file.writelines(page(data, blocks(marks)))
    except OSError as error:
        raise RecordingError(f"{output}: cannot be written: {error.strerror}") from error
    return marks


@contextmanager
def _progress() -> Iterator[Advance]:
    """Show how many records were judged on a terminal, and nothing elsewhere."""
    console = Console(stderr=True)
    columns = (SpinnerColumn(), TextColumn("judging records"), TaskProgressColumn(show_speed=True))
    with Progress(*columns, console=console, disable=not console.is_terminal, transient=True) as progress:
        task = progress.add_task("records", total=None)
        yield lambda count: progress.advance(task, count)
