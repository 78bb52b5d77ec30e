"""The meter: what batches cost, every point of a row in turn, so that whatever else the machine does falls on all."""

import tracemalloc
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial

from handlers.bootstrap import Handler
from tests.bench.curves import Line, Point
from tests.bench.measure import Work, in_turn
from tests.bench.records import Record, event_of
from tests.bench.server import Server
from tests.bench.speed import delivered


@dataclass(frozen=True, slots=True)
class Batch:
    """Records for a handler, and among how many their time and requests are shared out; memory is the batch's."""

    handler: Handler
    records: Sequence[Record]
    per: int = 1


class Meter:
    """Measures batches against a server that counts requests."""

    def __init__(self, server: Server, repeats: int) -> None:
        """Measure each batch so many times, and take the least: noise only adds."""
        self._server = server
        self._repeats = repeats

    def lines(self, batches: Mapping[str, Mapping[int, Batch]]) -> tuple[Line, ...]:
        """Return a line for each name, with a point for each x."""
        works = {
            (name, x): partial(delivered, batch.handler, event_of(batch.records))
            for name, line in batches.items()
            for x, batch in line.items()
        }
        times = in_turn(works, self._repeats)
        return tuple(
            Line(
                name, tuple(self._point(x, batch.per, min(times[name, x]), works[name, x]) for x, batch in line.items())
            )
            for name, line in batches.items()
        )

    def _point(self, x: int, per: int, time_us: float, work: Work) -> Point:
        self._server.asked()
        peak = peak_bytes(work)
        return Point(x, time_us / per, peak, self._server.asked().total() / per)


def peak_bytes(work: Work) -> int:
    """Return the most memory that the work holds at a time, beside what was there before."""
    tracemalloc.start()
    try:
        before, _ = tracemalloc.get_traced_memory()
        work()
        return tracemalloc.get_traced_memory()[1] - before
    finally:
        tracemalloc.stop()
