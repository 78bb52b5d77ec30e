"""``replay``: what the worker decides about recorded records, for a person or a machine."""

import json
import sys
from base64 import b64encode
from collections import Counter
from decimal import Decimal
from itertools import chain
from pathlib import Path

import click
from rich.console import Console
from rich.table import Table
from rich.text import Text

from reconciler.explain import Explanation
from reconciler.policy import Policy, default_policy
from replay_tools import bootstrap
from replay_tools.recordings import read_recording
from replay_tools.replay import Judged, Replay, explanations, region_of, told_as_sentence

UNSETTLED = 1
DEFAULT_POLICY = "policy.toml"
COLOURS = {"noop": "dim", "repair": "green", "escalate": "bold red", "failed": "bold red"}


@click.command
@click.argument("recording", type=click.Path(exists=True, dir_okay=False, allow_dash=True))
@click.option(
    "--policy",
    "policy_file",
    envvar="POLICY_FILE",
    type=click.Path(exists=True, dir_okay=False),
    help=f"The policy file; otherwise ./{DEFAULT_POLICY}, otherwise every attribute is latest.",
)
@click.option("--region", help="The Region whose stream this is; otherwise the records say it.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object for each decision.")
@click.option("--conflicts", is_flag=True, help="Leave out records that lost nothing.")
@click.option("--apply", is_flag=True, help="Repair the real table, and send poison to --queue-url.")
@click.option("--queue-url", envvar="POISON_QUEUE_URL", help="The poison queue, with --apply.")
@click.pass_context
def replay(  # noqa: PLR0913 - one for each option
    context: click.Context,
    recording: str,
    policy_file: str | None,
    region: str | None,
    queue_url: str | None,
    *,
    as_json: bool,
    conflicts: bool,
    apply: bool,
) -> None:
    """Tell what the worker decides about each record of RECORDING: NDJSON, a Lambda event, a GetRecords answer, or -.

    Nothing is changed, unless --apply says so: the table is taken to hold what the recording shows.
    Exit code 1 says that something is left for a person. What is printed holds the items' values.
    """
    if apply and not queue_url:
        raise click.UsageError("--apply needs --queue-url: what cannot be settled has to go somewhere")
    policy, records = load_policy(policy_file), read_recording(recording)
    first = next(records, None)
    if first is None:
        click.echo(f"{recording}: holds no record", err=True)
        return
    region = region or region_of(first, policy)
    player = bootstrap.real_replay(policy, region, queue_url or "") if apply else bootstrap.replay(policy, region)[0]
    told = _Teller(policy, as_json=as_json, conflicts=conflicts)
    for judged in player.judge_all(chain([first], records)):
        told.tell(judged, player)
    told.end()
    context.exit(UNSETTLED if told.unsettled else 0)


def load_policy(path: str | None) -> Policy:
    """Read the policy file that is named, or that stands in this folder; else the default policy."""
    if path or Path(DEFAULT_POLICY).exists():
        return Policy.load(path or DEFAULT_POLICY)
    return default_policy()


class _Teller:
    """Prints decisions as they come, and their sum at the end."""

    def __init__(self, policy: Policy, *, as_json: bool, conflicts: bool) -> None:
        self._policy = policy
        self._as_json = as_json
        self._conflicts = conflicts
        self._console = Console(file=sys.stdout, highlight=False, soft_wrap=True)
        self._counts: Counter[tuple[str, str]] = Counter()
        self.unsettled = False

    def tell(self, judged: Judged, player: Replay) -> None:
        """Print one record's decisions."""
        self.unsettled |= not judged.is_settled
        for told in explanations(judged, self._policy, player.region):
            self._counts[told["decision"], told["reason"]] += 1
            if told["decision"] == "noop" and "conflict" not in told and self._conflicts:
                continue
            if self._as_json:
                click.echo(json.dumps(told, default=json_ready, separators=(",", ":")))
            else:
                self._console.print(_line(told))

    def end(self) -> None:
        """Print how often each decision was made, to a person."""
        if self._as_json:
            return
        table = Table("decision", "reason", "count", title="Decisions", title_justify="left")
        for (decision, reason), count in sorted(self._counts.items()):
            table.add_row(Text(decision, COLOURS[decision]), reason, str(count))
        self._console.print(table)


def _line(told: Explanation) -> Text:
    decision = told["decision"]
    return Text.assemble(f"{told['place']}  ", (decision, COLOURS[decision]), f"  {told_as_sentence(told)}")


def json_ready(value: object) -> object:
    """Return what JSON has no type for: numbers exact or as text, sets sorted, binary as base64."""
    match value:
        case Decimal():
            return _number(value)
        case set() | frozenset():
            return sorted(map(json_ready, value), key=str)
        case bytes():
            return b64encode(value).decode()
        case _:
            return str(value)


def _number(value: Decimal) -> int | float | str:
    if value == value.to_integral_value():
        return int(value)
    return float(value) if Decimal(repr(float(value))) == value else str(value)
