"""``demo``: a Global Table on this machine, with and without the workers, in a minute."""

import json

import click
from rich.console import Console

DEFAULT_WRITES, MIN_WRITES, MAX_WRITES = 160, 16, 10_000
ENGINES = ("moto", "dynamodb-local")


@click.command
@click.option("--narrate", is_flag=True, help="Walk one small conflict through, step by step, instead.")
@click.option("--seed", default=1, show_default=True, help="The same seed sends the same requests.")
@click.option(
    "--writes",
    type=click.IntRange(MIN_WRITES, MAX_WRITES),
    default=DEFAULT_WRITES,
    show_default=True,
    help="How many writes clients make.",
)
@click.option(
    "--engine",
    "engine_name",
    type=click.Choice(ENGINES),
    default=ENGINES[0],
    show_default=True,
    help="What holds the tables: moto in this process, or DynamoDB Local, which make dynamodb-local fetches.",
)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object, and nothing else.")
@click.pass_context
def demo(  # noqa: PLR0913 - one for each option
    ctx: click.Context, seed: int, writes: int, engine_name: str, *, narrate: bool, as_json: bool
) -> None:
    """Play a Global Table of two Regions, offline, with the workers and without.

    Clients write concurrently, a partition parts the Regions and heals, requests are sent again to the other Region,
    and a record is broken by hand. Afterwards the items are held against what the clients were told.
    Exit status 1: with the workers an acknowledged write was lost or counted twice, or the Regions differ.
    Threads decide what meets what, so the counts differ a little from run to run, even with the same seed.
    """
    if narrate and as_json:
        raise click.UsageError("--narrate tells a story; it has no --json")
    console = Console(highlight=False)
    if narrate:
        from replay_tools.demo.narrate import narrate_conflict  # noqa: PLC0415 - moto takes a second

        ctx.exit(0 if narrate_conflict(console, engine_name) else 1)
    from replay_tools.demo.play import play  # noqa: PLC0415 - as above
    from replay_tools.demo.screen import show_report, watching  # noqa: PLC0415 - as above

    if as_json:
        report = play(seed, writes, lambda _progress: None, engine_name)
        click.echo(json.dumps(report.as_data(), indent=2))
    else:
        with watching(console, writes) as watch:
            report = play(seed, writes, watch, engine_name)
        show_report(console, report)
    ctx.exit(1 if report.problems else 0)
