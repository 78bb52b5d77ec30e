"""Speed: both workers on the same records, in one process and in turn, over a real HTTP connection."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from types import ModuleType
from unittest.mock import patch

from handlers.bootstrap import Handler
from tests.bench.measure import Spread, Work, in_turn, spread
from tests.bench.records import KIB, Event, Record, Shape, conflicts, event_of, quiet, storm, without_ledger
from tests.bench.scale import Scale
from tests.bench.server import Server
from tests.bench.workers import plain_worker, this_worker

NOTHING_FAILED: dict[str, list[str]] = {"batchItemFailures": []}


Asked = Mapping[str, int]
"""How often each of DynamoDB's operations was asked for, in one run."""


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the table: what this worker needs, what the plain one needs, and the plain one's over this one's."""

    work: str
    unit: str
    ours: Spread
    plain: Spread
    ratio: Spread
    bar: float | None
    ours_asked: Asked
    plain_asked: Asked

    @property
    def is_met(self) -> bool:
        """Whether the row keeps its bar, if it has one."""
        return self.bar is None or self.ratio.median >= self.bar


@dataclass(frozen=True, slots=True)
class Pair:
    """The same work, done by this worker and by the plain one."""

    ours: Work
    plain: Work

    def asked(self, server: Server) -> tuple[Asked, Asked]:
        """Return what one run of each asks of the server."""
        return _asked(self.ours, server), _asked(self.plain, server)

    def times(self, repeats: int, per: float) -> tuple[list[float], list[float]]:
        """Return the times of both, run in turn, in microseconds for one of `per`."""
        times = in_turn({"ours": self.ours, "plain": self.plain}, repeats)
        return [time / per for time in times["ours"]], [time / per for time in times["plain"]]


def row_of(
    work: str, unit: str, bar: float | None, times: tuple[list[float], list[float]], asked: tuple[Asked, Asked]
) -> Row:
    """Return the row of times that were measured pair by pair."""
    ours, plain = times
    ratios = [theirs / mine for mine, theirs in zip(ours, plain, strict=True)]
    return Row(work, unit, spread(ours), spread(plain), spread(ratios), bar, *asked)


def _asked(work: Work, server: Server) -> Asked:
    server.asked()
    work()
    return dict(server.asked())


@dataclass(frozen=True, slots=True)
class _Case:
    work: str
    unit: str
    bar: float | None
    records: Callable[[], list[Record]]
    is_strict: bool = False
    """The plain worker gets the records without `Causality`, and puts by a low-level client."""


def _cases(scale: Scale) -> Iterator[_Case]:
    record, conflict = "µs/record", "µs/conflict"
    many, few, lost = scale.quiet_records, scale.large_records, scale.conflicts
    yield _Case(f"{many:,} records, no conflict, 1 KB", record, 5, partial(quiet, many))
    for name, shape in _SHAPES.items():
        yield _Case(f"{few} records, no conflict, {name}", record, 5, partial(quiet, few, shape))
    yield _Case(f"{lost} records, all conflicts, 1 KB", conflict, 2.5, partial(conflicts, lost))
    yield _Case(
        f"{scale.storm[0]} records, a storm on {scale.storm[1]} keys", record, None, partial(storm, *scale.storm)
    )
    yield _Case(f"strict: {many:,} records, no conflict", record, None, partial(quiet, many), is_strict=True)
    yield _Case(f"strict: {lost} records, all conflicts", conflict, None, partial(conflicts, lost), is_strict=True)


_SHAPES = {
    "1 KB": Shape(),
    "100 KB in one text": Shape(100 * KIB),
    "100 KB, nested": Shape(100 * KIB, nested=True),
}


def speed(scale: Scale, server: Server) -> list[Row]:
    """Return every row of the two workers."""
    ours, plain = this_worker(), plain_worker()
    return [_row(case, ours, plain, scale, server) for case in _cases(scale)]


def _row(case: _Case, ours: Handler, plain: ModuleType, scale: Scale, server: Server) -> Row:
    records = case.records()
    event, count = event_of(records), len(records)
    plain_event = event_of(map(without_ledger, records)) if case.is_strict else event
    pair = Pair(partial(delivered, ours, event), partial(delivered, plain.lambda_handler, plain_event))
    with patch.object(plain, "put", plain.lean_put if case.is_strict else plain.put):
        return row_of(case.work, case.unit, case.bar, pair.times(scale.repeats, count), pair.asked(server))


def delivered(handler: Handler, event: Event) -> None:
    """Deliver the event; nothing of it may fail, or the time is another thing's."""
    assert handler(event, None) == NOTHING_FAILED
