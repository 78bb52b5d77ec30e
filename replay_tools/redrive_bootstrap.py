"""The composition root of ``redrive``: a run over a queue or a file, for good or only imagined.

boto3 is loaded only where there is a queue.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from reconciler.adapters import system
from reconciler.adapters.conditions import after, holds
from reconciler.change import Change
from reconciler.errors import ConfigurationError, TransientError
from reconciler.poison import PoisonMessage
from reconciler.policy import Policy
from reconciler.ports import Stale, StaleItems, Table, Written
from reconciler.redrive_run import Messages, Run, RunReport, Tell
from reconciler.wire import Image, canonical_text
from reconciler.writer import Writer
from replay_tools.redrive_chosen import Asked, ChosenRedriver
from replay_tools.redrive_source import Bodies, Looking, read_bodies

ATTEMPTS = 8
RESERVE_MS = 1_000  # a write to a table that answers takes much less
RUN_MS, LOOK_MS = 600_000, 120_000  # what is received stays hidden for as long, if the run is killed


@dataclass(slots=True)
class ImaginedTable:
    """A table whose changes are only imagined; what it holds is read, or taken from the messages."""

    source: Callable[[Image], Image | None]
    _items: dict[str, Image | None] = field(default_factory=dict)

    def read(self, key: Image) -> Image | None:
        """Return the item, as it would be by now."""
        identity = canonical_text({"M": key})
        return self._items[identity] if identity in self._items else self.source(key)

    def write(self, change: Change) -> Written | Stale:
        """Imagine one conditional change."""
        current = self.read(change.key)
        if not holds(change, current):
            return Stale(current)
        image = change.item if current is None else after(change, current)
        self._items[canonical_text({"M": change.key})] = image
        return Written()

    def transact(self, changes: Sequence[Change], token: str) -> Written | StaleItems:
        """Refuse: no message holds a transaction."""
        raise ConfigurationError(f"{len(changes)} changes under {token}: transactions are not redriven")

    def show(self, message: PoisonMessage) -> None:
        """Take it that the image which won stands in the table, where nothing is known of the item."""
        self._items.setdefault(canonical_text({"M": message.key}), message.new_image)


@dataclass(frozen=True, slots=True)
class Redrive:
    """A run that lets go of what it took, however it ends."""

    run_once: Run
    let_go: Callable[[], None] = lambda: None

    def run(self, tell: Tell) -> RunReport:
        """Run; a refusal to let go is a fault of the report."""
        try:
            self.run_once.run(tell)
        finally:
            try:
                self.let_go()
            except TransientError:
                self.run_once.report.faults += 1
        return self.run_once.report


def run_over_queue(  # noqa: PLR0913 - each part is given
    url: str, region: str, policy: Policy, asked: Asked, *, most: int, applies: bool
) -> Redrive:
    """Return a run over the poison queue, judged against the Region's own table; imagined unless it `applies`."""
    from reconciler.adapters.aws import dynamodb_table  # noqa: PLC0415 - boto3 takes 200 ms
    from reconciler.adapters.sqs_messages import poison_messages  # noqa: PLC0415 - as above

    policy.region_code(region)
    table, queue = dynamodb_table(policy, region), poison_messages(url, region)
    if applies:
        return Redrive(_run(queue, table, policy, region, asked, most, RUN_MS))
    looking = Looking(queue)
    return Redrive(_run(looking, ImaginedTable(table.read), policy, region, asked, most, LOOK_MS), looking.let_go)


def run_over_file(  # noqa: PLR0913 - each part is given
    path: str, region: str | None, policy: Policy, asked: Asked, *, most: int, applies: bool
) -> Redrive:
    """Return a run over a file's bodies: on the Region's table where it `applies`, else on what the messages show."""
    bodies = Bodies(read_bodies(path, system.clock_ms()))
    if not applies:
        table = ImaginedTable(lambda _key: None)
        return Redrive(_run(bodies, table, policy, region or policy.regions[0], asked, most, RUN_MS, table.show))
    from reconciler.adapters.aws import dynamodb_table  # noqa: PLC0415 - boto3 takes 200 ms

    region = region or ""
    policy.region_code(region)
    return Redrive(_run(bodies, dynamodb_table(policy, region), policy, region, asked, most, RUN_MS))


def _run(  # noqa: PLR0913, PLR0917 - each part is given
    messages: Messages,
    table: Table,
    policy: Policy,
    region: str,
    asked: Asked,
    most: int,
    time_ms: int,
    show: Callable[[PoisonMessage], None] | None = None,
) -> Run:
    clock, end_ms = system.clock_ms, system.clock_ms() + time_ms
    writer = Writer(table, region, policy, clock=clock, new_key=system.new_key, pause=system.pause, meter=_NoMeter())
    redriver = ChosenRedriver(
        table,
        writer.process_event,
        policy,
        region,
        asked=asked,
        show=show,
        clock=clock,
        pause=system.pause,
        attempts=ATTEMPTS,
        reserve_ms=RESERVE_MS,
    )
    return Run(messages, redriver, lambda: end_ms - clock(), clock=clock, most=most, reserve_ms=RESERVE_MS)


class _NoMeter:
    """A meter that nobody reads."""

    def add(self, name: str, amount: int = 1) -> None:
        """Count nothing."""
