"""The world: a history played over N Regions, each with the real writer, the real worker and its own clock.

                 +-- Region A ---------------------+                    +-- Region B ---------------------+
    requests --> | writer --> replica --> stream   | <== replication => |   stream <-- replica <-- writer | <-- requests
                 |               ^           |     |                    |                                 |
                 |               +-- worker <+     |                    |                                 |
                 +---------------------------------+                    +---------------------------------+

Nothing here is random: the same steps make the same world.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from reconciler.effects import Effects
from reconciler.errors import ReconcilerError
from reconciler.policy import MINUTE, Policy
from reconciler.worker import BatchReport, Worker
from reconciler.writer import Writer
from replay_tools.simulator.actors import Client, Record, Repairer, event_of
from replay_tools.simulator.region import BEGINS_MS, Region, record_of
from replay_tools.simulator.replica import ABSENT, Crash, Hazard, Replica, Version, is_same
from replay_tools.simulator.replication import Replicas
from replay_tools.simulator.steps import (
    REFUSAL,
    Cut,
    Deliver,
    Foreign,
    Heal,
    Request,
    Rewind,
    Settle,
    Step,
    Sweep,
    Wait,
    Work,
)
from replay_tools.simulator.truth import Execution, Truth, numbers

ATTEMPTS = 10
BATCH = 100
LONG_WAIT_MS = 10 * MINUTE
"""No partition lasts as long, and no worker lags so far behind."""
MAX_REDELIVERY_MS = LONG_WAIT_MS // 2
MAX_ROUNDS = 200
"""Rounds of delivering everything and running every worker: more are taken for never."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What a client was told (neither result nor error: it died), what it had read, and what was executed for it."""

    request: Request
    result: Mapping[str, Any] | None
    error: ReconcilerError | None
    basis: Mapping[str, Version]
    executed: Sequence[int]
    now_ms: int


class _NoMeter:
    def add(self, name: str, amount: int = 1) -> None:
        """Count nothing."""


class World:
    """A Global Table in which a history can be played."""

    def __init__(self, policy: Policy, skew_ms: Mapping[str, int] | None = None) -> None:
        """Start empty at the beginning of time, with each Region's clock ahead by its skew."""
        self.policy = policy
        self.replicas: Replicas[Version] = Replicas(policy.regions)
        self.executions: list[Execution] = []
        self.answers: list[Answer] = []
        self.foreign: dict[str, set[str]] = {}
        """Items that were changed or deleted past the writer, with the attributes that were."""
        self.swept: dict[str, int] = {}
        """Items of which TTL removed a tombstone, with what that had seen."""
        self.elapsed_ms = 0
        self._asked: set[tuple[str, str]] = set()
        self.is_quiet = True
        skews = skew_ms or {}
        self.regions: dict[str, Region] = {
            str(name): Region(name, Replica(name, self), skews.get(name, 0)) for name in policy.regions
        }
        self._writers = {name: self._writer(region) for name, region in self.regions.items()}
        self._workers = {name: self._worker(region) for name, region in self.regions.items()}

    def play(self, steps: Sequence[Step]) -> None:
        """Play the steps, one after another."""
        for step in steps:
            self.step(step)

    def step(self, step: Step) -> None:  # noqa: C901 - one case for each kind of step
        """Play one step, or skip it where its precondition does not hold."""
        match step:
            case Request():
                self._request(step)
            case Deliver(source, target, item):
                self._deliver(source, target, item)
            case Work():
                self._work(step)
            case Rewind(region, records):
                self.rewind(self.regions[region], records)
            case Cut(one, other):
                self.replicas.cut(one, other)
            case Heal(one, other):
                self.replicas.heal(one, other)
            case Wait(ms):
                self._wait(ms)
            case Foreign():
                self._foreign(step)
            case Sweep(region):
                self._sweep(region)
            case Settle():
                self.settle()

    def settle(self) -> None:
        """Heal every partition; let everything arrive and every worker run, until nothing is left or it never ends."""
        self.replicas.heal_all()
        for _ in range(MAX_ROUNDS):
            pending = list(self.replicas.pending())
            waiting = [region for region in self.regions.values() if region.position < len(region.stream)]
            if not (pending or waiting):
                return
            for link, item in pending:
                self._deliver(*link, item)
            for region in waiting:
                self._work(Work(region.name, BATCH))
        self.is_quiet = False

    # What was seen

    def version_of(self, truth: Truth) -> int:
        """Return how many executions were seen; the same one, made twice from two versions, is one."""
        return len({self.executions[number].identity for number in numbers(truth.seen)})

    def is_tombstone(self, truth: Truth) -> bool:
        """Say whether nothing was seen of this life but its delete."""
        seen = (self.executions[number] for number in numbers(truth.seen))
        return truth.life > 0 and all(one.ask.deletes for one in seen if one.life == truth.life)

    # What a replica stores

    def get(self, region: str, item: str) -> Version:
        """Return what a Region's replica holds."""
        return self.replicas.get(region, item) or ABSENT

    def put(self, region: str, item: str, version: Version) -> None:
        """Write locally: on the stream, and on its way."""
        old = self.get(region, item)
        self.replicas.put(region, item, version)
        self._stream(self.regions[region], item, old, version)

    def _stream(self, region: Region, item: str, old: Version, new: Version) -> None:
        region.stream.append(record_of(item, old, new, len(region.stream), self.elapsed_ms))

    # Steps

    def _wait(self, ms: int) -> None:
        """Let time pass; through a long wait no partition lasts, and no worker lags."""
        if ms >= LONG_WAIT_MS:
            self.settle()
        self.elapsed_ms += ms

    def _request(self, step: Request) -> None:
        """Serve a client; its retry in the same Region comes a millisecond later at the earliest."""
        region = self.regions[step.region]
        self.elapsed_ms += (step.region, step.key) in self._asked
        self._asked.add((step.region, step.key))
        client = Client(step, self._hazard(step), self.executions, BEGINS_MS)
        writer, now_ms = self._writers[step.region], self._now_ms(region)
        events = [event_of(ask, step, BEGINS_MS) for ask in step.asks]
        result, error = None, None
        with region.replica.serving(client):
            try:
                if len(events) == 1:
                    result = writer.process_event(events[0])
                else:
                    at_ms = None if step.timestamp_ms is None else BEGINS_MS + step.timestamp_ms
                    result = writer.process_transaction(events, step.key, at_ms)
            except Crash:
                pass
            except ReconcilerError as fault:
                error = fault
        self.answers.append(Answer(step, result, error, client.basis, client.made, now_ms))

    def _deliver(self, source: str, target: str, item: str | None) -> None:
        link = (source, target)
        for name in [item] if item else list(self.replicas.links[link]):
            arrived = self.replicas.deliver(link, name)
            if arrived:
                old, new = arrived[0] or ABSENT, arrived[1]
                if not is_same(old.image, new.image):
                    self._stream(self.regions[target], name, old, new)

    def _work(self, step: Work) -> None:
        region = self.regions[step.region]
        records = region.stream[region.position : region.position + step.records]
        if not records:
            return
        repairer = Repairer(records, self._hazard(step), self.executions, self.policy.hard_delete)
        before = region.hazard, region.refuses, region.position
        region.hazard, region.refuses = repairer.hazard, step.fault is REFUSAL or step.fault == REFUSAL
        with region.replica.serving(repairer):
            try:
                report = self._workers[step.region].process([record.raw for record in records], lambda: 10**9)
                region.position = _resume(records, report, before[2])
            except Crash:
                region.deaths += 1
        region.hazard, region.refuses = before[0], before[1]
        region.repairs += repairer.writes

    def rewind(self, region: Region, records: int) -> None:
        """Let the last records come again: those that are younger than the default `min_window`."""
        oldest_s = (BEGINS_MS + self.elapsed_ms - MAX_REDELIVERY_MS) // 1000
        for _ in range(min(records, region.position)):
            if region.stream[region.position - 1].raw["dynamodb"]["ApproximateCreationDateTime"] < oldest_s:
                return
            region.position -= 1

    def _foreign(self, step: Foreign) -> None:
        current = self.get(step.region, step.item)
        if current.image is None or "ExpiresAt" in current.image:
            return
        touched = self.foreign.setdefault(step.item, set())
        if step.attribute is None:
            self.put(step.region, step.item, ABSENT)
            return
        touched.add(step.attribute)
        image = {name: value for name, value in current.image.items() if name != step.attribute}
        if step.value is not None:
            image = dict(sorted({**image, step.attribute: {"S": step.value}}.items()))
        if not is_same(current.image, image):
            self.put(step.region, step.item, Version(image, current.truth))

    def _sweep(self, region: str) -> None:
        for item in self.replicas.items():
            version = self.get(region, item)
            image = version.image
            if image and "ExpiresAt" in image and int(image["ExpiresAt"]["N"]) * 1000 <= BEGINS_MS + self.elapsed_ms:
                self.swept[item] = self.swept.get(item, 0) | version.truth.seen
                self.put(region, item, ABSENT)

    def _hazard(self, step: Request | Work) -> Hazard:
        return Hazard(step.fault, partial(self.play, step.meanwhile))

    # Composition

    def _now_ms(self, region: Region) -> int:
        return BEGINS_MS + self.elapsed_ms + region.skew_ms

    def _writer(self, region: Region) -> Writer:
        return Writer(
            region.replica,
            region.name,
            self.policy,
            clock=partial(self._now_ms, region),
            new_key=lambda: "",
            pause=lambda _: None,
            meter=_NoMeter(),
            attempts=ATTEMPTS,
        )

    def _worker(self, region: Region) -> Worker:
        effects = Effects(
            region.replica, region, self.policy, region.name, pause=lambda _: None, attempts=ATTEMPTS, reserve_ms=0
        )
        return Worker(self.policy, effects, region, clock=partial(self._now_ms, region))


def _resume(records: Sequence[Record], report: BatchReport, position: int) -> int:
    """Return where the stream goes on: at the lowest failed record, as Lambda does."""
    if not report.failures:
        return position + len(records)
    failed = set(report.failures)
    numbers = [record.raw["dynamodb"]["SequenceNumber"] for record in records]
    return position + next(index for index, number in enumerate(numbers) if number in failed)
