"""``check-policy``: a policy file before it is deployed: whether its functions keep the laws, what it would change."""

from collections.abc import Iterator, Mapping
from dataclasses import asdict
from itertools import chain
from pathlib import Path
from typing import Any

import click

from reconciler.explain import Explanation
from reconciler.policy import Policy
from replay_tools import bootstrap
from replay_tools.check_policy_compare import Comparison, Difference
from replay_tools.check_policy_laws import TYPES, attributes_of, broken_laws, dangers
from replay_tools.explain_progress import with_progress
from replay_tools.explain_text import Damages, echo_object, printable, shown, shown_key
from replay_tools.recorded_table import MAX_ITEMS
from replay_tools.recordings import Recorded, read_recording
from replay_tools.replay import region_of

WRONG = 1
DEFAULT_POLICY = "policy.toml"

EXAMPLE = "Example: replay-tools check-policy new.toml --against policy.toml --recording us-east-1.ndjson"
FILE = click.Path(exists=True, dir_okay=False)


@click.command("check-policy", epilog=EXAMPLE)
@click.argument("file", type=FILE)
@click.option(
    "--recording",
    "recordings",
    multiple=True,
    type=click.Path(exists=True, dir_okay=False, allow_dash=True),
    help="A recorded stream to run through both policies; - is standard input. May be given several times.",
)
@click.option("--against", type=FILE, help=f"The policy to compare with; otherwise ./{DEFAULT_POLICY}, if it is there.")
@click.option("--type", "types", multiple=True, type=click.Choice(TYPES), help="Law-check values of this type only.")
@click.option("--region", help="The Region whose streams these are; otherwise the records say it.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object a line.")
@click.pass_context
def check_policy(  # noqa: PLR0913, PLR0917 - one for each option
    context: click.Context,
    file: str,
    recordings: tuple[str, ...],
    against: str | None,
    types: tuple[str, ...],
    region: str | None,
    *,
    as_json: bool,
) -> None:
    """Check the policy FILE: its text, the laws of its custom functions, and what it would change.

    With --recording, each recorded stream runs through the real worker under FILE and under the other policy, and each
    item that ends differently is told, with the decisions that differ. Values of items are printed then.
    Custom functions are imported and run. Nothing is changed anywhere.

    Exit codes: 0 fine; 1 a law is broken, a change is dangerous, items end differently, or a recording is damaged;
    2 wrong usage or unreadable input.
    """
    policy, other = Policy.load(file), _present(file, against)
    teller = _Teller(file, other[0] if other else "", as_json=as_json)
    teller.policy(policy)
    for broken in broken_laws(policy, types):
        teller.wrong("law", broken.sentence, asdict(broken))
    for danger in dangers(policy, other[1]) if other else ():
        teller.wrong("danger", danger, {"sentence": danger})
    damages = Damages()
    for recording in recordings:
        comparison = _compare(read_recording(recording, damages), recording, (policy, other and other[1]), region)
        if comparison:
            teller.compared(recording, comparison)
    teller.end()
    context.exit(WRONG if teller.is_wrong or damages.count else 0)


def _present(file: str, against: str | None) -> tuple[str, Policy] | None:
    """Return the other policy, by its file; None where there is none but the one that is checked."""
    if against is None and (not Path(DEFAULT_POLICY).exists() or Path(DEFAULT_POLICY).samefile(file)):
        return None
    name = against or DEFAULT_POLICY
    return name, Policy.load(name)


def _compare(
    records: Iterator[Recorded], recording: str, policies: tuple[Policy, Policy | None], region: str | None
) -> Comparison | None:
    first = next(records, None)
    if first is None:
        click.echo(f"{recording}: holds no record", err=True)
        return None
    comparison = Comparison(*policies, region or region_of(first, policies[0]))
    for recorded in with_progress(chain([first], records), recording, bootstrap.clock_ms):
        comparison.take(recorded)
    return comparison


class _Teller:
    """Prints what was found, for a person or a machine."""

    def __init__(self, file: str, other: str, *, as_json: bool) -> None:
        self._file, self._other, self._as_json = file, other, as_json
        self.is_wrong = False

    def policy(self, policy: Policy) -> None:
        """Tell what the file says."""
        kinds = {path: attribute.kind.value for path, attribute in attributes_of(policy.attributes)}
        if self._as_json:
            echo_object(
                {"check": "policy", "file": self._file, "table": policy.name, "key": list(policy.key_names)}
                | {"regions": list(policy.regions), "attributes": kinds}
            )
            return
        key, regions = ", ".join(policy.key_names), ", ".join(policy.regions)
        click.echo(f"{self._file}: the policy of table {printable(policy.name)} (key {printable(key)}) in {regions}")
        for path, kind in kinds.items():
            click.echo(f"  {printable(path)}: {kind}")
        click.echo("  everything else: latest")

    def wrong(self, check: str, sentence: str, found: Explanation) -> None:
        """Tell of a broken law, or of a change that no deployment may make."""
        self.is_wrong = True
        if self._as_json:
            echo_object({"check": check, **found})
        else:
            where = f"{printable(found['attribute'])}: " if "attribute" in found else ""
            click.echo(f"{click.style(check, fg='red', bold=True)}  {where}{printable(sentence)}")

    def compared(self, recording: str, comparison: Comparison) -> None:
        """Tell which items end differently, and how often each decision was made."""
        count = 0
        for difference in comparison.differences():
            count += 1
            self._difference(recording, comparison.side.region, difference)
        self.is_wrong |= count > 0
        self._sum(recording, comparison, count)
        if len(comparison.side.items()) >= MAX_ITEMS:
            click.echo(f"warning: {recording}: of more than {MAX_ITEMS} items the last were compared", err=True)

    def end(self) -> None:
        """Tell a person that all is well, or that it is not."""
        if not self._as_json:
            click.echo("see above" if self.is_wrong else "fine")

    def _difference(self, recording: str, region: str, difference: Difference) -> None:
        if self._as_json:
            echo_object({"check": "item", "recording": recording, "region": region, **asdict(difference)})
            return
        click.echo(f"{recording}: {region}: item {shown_key(difference.key)}")
        for attribute in difference.attributes:
            click.echo(
                f"  {printable(attribute['name'])} ends as {_ends(attribute, '')}, not {_ends(attribute, 'against_')}"
            )
        for reason in difference.reasons:
            click.echo(f"  {reason.place}")
            click.echo(f"    {self._file}: {reason.sentences}")
            click.echo(f"    {self._other}: {reason.against}")

    def _sum(self, recording: str, comparison: Comparison, count: int) -> None:
        sides = [(self._file, comparison.side), *([(self._other, comparison.other)] if comparison.other else [])]
        decided = {
            name: {f"{decision} {reason}": number for (decision, reason), number in sorted(side.counts.items())}
            for name, side in sides
        }
        if self._as_json:
            told = {"check": "summary", "recording": recording, "region": comparison.side.region}
            compared = {"different_items": count} if comparison.other else {}
            echo_object(told | {"records": comparison.records, **compared, "decisions": decided})
            return
        differing = f", differing items: {count}" if comparison.other else ""
        click.echo(f"{recording}: {comparison.records} records of {comparison.side.region}{differing}")
        for name, numbers in decided.items():
            click.echo(f"  {name}: {', '.join(f'{number} {what}' for what, number in numbers.items())}")


def _ends(attribute: Mapping[str, Any], side: str) -> str:
    value = shown(attribute[f"{side}ends"]) if f"{side}ends" in attribute else "absent"
    return f"{value} ({attribute[f'{side}policy']})"
