"""Scenario: the same writes in two worlds, one with the workers and one without, through a partition that heals.

    together   both Regions take writes of the same accounts, while replication lags behind
    parted     the Regions cannot reach each other; both go on writing
    healed     the backlog crosses while clients go on, and someone breaks an item by hand
    converge   the clients have stopped; replication and workers finish

Clients write concurrently, so what meets what differs from run to run; what has to come of it does not.
"""

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_EXCEPTION, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field
from enum import Enum
from threading import Event, Lock

from reconciler.errors import TransientError
from reconciler.policy import Region
from reconciler.ports import Clock
from replay_tools.demo.plan import Write
from replay_tools.demo.platform import Platform
from replay_tools.demo.report import Outcome, outcome_of
from replay_tools.demo.verdict import judge
from replay_tools.demo.world import World

CLIENTS = 6
MAX_SENDS = 10  # of one request to one Region, while the answer is "try again"
WATCH_SECONDS = 0.1
MAX_WATCHES = 3_000  # of one phase: five minutes
BROKEN_BY_HAND = "imported-by-a-script"
POISON_EXPECTED = 1


class Phase(Enum):
    """What happens, with the share of the writes that are sent meanwhile, in percent."""

    TOGETHER = 40
    PARTED = 35
    HEALED = 25
    CONVERGE = 0


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a phase is, in the world with workers."""

    phase: Phase
    sent: int
    total: int
    waiting: int
    """Versions on their way to another Region, or held back by the partition."""
    overwritten: int
    repairs: int
    is_over: bool


Watch = Callable[[Progress], None]


@dataclass(slots=True)
class Answers:
    """What the clients of one world were told."""

    acknowledged: dict[str, Write] = field(default_factory=dict)
    count: int = 0
    _lock: Lock = field(default_factory=Lock)

    def take(self, write: Write) -> None:
        """Take one answer: the write is made, now or before."""
        with self._lock:
            self.acknowledged[write.key] = write
            self.count += 1


class Scenario:
    """The story, told to whoever watches."""

    def __init__(self, worlds: Sequence[World], writes: Sequence[Write], clock: Clock, watch: Watch) -> None:
        """Play these writes in each world; the first one is watched."""
        self._worlds = worlds
        self._writes = writes
        self._clock = clock
        self._watch = watch
        self._platform = Platform(worlds, clock)
        self._answers = [Answers() for _ in worlds]
        self._is_quiet = False

    def play(self) -> list[Outcome]:
        """Play to the end, and return what came of it in each world."""
        for world in self._worlds:
            _put_what_will_break(world)
        with self._platform.running(), ThreadPoolExecutor(CLIENTS, "client") as clients:
            for phase, writes in _shares(self._writes):
                self._enter(phase)
                self._send(phase, writes, clients)
            stopped_ms = self._clock()
            self._converge()
        return [self._outcome(position, stopped_ms) for position in range(len(self._worlds))]

    def _enter(self, phase: Phase) -> None:
        for world in self._worlds:
            left, right = world.policy.regions
            if phase is Phase.PARTED:
                world.replicator.cut(left, right)
            elif phase is Phase.HEALED:
                world.replicator.heal(left, right)
                _break_by_hand(world)

    def _send(self, phase: Phase, writes: Sequence[Write], clients: ThreadPoolExecutor) -> None:
        unsent: set[Future[None]] = {clients.submit(self._send_one, write) for write in writes}
        try:
            while unsent:
                done, unsent = wait(unsent, WATCH_SECONDS, FIRST_EXCEPTION)
                for future in done:
                    future.result()
                self._platform.check()
                self._tell(phase, len(writes) - len(unsent), len(writes), is_over=not unsent)
        finally:
            for future in unsent:
                future.cancel()

    def _send_one(self, write: Write) -> None:
        """Send one write to each Region that it asks, in every world."""
        for world, answers in zip(self._worlds, self._answers, strict=True):
            for region in write.regions:
                _acknowledged(world, region, write)
                answers.take(write)

    def _converge(self) -> None:
        self._platform.wake()
        pause = Event()
        for _ in range(MAX_WATCHES):
            self._is_quiet = self._platform.is_idle
            self._tell(Phase.CONVERGE, 0, 0, is_over=self._is_quiet)
            if self._is_quiet:
                return
            pause.wait(WATCH_SECONDS)

    def _tell(self, phase: Phase, sent: int, total: int, *, is_over: bool) -> None:
        world = self._worlds[0]
        overwritten, repairs = len(world.found.overwritten), world.found.repairs
        self._watch(Progress(phase, sent, total, world.replicator.waiting, overwritten, repairs, is_over))

    def _outcome(self, position: int, stopped_ms: int) -> Outcome:
        world, answers = self._worlds[position], self._answers[position]
        items = {region: world.items(region) for region in world.policy.regions}
        after_ms = max(0, self._platform.last_moved_ms[position] - stopped_ms)
        return outcome_of(
            answers=answers.count,
            acknowledged=len(answers.acknowledged),
            verdict=judge(answers.acknowledged.values(), items),
            overwritten=len(world.found.overwritten) if world.is_guarded else None,
            repairs=world.found.repairs,
            poison=world.take_poison(),
            converged_after_ms=after_ms if self._is_quiet else None,
        )


def _shares(writes: Sequence[Write]) -> Iterator[tuple[Phase, Sequence[Write]]]:
    start = 0
    for phase in (Phase.TOGETHER, Phase.PARTED, Phase.HEALED):
        end = len(writes) if phase is Phase.HEALED else start + len(writes) * phase.value // 100
        yield phase, writes[start:end]
        start = end


def _acknowledged(world: World, region: Region, write: Write) -> None:
    """Send until the Region says that the write is made."""
    for _ in range(MAX_SENDS - 1):
        try:
            world.writers[region](write.request, None)
        except TransientError:
            continue
        return
    world.writers[region](write.request, None)


def _put_what_will_break(world: World) -> None:
    first = world.policy.regions[0]
    world.writers[first]({"Id": BROKEN_BY_HAND, "IdempotencyKey": "import", "Set": {"Data": "as imported"}}, None)
    world.replicator.settle()


def _break_by_hand(world: World) -> None:
    """Overwrite an item's bookkeeping with what nobody can read, past the writer."""
    region = world.policy.regions[0]
    unreadable = {"S": "cleaned up: what was this?"}
    world.put_by_hand(region, {"Id": {"S": BROKEN_BY_HAND}, "Data": {"S": "by hand"}, "Causality": unreadable})
