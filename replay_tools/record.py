"""``record``: a table's live stream, all shards, parents first, to NDJSON."""

import gzip
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from itertools import islice
from pathlib import Path
from typing import IO

import click

from reconciler.records import RawRecord
from replay_tools import bootstrap
from replay_tools.recordings import write_recording

COMPRESSION = 6


@click.command
@click.argument("table")
@click.argument("output", default="-", type=click.Path(dir_okay=False, allow_dash=True))
@click.option("--region", envvar="AWS_REGION", required=True, help="The Region whose replica's stream is read.")
@click.option("--follow", is_flag=True, help="Go on recording until interrupted.")
@click.option("--limit", type=click.IntRange(min=1), help="Stop after so many records.")
@click.option("--force", is_flag=True, help="Overwrite OUTPUT where it exists.")
def record(  # noqa: PLR0913 - one for each option
    table: str, output: str, region: str, limit: int | None, *, follow: bool, force: bool
) -> None:
    """Record the stream of TABLE to OUTPUT: NDJSON, with gzip where it ends in .gz, on standard output without it.

    Everything that the stream still keeps is recorded, up to now. Only the stream is read; nothing is changed.
    The recording holds the items' values: keep it as you keep the table.
    """
    if output != "-" and not force and Path(output).exists():
        raise click.UsageError(f"{output} exists; --force overwrites it")
    records = bootstrap.live_records(table, region, _warn_of_gap, follow=follow)
    with _sink(output) as file:
        count = write_recording(islice(_until_interrupted(records), limit), file)
    click.echo(f"{count} records of {table} in {region}", err=True)


def _until_interrupted(records: Iterator[RawRecord]) -> Iterator[RawRecord]:
    with suppress(KeyboardInterrupt):
        yield from records


@contextmanager
def _sink(output: str) -> Iterator[IO[str]]:
    if output == "-":
        yield sys.stdout
        return
    opened = gzip.open(output, "wt", COMPRESSION) if output.endswith(".gz") else Path(output).open("w")  # noqa: SIM115 - closed below
    with opened as file:
        yield file


def _warn_of_gap(shard_id: str) -> None:
    click.echo(f"warning: shard {shard_id}: records were trimmed before they could be read", err=True)
