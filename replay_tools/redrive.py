"""``redrive``: poison messages shown, judged again, put back as they were, or resolved by hand."""

from collections import Counter

import click

from reconciler.decisions import Trouble
from reconciler.errors import ConfigurationError
from reconciler.poison import PoisonMessage
from reconciler.policy import Policy
from reconciler.redrive_run import Redriven, RunReport
from replay_tools import redrive_bootstrap as bootstrap
from replay_tools.explain_text import echo_object
from replay_tools.redrive_choice import Take
from replay_tools.redrive_chosen import NOT_ASKED_FOR, Asked
from replay_tools.redrive_told import lines_of, told_of
from replay_tools.replay_command import DEFAULT_POLICY, load_policy

UNSETTLED = 1
MOST = 1_000
EXAMPLE = "Example: replay-tools redrive --queue URL --region us-east-1 --key sub-1 --take old --apply"


@click.command(epilog=EXAMPLE)
@click.argument("file", required=False, type=click.Path(exists=True, dir_okay=False, allow_dash=True))
@click.option("--queue", "queue_url", envvar="POISON_QUEUE_URL", help="The poison queue, where there is no FILE.")
@click.option("--apply", "applies", is_flag=True, help="Repair the table, and delete from the queue what is settled.")
@click.option("--take", type=click.Choice([take.value for take in Take]), help="Resolve by hand: take this image.")
@click.option("--reason", "reasons", multiple=True, type=click.Choice([trouble.value for trouble in Trouble]))
@click.option("--key", help="Only the item of this key: its value, or NAME=VALUE,NAME=VALUE.")
@click.option(
    "--policy",
    "policy_file",
    envvar="POLICY_FILE",
    type=click.Path(exists=True, dir_okay=False),
    help=f"The policy file; otherwise ./{DEFAULT_POLICY}, otherwise every attribute is latest.",
)
@click.option("--region", envvar="AWS_REGION", help="The Region of queue and table.")
@click.option("--limit", type=click.IntRange(min=1), default=MOST, show_default=True, help="At most so many messages.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object for each message.")
@click.pass_context
def redrive(  # noqa: PLR0913, PLR0917 - one for each option
    context: click.Context,
    file: str | None,
    queue_url: str | None,
    take: str | None,
    reasons: tuple[str, ...],
    key: str | None,
    policy_file: str | None,
    region: str | None,
    limit: int,
    *,
    applies: bool,
    as_json: bool,
) -> None:
    """Show the messages of a poison queue, or of a FILE of their bodies, and what today's policy makes of them.

    Nothing is changed, unless --apply says so: then what can be settled is repaired in the table and deleted from the
    queue, and the rest is put back, byte for byte; a FILE stays as it is. Without --apply, a queue's messages are
    received once each, which the queue counts, hidden from other readers meanwhile, and released at the end; the table
    is only read. Of a FILE, the table is taken to hold the image that won.

    --take answers for a person: `old` and `new` set the registers that differ to that image's values, in one
    conditional write under the message's own id, so that it counts once; `join` is content with what both become.
    What is printed holds the items' values.

    Exit codes: 0 fine; 1 something stays unsettled; 2 wrong usage or unreadable input.
    """
    policy, asked = load_policy(policy_file), Asked(reasons, key, Take(take) if take else None)
    region = _region(region, needed=file is None or applies)
    if file is not None:
        run = bootstrap.run_over_file(file, region, policy, asked, most=limit, applies=applies)
    elif queue_url:
        run = bootstrap.run_over_queue(queue_url, region or "", policy, asked, most=limit, applies=applies)
    else:
        raise click.UsageError("name a FILE of messages, - for standard input, or --queue")
    teller = _Teller(policy, asked, applies=applies, as_json=as_json)
    report = run.run(teller.tell)
    teller.end(report, limit)
    context.exit(UNSETTLED if teller.stays or report.faults else 0)


def _region(region: str | None, *, needed: bool) -> str | None:
    if needed and not region:
        raise click.UsageError("name the --region of the table")
    return region


class _Teller:
    """Prints messages as their fate is known, and the sum at the end."""

    def __init__(self, policy: Policy, asked: Asked, *, applies: bool, as_json: bool) -> None:
        self._policy, self._asked = policy, asked
        self._applies, self._as_json = applies, as_json
        self._tables: Counter[str] = Counter()
        self.settled: Counter[str] = Counter()
        self.stays: Counter[str] = Counter()

    def tell(self, redriven: Redriven) -> None:
        """Print one message that was asked for."""
        fate, content = redriven.fate, redriven.content
        if fate.why == NOT_ASKED_FOR or (content is None and self._asked.is_filter):
            return
        if isinstance(content, PoisonMessage):
            self._tables[content.table] += 1
        (self.settled if fate.settled else self.stays)[fate.why] += 1
        told = told_of(redriven, self._policy, applied=self._applies)
        if self._as_json:
            echo_object(told)
            return
        for line in lines_of(told):
            click.echo(line)

    def end(self, report: RunReport, limit: int) -> None:
        """Print the sum to a person; ConfigurationError where the policy is another table's altogether."""
        if self._tables and self._policy.name not in self._tables:
            names = ", ".join(map(repr, sorted(self._tables)))
            raise ConfigurationError(f"the messages are of table {names}; this policy is for {self._policy.name!r}")
        if not report.received:
            click.echo("there is no message", err=True)
        if report.received >= limit:
            click.echo(f"stopped after {limit} messages; --limit takes more", err=True)
        if report.faults:
            click.echo(f"warning: the queue refused {report.faults} times: some messages show up again late", err=True)
        if not self._as_json:
            settled, done = _sum(self.settled), "settled" if self._applies else "would be settled (--apply does it)"
            others = report.put_back[NOT_ASKED_FOR]
            rest = f"; {others} not asked for" if others else ""
            click.echo(f"{report.received} received; {settled} {done}; {_sum(self.stays)} stay{rest}")


def _sum(counts: Counter[str]) -> str:
    names = ", ".join(f"{count} {why}" for why, count in sorted(counts.items()))
    return f"{counts.total()} [{names}]" if names else "0"
