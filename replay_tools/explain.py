"""``explain``: one key's history across Regions, in sentences."""

from collections.abc import Iterator
from dataclasses import dataclass

import click

from reconciler.conflict_event import iso_time
from reconciler.policy import Policy
from replay_tools import bootstrap
from replay_tools.explain_history import RegionHistory, converged, history_of
from replay_tools.explain_progress import with_progress
from replay_tools.explain_text import Damages, echo_object, printable
from replay_tools.explain_told import lines_of
from replay_tools.recordings import Recorded, read_recording
from replay_tools.replay_command import DEFAULT_POLICY, load_policy

UNSETTLED = 1
EXAMPLE = "Example: replay-tools explain sub-1 us-east-1=us.ndjson.gz eu-west-1=eu.ndjson.gz --policy policy.toml"


@dataclass(frozen=True, slots=True)
class Source:
    """A Region's recording."""

    region: str
    path: str


def _sources(_context: click.Context, _param: click.Parameter, texts: tuple[str, ...]) -> tuple[Source, ...]:
    """Return each Region with its file; a usage error names what is no ``REGION=FILE``."""
    found = []
    for text in texts:
        region, _, path = text.partition("=")
        if not (region and path):
            raise click.BadParameter(f"{text!r} is no REGION=FILE, such as us-east-1=stream.ndjson")
        found.append(Source(region, path))
    return tuple(found)


@click.command(epilog=EXAMPLE)
@click.argument("key")
@click.argument("sources", nargs=-1, required=True, callback=_sources, metavar="REGION=FILE...")
@click.option(
    "--policy",
    "policy_file",
    envvar="POLICY_FILE",
    type=click.Path(exists=True, dir_okay=False),
    help=f"The policy file; otherwise ./{DEFAULT_POLICY}, otherwise every attribute is latest.",
)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object for each record, then one for the end.")
@click.pass_context
def explain(
    context: click.Context, key: str, sources: tuple[Source, ...], policy_file: str | None, *, as_json: bool
) -> None:
    """Tell the history of the item KEY across Regions: what each saw, what was lost, what the policy decided.

    KEY is the partition key's value, or NAME=VALUE,NAME=VALUE. Nothing is changed anywhere.
    What is printed holds the item's values.

    Exit codes: 0 fine; 1 something stays lost or waits for a person, nothing is known of KEY, or a recording is
    damaged; 2 wrong usage or unreadable input.
    """
    policy, damages = load_policy(policy_file), Damages()
    histories = [history_of(key, _records(source, damages), policy, source.region) for source in sources]
    records = [seen for history in histories for seen in history.seen]
    if as_json:
        _echo(histories, policy)
    elif records:
        click.echo(f"item {printable(key)} of {printable(policy.name)}")
        for line in lines_of(histories, policy):
            click.echo(line)
    if not records:
        click.echo(f"no record of {printable(key)} in {', '.join(source.path for source in sources)}", err=True)
    is_fine = records and all(seen.is_settled for seen in records) and not damages.count
    context.exit(0 if is_fine else UNSETTLED)


def _records(source: Source, damages: Damages) -> Iterator[Recorded]:
    return with_progress(read_recording(source.path, damages), source.path, bootstrap.clock_ms)


def _echo(histories: list[RegionHistory], policy: Policy) -> None:
    for history in histories:
        for seen in history.seen:
            echo_object(
                {
                    "region": history.region,
                    "place": seen.place,
                    "sequence_number": seen.record.sequence_number,
                    "at": iso_time(seen.record.at_ms),
                    "operation": seen.record.operation,
                    "made_in": seen.made_in,
                    "changes": seen.changes,
                    "loss": seen.has_loss,
                    "decisions": seen.decisions,
                }
            )
    echo_object({"end": converged(histories, policy)})
