"""``conflicts``: what the workers told of conflicts, out of the history table or a file of events."""

from typing import TYPE_CHECKING

import click

from reconciler.conflict import Kind
from replay_tools.conflicts_told import Wanted, keys_of, line_of, moment, read_events
from replay_tools.explain_text import Damages, echo_object
from replay_tools.inputs import RecordingError
from replay_tools.replay_command import DEFAULT_POLICY, load_policy

if TYPE_CHECKING:
    from collections.abc import Iterator

    from replay_tools.conflicts_told import Told

LOST = 1
EXAMPLE = "Example: replay-tools conflicts --table ConflictHistory --region us-east-1 --key sub-1 --since 2026-11-23"


@click.command(epilog=EXAMPLE)
@click.argument("file", required=False, type=click.Path(exists=True, dir_okay=False, allow_dash=True))
@click.option("--table", envvar="HISTORY_TABLE_NAME", help="The conflict history, where there is no FILE.")
@click.option("--region", envvar="AWS_REGION", help="The Region of the history: each has its own.")
@click.option("--key", help="Only the item of this key: its value, NAME=VALUE,NAME=VALUE, or DynamoDB's JSON.")
@click.option("--since", help="Only what was lost at or after this time (ISO 8601; without a zone, UTC).")
@click.option("--until", help="Only what was lost before this time.")
@click.option("--kind", "kinds", multiple=True, type=click.Choice([kind.value for kind in Kind]))
@click.option(
    "--policy",
    "policy_file",
    envvar="POLICY_FILE",
    type=click.Path(exists=True, dir_okay=False),
    help=f"Names the key's attributes for --key; otherwise ./{DEFAULT_POLICY}, otherwise Id.",
)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object for each conflict.")
@click.pass_context
def conflicts(  # noqa: PLR0913, PLR0917 - one for each option
    context: click.Context,
    file: str | None,
    table: str | None,
    region: str | None,
    key: str | None,
    since: str | None,
    until: str | None,
    kinds: tuple[str, ...],
    policy_file: str | None,
    *,
    as_json: bool,
) -> None:
    """Print the conflicts of the history --table, or of a FILE of TMF688 events: one a line, without values.

    With --key the history is queried, otherwise all of it is scanned, which costs read units. Nothing is changed.
    Events without values name items by a digest of their key: --key finds them all the same.

    Exit codes: 0 fine; 1 a conflict stays lost, or something in FILE is damaged; 2 wrong usage or unreadable input.
    """
    damages = Damages()
    try:
        wanted = Wanted(keys_of(key, load_policy(policy_file)), moment(since), moment(until), kinds)
    except ValueError as error:
        raise click.UsageError(f"--key, --since or --until cannot be read: {error}") from error
    found: Iterator[Told]
    if file is not None:
        found = filter(wanted.has, read_events(file, damages))
    elif table and region:
        from replay_tools.conflicts_history import read_history  # noqa: PLC0415 - boto3 takes 200 ms

        found = read_history(table, region, wanted)
    else:
        raise click.UsageError("name a FILE of events, - for standard input, or --table and --region")
    count = lost = 0
    for told in found:
        count, lost = count + 1, lost + (not told["repaired"])
        if as_json:
            echo_object(told)
        else:
            click.echo(line_of(told))
    if file is not None and damages.count and not count:
        raise RecordingError(f"{file}: holds no conflict event")
    if not as_json:
        click.echo(f"{count} conflicts, {lost} stay lost")
    context.exit(LOST if lost or damages.count else 0)
