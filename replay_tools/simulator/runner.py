"""Runner: many histories and every small one, on every core; what they came to is summed up as they end."""

import gc
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import islice
from time import process_time

from replay_tools.simulator.exhaustive import Found, explore
from replay_tools.simulator.generate import generate
from replay_tools.simulator.language import write
from replay_tools.simulator.mixes import mixes
from replay_tools.simulator.play import check, explain
from replay_tools.simulator.workloads import WORKLOADS

CHUNK = 10
"""Seeds that a process plays before it reports."""
MAX_EXPLAINED = 3
"""Failures that are shrunk and shown: the first ones say most."""

Advance = Callable[[int], None]
"""Told of each so many histories that have ended."""


@dataclass(frozen=True, slots=True)
class Failure:
    """One failing history: how to make it again, and its shrunk self."""

    workload: str
    seed: int
    text: str


@dataclass(slots=True)
class Summary:
    """What random histories came to."""

    counts: Counter[str] = field(default_factory=Counter)
    failing: list[tuple[str, int]] = field(default_factory=list)

    def add(self, other: "Summary") -> None:
        """Take in what another process found."""
        self.counts.update(other.counts)
        self.failing.extend(other.failing)


@contextmanager
def pool(processes: int) -> Iterator[ProcessPoolExecutor]:
    """Keep processes at work; on the way out nothing waits for what has not begun."""
    with ProcessPoolExecutor(processes, initializer=_collect_seldom) as executor:
        try:
            yield executor
        finally:
            executor.shutdown(wait=False, cancel_futures=True)


def _collect_seldom() -> None:
    """Collect garbage a hundred times as seldom: a world is large, has few cycles and does not last."""
    gc.set_threshold(100_000, 50, 50)


def simulate(names: Sequence[str], seeds: range, executor: ProcessPoolExecutor, progress: Advance) -> Summary:
    """Play a history of each seed, the workloads in turn."""
    jobs = [(names[seed % len(names)], seed) for seed in seeds]
    chunks = [jobs[start : start + CHUNK] for start in range(0, len(jobs), CHUNK)]
    summary = Summary()
    for future in as_completed([executor.submit(play_chunk, chunk) for chunk in chunks]):
        part = future.result()
        summary.add(part)
        progress(part.counts["histories"])
    return summary


def play_chunk(jobs: Sequence[tuple[str, int]]) -> Summary:
    """Play some histories in this process."""
    summary = Summary()
    begun = process_time()
    for name, seed in jobs:
        outcome = check(WORKLOADS[name], seed)
        summary.counts.update(outcome.counts)
        summary.counts["histories"] += 1
        for wrong in {violation.wrong for violation in outcome.violations}:
            summary.counts[wrong.name] += 1
        if outcome.violations:
            summary.failing.append((name, seed))
    summary.counts["cpu_ms"] += round((process_time() - begun) * 1000)
    return summary


def explained(summary: Summary) -> Iterator[Failure]:
    """Yield the first failures, each shrunk to the fewest steps that still fail in the same way."""
    for name, seed in islice(sorted(summary.failing), MAX_EXPLAINED):
        history = generate(WORKLOADS[name], seed)
        violation = check(WORKLOADS[name], seed).violations[0]
        yield Failure(name, seed, explain(history, violation))


def walk(executor: ProcessPoolExecutor, *, large: bool, regions: Sequence[int]) -> Iterator[Found]:
    """Walk every interleaving of the small histories; the longest first, so that none is left alone at the end."""
    smalls = [each for each in mixes(large=large) if len(each.policy.regions) in regions]
    ordered = sorted(smalls, key=lambda each: (-len(each.policy.regions), -len(each.requests)))
    for future in as_completed([executor.submit(explore, each) for each in ordered]):
        yield future.result()


def describe(found: Found) -> str:
    """Return a small history's failures, readably."""
    failures = [f"{write(steps)}\n--> {'; '.join(map(str, violations))}" for steps, violations in found.failures]
    return "\n\n".join([f"{found.small.name}:", *failures])
