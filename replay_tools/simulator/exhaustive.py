"""Exhaustive: every interleaving of a small history, walked as a graph of states.

    state   what each replica holds, what is under way, which records wait, how far each client has come
    moves   a client's next request | an arrival | a worker's next record, also dying after its write, also all at once

The real writer and the real worker answer each move (`engine`). States that differ only in how they came about are one:
interleavings are counted as paths through the graph, by dynamic programming.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple, TypeVar

from replay_tools.simulator.engine import ITEM, Engine, Records, Small
from replay_tools.simulator.steps import Deliver, Fault, Request, Step, When, Work
from replay_tools.simulator.verdict import Violation, Wrong

T = TypeVar("T")
MAX_FAILURES = 10
DIES = Fault(When.AFTER)


class Cell(NamedTuple):
    """A version by number, and the platform time and Region by which it wins; times are ranks."""

    version: int
    at: int
    region: int


class State(NamedTuple):
    """All that the future depends on."""

    done: tuple[int, ...]
    """How many requests each Region has served."""
    cells: tuple[Cell, ...]
    links: tuple[Cell | None, ...]
    streams: tuple[Records, ...]
    executed: int
    """The executions so far, as a set."""


class Tally(NamedTuple):
    """What lies ahead of a state."""

    interleavings: int
    repairs: int
    """The most that any of them takes."""


Move = tuple[Step, State, bool]
"""A step, the state after it, and whether it was a repair."""


@dataclass(frozen=True, slots=True)
class Found:
    """What every interleaving of a small history came to."""

    small: Small
    states: int
    tally: Tally
    failures: Sequence[tuple[Sequence[Step], Sequence[Violation]]]


def explore(small: Small) -> Found:
    """Walk every interleaving."""
    walk = _Walk(small)
    tally = walk.tally(walk.start())
    return Found(small, len(walk.tallies), tally, walk.failures)


class _Walk:
    """A depth-first walk that meets each state once."""

    def __init__(self, small: Small) -> None:
        names = small.policy.regions
        self._small = small
        self._names = names
        self._region_of = {name: index for index, name in enumerate(names)}
        self._links = [
            (source, target) for source in range(len(names)) for target in range(len(names)) if source != target
        ]
        self._requests = [[request for request in small.requests if request.region == name] for name in names]
        self._engine = Engine(small)
        self._path: list[Step] = []
        self.tallies: dict[State, Tally | None] = {}
        self.failures: list[tuple[Sequence[Step], Sequence[Violation]]] = []

    def start(self) -> State:
        """Return the state before anything happened."""
        count = len(self._names)
        nothing = tuple(Cell(0, 0, region) for region in range(count))
        return State((0,) * count, nothing, (None,) * len(self._links), ((),) * count, 0)

    def tally(self, state: State) -> Tally:
        """Return what lies ahead; a state that lies ahead of itself never comes to rest."""
        if state in self.tallies:
            known = self.tallies[state]
            if known is None:
                self._fail([Violation(Wrong.NOT_QUIET, ITEM, "the workers never come to an end")])
            return known or Tally(0, 0)
        self.tallies[state] = None
        interleavings, repairs, is_end = 0, 0, True
        for step, after, is_repair in self._moves(state):
            is_end = False
            if after != state:
                self._path.append(step)
                ahead = self.tally(after)
                self._path.pop()
                interleavings += ahead.interleavings
                repairs = max(repairs, ahead.repairs + is_repair)
        if is_end:
            self._fail(self._engine.judge(tuple(cell.version for cell in state.cells), state.executed))
            interleavings = 1
        self.tallies[state] = tally = Tally(interleavings, repairs)
        return tally

    def _fail(self, violations: Sequence[Violation]) -> None:
        if violations and len(self.failures) < MAX_FAILURES:
            self.failures.append((tuple(self._path), violations))

    def _moves(self, state: State) -> Iterable[Move]:
        inert = next(self._inert_moves(state), None) if self._small.reduced else None
        return self._all_moves(state) if inert is None else [inert]

    def _inert_moves(self, state: State) -> Iterator[Move]:
        for index, cell in enumerate(state.links):
            if cell is not None and cell[1:] <= state.cells[self._links[index][1]][1:]:
                yield self._arrive(state, index, cell)
        for region, waiting in enumerate(state.streams):
            if waiting and self._engine.is_inert(waiting[0]):
                yield self._work(state, region, 1, None)

    def _all_moves(self, state: State) -> Iterator[Move]:
        for region, done in enumerate(state.done):
            if done < len(self._requests[region]):
                yield self._serve(state, region, self._requests[region][done])
        for index, cell in enumerate(state.links):
            if cell is not None:
                yield self._arrive(state, index, cell)
        for region, waiting in enumerate(state.streams):
            if waiting:
                yield self._work(state, region, 1, None)
                if self._small.crashes:
                    yield self._work(state, region, 1, DIES)
                if self._small.crashes and len(waiting) > 1:
                    yield self._work(state, region, len(waiting), None)

    def _serve(self, state: State, region: int, request: Request) -> Move:
        here = state.cells[region].version
        answer = self._engine.serve(request, here)
        self._fail(answer.violations)
        after = state._replace(
            done=_with(state.done, region, state.done[region] + 1), executed=state.executed | answer.executed
        )
        return request, self._put(after, region, here, answer.version), False

    def _arrive(self, state: State, index: int, arriving: Cell) -> Move:
        source, target = self._links[index]
        after, standing = state._replace(links=_with(state.links, index, None)), state.cells[target]
        if arriving[1:] > standing[1:]:
            after = after._replace(cells=_with(state.cells, target, arriving))
            if not self._engine.are_same(standing.version, arriving.version):
                after = _streamed(after, target, (standing.version, arriving.version))
        return Deliver(self._names[source], self._names[target], ITEM), _ranked(after), False

    def _work(self, state: State, region: int, records: int, fault: Fault | None) -> Move:
        waiting, here = state.streams[region], state.cells[region].version
        answer = self._engine.work(region, waiting[:records], here)
        self._fail(answer.violations)
        step = Work(self._names[region], records, fault)
        after = state if fault else state._replace(streams=_with(state.streams, region, waiting[records:]))
        return step, self._put(after, region, here, answer.version), answer.version != here

    def _put(self, state: State, region: int, before: int, version: int) -> State:
        """Write locally, unless nothing changes."""
        if version == before:
            return _ranked(state)
        cell = Cell(version, 1 + max(cell.at for cell in (*state.cells, *filter(None, state.links))), region)
        links = tuple(
            cell if source == region else under_way
            for (source, _), under_way in zip(self._links, state.links, strict=True)
        )
        after = state._replace(cells=_with(state.cells, region, cell), links=links)
        return _ranked(_streamed(after, region, (before, version)))


def _with(values: tuple[T, ...], index: int, value: T) -> tuple[T, ...]:
    return (*values[:index], value, *values[index + 1 :])


def _streamed(state: State, region: int, record: tuple[int, int]) -> State:
    return state._replace(streams=_with(state.streams, region, (*state.streams[region], record)))


def _ranked(state: State) -> State:
    """Put ranks in place of times: only their order matters."""
    times = {cell.at for cell in state.cells} | {cell.at for cell in state.links if cell}
    if len(times) == max(times) + 1:
        return state
    rank = {time: index for index, time in enumerate(sorted({0, *times}))}
    return state._replace(
        cells=tuple(Cell(cell.version, rank[cell.at], cell.region) for cell in state.cells),
        links=tuple(cell and Cell(cell.version, rank[cell.at], cell.region) for cell in state.links),
    )
