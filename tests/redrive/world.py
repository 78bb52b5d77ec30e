"""A Region with a poison queue, and redrives of it."""

from dataclasses import dataclass, field, replace
from typing import Any

from reconciler.adapters.memory import MemoryMeter, MemoryTable
from reconciler.poison import PoisonMessage
from reconciler.policy import Policy
from reconciler.ports import Table, TimeLeft
from reconciler.redrive import Redriver
from reconciler.redrive_run import Redriven, Run, RunReport
from reconciler.wire import Image, plain_image
from reconciler.writer import Writer
from tests.redrive.queue import Queue
from tests.worker.replicas import KEY, POLICY, UNHURRIED, A, B, Clock, image_of, never_pause

BASE = image_of({"IdempotencyKey": "k0", "Add": {"Balance": 1}})
LOST = image_of({"IdempotencyKey": "k1", "Add": {"Balance": 10}}, on=BASE)
WON = image_of({"IdempotencyKey": "k2", "Add": {"Balance": 100}}, on=BASE, region=B)
GONE = image_of({"IdempotencyKey": "k3", "Delete": True}, on=BASE, region=B)
OWNED = image_of({"IdempotencyKey": "k4", "Set": {"Owner": "bo"}}, on=BASE)
OWNED_ELSEWHERE = image_of({"IdempotencyKey": "k5", "Set": {"Owner": "cy"}}, on=BASE, region=B, at=1_700_000_000_001)
MINUTE_MS, DAY_MS = 60_000, 86_400_000


def message(
    reason: str = "unstorable", old: Image | None = LOST, new: Image | None = WON, **changes: Any
) -> PoisonMessage:
    """Return a message of the worker's."""
    made = PoisonMessage(reason, "as it was then", A, POLICY.name, KEY, "7", old, new)
    return replace(made, **changes)


@dataclass
class World:
    """What a redrive acts on; `told` is what it told."""

    policy: Policy = POLICY
    clock: Clock = field(default_factory=Clock)
    table: MemoryTable = field(default_factory=MemoryTable)
    port: Table | None = None
    told: list[Redriven] = field(default_factory=list)

    def __post_init__(self) -> None:
        """Begin with an empty queue, and with what won in the table."""
        self.queue = Queue(self.clock)
        self.table.put(KEY, WON)

    def writer(self) -> Writer:
        """Return who executes requests here."""
        return Writer(
            self.port or self.table,
            A,
            self.policy,
            clock=self.clock,
            new_key=str,
            pause=never_pause,
            meter=MemoryMeter(),
            attempts=5,
        )

    def redriver(self, **changes: Any) -> Redriver:
        """Return who settles messages here."""
        given: dict[str, Any] = {"clock": self.clock, "pause": never_pause, "attempts": 5, "reserve_ms": 1_000}
        table, execute = self.port or self.table, self.writer().process_event
        return Redriver(table, execute, self.policy, A, **(given | changes))

    def start(self, time_left: TimeLeft, most: int = 100) -> Run:
        """Return a run that has not begun."""
        return Run(self.queue, self.redriver(), time_left, clock=self.clock, most=most, reserve_ms=1_000)

    def run(self, *, left_ms: int = UNHURRIED, most: int = 100) -> RunReport:
        """Redrive once."""
        return self.start(lambda: left_ms, most).run(self.told.append)

    def later(self, ms: int = 20 * MINUTE_MS) -> None:
        """Let time pass; what nobody let go of shows up again."""
        self.clock.now_ms += ms

    @property
    def item(self) -> dict[str, Any]:
        """The item x."""
        return plain_image(self.table.read(KEY) or {})
