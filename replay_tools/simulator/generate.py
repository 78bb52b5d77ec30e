"""Generate: a history from a seed.

The steps are made without playing them: a rough tally of what may be under way, and of which worker has something to
do, keeps most of them effective. A step that turns out to be idle is skipped when it is played.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from random import Random  # noqa: TID251 - seeded: the same seed makes the same history

from replay_tools.simulator.asking import CORE_PATHS, PATHS, Asking
from replay_tools.simulator.steps import (
    REFUSAL,
    Ask,
    Cut,
    Deliver,
    Fault,
    Foreign,
    Heal,
    Request,
    Rewind,
    Step,
    Sweep,
    Wait,
    When,
    Work,
)
from replay_tools.simulator.workloads import NAMES, Workload
from replay_tools.simulator.world import LONG_WAIT_MS

RECENT = 6
"""A retry is of one of so many last requests."""
SWEEP_AFTER_MS = 32 * 86_400_000


@dataclass(frozen=True, slots=True)
class History:
    """One history: its steps, each Region's clock skew, and what to judge it by."""

    workload: Workload
    skew_ms: dict[str, int]
    steps: tuple[Step, ...]


def generate(workload: Workload, seed: int) -> History:
    """Return the seed's history."""
    return _Generator(workload, Random(f"{workload.name} {seed}")).history()  # noqa: S311 - no secret


class _Generator:
    """Makes one history."""

    def __init__(self, workload: Workload, random: Random) -> None:
        self._workload = workload
        self._random = random
        self._regions = NAMES[: workload.regions]
        self._items = "xyzuvw"[: workload.items]
        self._requests: list[Request] = []
        self._under_way: set[tuple[str, str, str]] = set()
        self._backlog = dict.fromkeys(self._regions, 0)
        self._elapsed_ms = 0
        self._cut: tuple[str, str] | None = None

    def history(self) -> History:
        work = self._workload
        skew_ms = {region: self._random.randint(-work.skew_ms, work.skew_ms) for region in self._regions}
        steps: list[Step] = []
        while len(steps) < work.steps:
            steps.extend(self._steps())
        return History(work, skew_ms, tuple(steps))

    def _chance(self, probability: float) -> bool:
        return self._random.random() < probability

    def _steps(self) -> Iterator[Step]:
        work = self._workload
        kinds: list[tuple[float, Callable[[], Iterator[Step]]]] = [
            (work.requests, self._request),
            (work.works, self._work),
            (work.waits, self._wait),
            (work.long_waits, self._long_wait),
            (work.rewinds, self._rewind),
            (work.partitions, self._partition),
            (work.hard_deletes + work.foreign, self._foreign),
            (work.sweeps, self._sweep),
        ]
        at = self._random.random()
        for weight, kind in kinds:
            if at < weight:
                return kind()
            at -= weight
        return self._deliver()

    # Clients

    def _request(self) -> Iterator[Step]:
        request = self._one_request()
        if self._chance(self._workload.races):
            request = replace(request, meanwhile=(self._interruption(request),))
        self._wrote(request)
        yield request

    def _interruption(self, request: Request) -> Step:
        """Return what happens between the request's read and its write: somebody else writes the same item."""
        ready = [link for link in sorted(self._under_way) if link[1] == request.region]
        if ready and self._chance(0.5):
            return self._arrived(self._random.choice(ready))
        rival = self._fresh(request.region)
        ask = replace(rival.asks[0], item=request.asks[0].item)
        return self._remember(replace(rival, asks=(ask,)))

    def _one_request(self) -> Request:
        region = self._random.choice(self._regions)
        if self._requests and self._chance(self._workload.retries):
            request = replace(self._random.choice(self._requests[-RECENT:]), region=region)
        else:
            request = self._remember(self._fresh(region))
        return replace(request, fault=self._fault((When.BEFORE, When.AFTER, When.ECHO), 1))

    def _remember(self, request: Request) -> Request:
        self._requests.append(request)
        return request

    def _fresh(self, region: str) -> Request:
        number, work = len(self._requests), self._workload
        if work.items > 1 and self._chance(work.transactions):
            items = self._random.sample(self._items, self._random.randint(2, work.items))
            return Request(region, tuple(self._ask(item, number) for item in items), f"k{number}", self._late())
        ask = self._ask(self._random.choice(self._items), number)
        expected = self._random.randint(0, 6) if self._chance(work.expects) else None
        return Request(region, (ask,), f"k{number}", self._late(), expected)

    def _late(self) -> int | None:
        """Return a client's time, mostly in the past."""
        if not self._chance(self._workload.late):
            return None
        return self._elapsed_ms + self._random.randint(-1_500, 1_500)

    def _ask(self, item: str, number: int) -> Ask:
        if self._chance(self._workload.deletes):
            return Ask(item, deletes=True)
        asking = Asking(item, number, self._random)
        paths = [*PATHS] if "Limit" in self._workload.attributes else [*CORE_PATHS]
        for path in self._random.sample(paths, self._random.randint(1, 3)):
            asking.about(path)
        return asking.ask()

    def _wrote(self, request: Request) -> None:
        for ask in request.asks:
            self._changed(request.region, ask.item)

    def _changed(self, region: str, item: str) -> None:
        self._backlog[region] += 1
        self._under_way.update((region, other, item) for other in self._regions if other != region)

    # Replication and workers

    def _deliver(self) -> Iterator[Step]:
        ready = sorted(self._under_way)
        if ready:
            yield self._arrived(self._random.choice(ready))

    def _arrived(self, link: tuple[str, str, str]) -> Deliver:
        self._under_way.discard(link)
        self._backlog[link[1]] += 1
        return Deliver(*link)

    def _work(self) -> Iterator[Step]:
        ready = [region for region in self._regions if self._backlog[region] > 0]
        if not ready:
            return
        region, records = self._random.choice(ready), self._random.choice((1, 1, 2, 3, 10))
        self._backlog[region] -= records
        for item in self._items:
            if self._chance(0.3):
                self._changed(region, item)
        fault = self._fault((When.BEFORE, When.AFTER, When.ECHO), 2)
        if fault and self._chance(0.2):
            fault = REFUSAL
        meanwhile = (self._remember(self._fresh(region)),) if self._chance(self._workload.races) else ()
        yield Work(region, records, fault, meanwhile)

    def _rewind(self) -> Iterator[Step]:
        region, records = self._random.choice(self._regions), self._random.randint(1, 4)
        self._backlog[region] += records
        yield Rewind(region, records)

    def _fault(self, kinds: tuple[When, ...], effects: int) -> Fault | None:
        if not self._chance(self._workload.faults):
            return None
        return Fault(self._random.choice(kinds), self._random.randint(1, effects))

    # The world around

    def _wait(self) -> Iterator[Step]:
        ms = self._random.randint(1, self._workload.longest_wait_ms)
        self._elapsed_ms += ms
        yield Wait(ms)

    def _long_wait(self) -> Iterator[Step]:
        self._elapsed_ms += LONG_WAIT_MS
        self._cut = None
        yield Wait(LONG_WAIT_MS)

    def _partition(self) -> Iterator[Step]:
        if self._cut:
            yield Heal(*self._cut)
            self._cut = None
        else:
            one, other = self._random.sample(self._regions, 2)
            self._cut = (one, other)
            yield Cut(one, other)

    def _foreign(self) -> Iterator[Step]:
        region, item = self._random.choice(self._regions), self._random.choice(self._items)
        self._changed(region, item)
        if self._chance(self._workload.hard_deletes / (self._workload.hard_deletes + self._workload.foreign)):
            yield Foreign(region, item)
        else:
            value = f"f{self._random.randint(0, 99)}" if self._chance(0.8) else None
            yield Foreign(region, item, self._random.choice(("Data", "Note")), value)

    def _sweep(self) -> Iterator[Step]:
        """Let tombstones expire; such a wait settles everything first."""
        self._cut = None
        self._elapsed_ms += SWEEP_AFTER_MS
        yield Wait(SWEEP_AFTER_MS)
        region = self._random.choice(self._regions)
        for item in self._items:
            self._changed(region, item)
        yield Sweep(region)
