"""Audit: recordings in, lost writes out, in memory that depends on the busiest key and not on the recordings.

scan      every record -> fingerprints, spread by key       all cores
suspects  keys whose Regions disagree, and a few samples     all cores
fetch     those keys' whole records
learn     what writes have in common
judge     each key: what was lost
"""

import gc
import multiprocessing
import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, NamedTuple, Protocol, TypeVar

from reconciler.errors import ItemError
from reconciler.policy import Policy
from reconciler.records import parse_record
from reconciler.wire import Image
from replay_tools.audit.chains import Step
from replay_tools.audit.exact import Ledgers
from replay_tools.audit.fetch import Fetched, fetch, read_group
from replay_tools.audit.finding import LostWrite
from replay_tools.audit.habits import Habits, Learner
from replay_tools.audit.judge import judge, learn
from replay_tools.audit.scan import Scanned, regions_of, scan
from replay_tools.audit.sources import Chunk, Source, chunks_of, sources_of
from replay_tools.audit.suspects import Place, suspects
from replay_tools.inputs import Damage

T = TypeVar("T")
R = TypeVar("R")
BYTES_A_PARTITION = 16 << 20
MIN_PARTITIONS, MAX_PARTITIONS = 16, 1024
MIN_BYTES_FOR_PROCESSES = 8 << 20
"""Below it, starting processes takes longer than they save."""

OnProgress = Callable[[int, int], None]
"""Called with the bytes read, and all there are."""


@dataclass(slots=True)
class Summary:
    """What was read, known once the audit has yielded its last loss."""

    records: int = 0
    keys: int = 0
    damaged: int = 0
    damages: list[Damage] = field(default_factory=list)

    def tell(self, damage: Damage) -> None:
        """Count what could not be read."""
        self.damaged += 1
        self.damages.append(damage)


def audit(
    recordings: Sequence[tuple[str, str]],
    policy: Policy | None = None,
    summary: Summary | None = None,
    on_progress: OnProgress = lambda _done, _all: None,
) -> Iterator[LostWrite]:
    """Yield every lost write of these (Region, path) recordings; RecordingError where one cannot be opened."""
    counted = summary if summary is not None else Summary()
    with TemporaryDirectory(prefix="audit-") as name:
        folder = Path(name)
        sources = sources_of(recordings, folder, counted.tell)
        chunks = list(chunks_of(sources))
        with _workers(sum(chunk.size for chunk in chunks)) as over:
            places = _find(_Work(sources, chunks, folder, over), counted, on_progress)
            groups = fetch(places, sources, folder)
            yield from _judge(groups, regions_of(sources), Ledgers.of(policy), over)


class _Over(Protocol):
    """A `map` over one iterable."""

    def __call__(self, function: Callable[[T], R], values: Iterable[T], /) -> Iterator[R]:
        """Yield what the function returns of each."""
        ...


class _Work(NamedTuple):
    sources: Sequence[Source]
    chunks: Sequence[Chunk]
    folder: Path
    over: _Over


def _find(work: _Work, counted: Summary, on_progress: OnProgress) -> list[tuple[int, Place]]:
    """Return the places of the records to look at."""
    sources, chunks, folder, over = work
    total, done = sum(chunk.size for chunk in chunks), 0
    partitions = min(max(total // BYTES_A_PARTITION, MIN_PARTITIONS), MAX_PARTITIONS)
    regions = regions_of(sources)
    tasks = [
        _Task(chunk, sources[chunk.source], regions.index(sources[chunk.source].region), folder, partitions)
        for chunk in chunks
    ]
    places: list[tuple[int, Place]] = []
    for scanned in over(_scan, tasks):
        done += scanned.size
        on_progress(done, total)
        counted.records += scanned.records
        counted.damaged += scanned.damaged
        counted.damages += scanned.damages
    for found, keys in over(_suspects, _by_partition(folder)):
        places += found
        counted.keys += keys
    return places


class _Task(NamedTuple):
    chunk: Chunk
    source: Source
    region: int
    folder: Path
    partitions: int


def _scan(task: _Task) -> Scanned:
    return scan(*task)


def _suspects(paths: list[Path]) -> tuple[list[tuple[int, Place]], int]:
    found = suspects(paths)
    for path in paths:
        path.unlink()
    return found


def _by_partition(folder: Path) -> list[list[Path]]:
    by_partition: dict[str, list[Path]] = {}
    for path in sorted(folder.glob("[0-9]*.*.*")):
        by_partition.setdefault(path.name.partition(".")[0], []).append(path)
    return list(by_partition.values())


@contextmanager
def _workers(size: int) -> Iterator[_Over]:
    """Give a `map` over processes, or the built-in one where they cannot be forked or would not pay."""
    count = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else 1
    if size < MIN_BYTES_FOR_PROCESSES or count == 1 or "fork" not in multiprocessing.get_all_start_methods():
        yield map
        return
    with multiprocessing.get_context("fork").Pool(count, gc.disable) as pool:  # records hold no cycles
        yield pool.imap


def _judge(groups: Sequence[Path], regions: Sequence[str], ledgers: Ledgers, over: _Over) -> Iterator[LostWrite]:
    learner = Learner(regions)
    for group in groups:
        for _, steps in _items(group, regions):
            learn(steps, learner)
            if learner.is_full:
                break
    habits = learner.habits()
    for found in over(_judge_group, [_Group(group, regions, habits, ledgers) for group in groups]):
        yield from found


class _Group(NamedTuple):
    path: Path
    regions: Sequence[str]
    habits: Habits
    ledgers: Ledgers


def _judge_group(group: _Group) -> list[LostWrite]:
    items = _items(group.path, group.regions)
    return [lost for key, steps in items for lost in judge(key, steps, group.habits, group.ledgers)]


def _items(group: Path, regions: Sequence[str]) -> Iterator[tuple[Image, Mapping[str, list[Step]]]]:
    for records in read_group(group).values():
        steps: dict[str, list[Step]] = {region: [] for region in regions}
        key: Image = {}
        for record in records:
            step = _step(record)
            if step is not None:
                key = record.raw["dynamodb"]["Keys"]
                steps[record.region].append(step)
        yield key, steps


def _step(record: Fetched) -> Step | None:
    """Return the record as a step; None of one whose images are of impossible types."""
    raw: Any = record.raw
    try:
        parsed = parse_record(raw if "eventName" in raw else {**raw, "eventName": _event_name(raw["dynamodb"])})
    except ItemError:
        return None
    return Step(record.region, parsed.old, parsed.new, parsed.sequence_number, parsed.at_ms)


def _event_name(body: Mapping[str, Any]) -> str:
    return "REMOVE" if "NewImage" not in body else "MODIFY" if "OldImage" in body else "INSERT"
