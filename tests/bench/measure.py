"""Measure: processor time of this process, in turn, several times; the median and where the middle half lies."""

import gc
from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from statistics import quantiles
from time import process_time_ns
from typing import TypeVar

Work = Callable[[], object]
Name = TypeVar("Name", bound=Hashable)
NS_PER_US = 1_000
LEAST_US, MOST_RUNS = 10_000, 100


@dataclass(frozen=True, slots=True)
class Spread:
    """The median of several measurements, and the quartiles around it."""

    median: float
    low: float
    high: float


def spread(values: Sequence[float]) -> Spread:
    """Return the spread of one measurement or more."""
    if len(values) == 1:
        return Spread(values[0], values[0], values[0])
    low, median, high = quantiles(values, n=4, method="inclusive")
    return Spread(median, low, high)


def in_turn(works: Mapping[Name, Work], repeats: int) -> dict[Name, list[float]]:
    """Return each work's processor times in microseconds: A B A B ..., after runs that do not count."""
    times: dict[Name, list[float]] = {name: [] for name in works}
    with _only_new_garbage():
        runs = {name: _runs_of(work) for name, work in works.items()}
        for _ in range(repeats):
            for name, work in works.items():
                times[name].append(processor_us(work, runs[name]))
    return times


@contextmanager
def _only_new_garbage() -> Iterator[None]:
    """Let the collector pass over what is there already: records of other works are no cost of this one."""
    gc.collect()
    gc.freeze()
    try:
        yield
    finally:
        gc.unfreeze()


def _runs_of(work: Work) -> int:
    """Return how many runs are long enough to be measured as one."""
    work()
    return max(1, min(MOST_RUNS, round(LEAST_US / processor_us(work))))


def processor_us(work: Work, runs: int = 1) -> float:
    """Return the processor time that one of these runs takes, all threads together, in microseconds."""
    gc.collect()
    start = process_time_ns()
    for _ in range(runs):
        work()
    return (process_time_ns() - start) / NS_PER_US / runs
