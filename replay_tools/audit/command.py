"""``audit``: which writes last-writer-wins silently overwrote, for a person or a machine."""

import json
import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

import click
from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn, TransferSpeedColumn
from rich.table import Table
from rich.text import Text

from reconciler.policy import Policy
from replay_tools.audit.audit import OnProgress, Summary
from replay_tools.audit.audit import audit as find_lost
from replay_tools.audit.finding import LostWrite
from replay_tools.replay_command import json_ready

LOST, UNREADABLE = 1, 2
MAX_TOLD = 20
"""Damaged lines that are told one by one."""


def _recordings(_context: click.Context, _parameter: click.Parameter, given: tuple[str, ...]) -> list[tuple[str, str]]:
    """Read REGION=FILE, each; a Region may have several files."""
    recordings = []
    for text in given:
        region, equals, path = text.partition("=")
        if not (region and equals and path):
            raise click.BadParameter(f"{text!r} is not REGION=FILE, such as us-east-1=stream.ndjson")
        recordings.append((region, path))
    if len({region for region, _ in recordings}) == 1:
        raise click.BadParameter("recordings of two Regions, or more, are needed: a loss shows only between them")
    if sum(path == "-" for _, path in recordings) > 1:
        raise click.BadParameter("only one recording can be standard input")
    return recordings


@click.command
@click.argument("recordings", nargs=-1, required=True, metavar="REGION=FILE...", callback=_recordings)
@click.option(
    "--policy",
    "policy_file",
    type=click.Path(exists=True, dir_okay=False),
    help="The policy file, where the items carry `Causality`: its list of Regions names who made a write.",
)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object for each lost write, a line each.")
@click.pass_context
def audit(context: click.Context, recordings: list[tuple[str, str]], policy_file: str | None, *, as_json: bool) -> None:
    """Tell which writes last-writer-wins silently overwrote, from recordings of two or more Regions of any table.

    FILE is NDJSON, a Lambda event, a GetRecords answer, Kinesis records, poison messages, each plain or compressed,
    the folder of an incremental export, any of these at s3://, or - for standard input. Neither metadata nor a policy
    is needed: without `Causality` the findings are approximate, and say why. Nothing is changed, and no item's value
    is printed but keys.

    Exit code 0 says that nothing was lost, 1 that something was, 2 that some input could not be read.

    \b
    Example:
      python -m replay_tools audit us-east-1=us.ndjson.gz eu-west-1=eu.ndjson.gz
    """  # noqa: D301 - click's own mark
    policy = Policy.load(policy_file) if policy_file else None
    summary, told = Summary(), _Teller(as_json=as_json)
    with _progress() as on_progress:
        for lost in find_lost(recordings, policy, summary, on_progress):
            told.tell(lost)
    told.end(summary)
    context.exit(UNREADABLE if summary.damaged else LOST if told.count else 0)


class _Teller:
    """Tells losses one by one, and in the end how many, of what, and between which Regions."""

    def __init__(self, *, as_json: bool) -> None:
        self._as_json = as_json
        self._console = Console(soft_wrap=True)
        self._counts: dict[str, Counter[str]] = {name: Counter() for name in ("direction", "attribute", "key", "why")}
        self.count = 0

    def tell(self, lost: LostWrite) -> None:
        self.count += 1
        if self._as_json:
            click.echo(json.dumps(lost.as_data(), default=json_ready))
            return
        data = lost.as_data()
        key = json.dumps(data["key"], default=json_ready)
        self._console.print(_line(lost, key, data["at"]))
        self._counts["direction"][f"made in {lost.region}, overwritten from {lost.made_in or 'another Region'}"] += 1
        self._counts["attribute"].update(lost.attributes)
        self._counts["key"][key] += 1
        self._counts["why"][f"{lost.exactness}: {lost.why}"] += 1

    def end(self, summary: Summary) -> None:
        """Tell what could not be read, and the totals."""
        for damage in summary.damages[:MAX_TOLD]:
            click.echo(f"damaged: {damage}", err=True)
        if summary.damaged > MAX_TOLD:
            click.echo(f"damaged: {summary.damaged - MAX_TOLD} more", err=True)
        if not self._as_json:
            for name, counted in self._counts.items():
                if counted:
                    self._console.print(_table(name, counted))
        click.echo(_totals(self.count, summary), err=self._as_json)


def _line(lost: LostWrite, key: str, at: str | None) -> Text:
    return Text.assemble(
        (f"{lost.exactness}  ", "bold red" if lost.exactness == "exact" else "red"),
        f"{key}  {lost.region} {lost.sequence_number}",
        f"  {at or 'time unknown'}  {', '.join(lost.attributes)}",
        (f"  overwritten by {lost.overwritten_in} {lost.overwritten_by}: {lost.why}", "dim"),
    )


def _table(name: str, counted: Counter[str]) -> Table:
    table = Table(name, "lost writes", box=None, pad_edge=False)
    for value, count in counted.most_common(MAX_TOLD):
        table.add_row(Text(value), str(count))
    if len(counted) > MAX_TOLD:
        table.add_row(Text(f"({len(counted) - MAX_TOLD} more)"), "")
    return table


def _totals(count: int, summary: Summary) -> str:
    lost = "nothing lost" if not count else "1 lost write" if count == 1 else f"{count} lost writes"
    damaged = f", {summary.damaged} damaged" if summary.damaged else ""
    return f"{lost} in {summary.records} records of {summary.keys} items{damaged}"


@contextmanager
def _progress() -> Iterator[OnProgress]:
    """Show how far reading has come, with rate and time left; nothing where nobody watches."""
    console = Console(stderr=True)
    if not (sys.stderr.isatty() and console.is_terminal):
        yield lambda _done, _all: None
        return
    columns = TextColumn("reading"), BarColumn(), DownloadColumn(), TransferSpeedColumn(), TimeRemainingColumn()
    with Progress(*columns, console=console, transient=True) as progress:
        task = progress.add_task("reading", total=None)
        yield lambda done, total: progress.update(task, completed=done, total=total)
