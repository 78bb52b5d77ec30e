"""Start: import and first event, each time in a fresh interpreter, the two workers in turn."""

import json
import subprocess
import sys
from collections.abc import Iterable, Iterator

from tests.bench.records import Event, conflicts, event_of, quiet
from tests.bench.scale import Scale
from tests.bench.server import Server
from tests.bench.speed import Asked, Row, row_of

MODULES = {"ours": "handlers.stream", "plain": "tests.bench.plain_worker"}
MEASURES = {"processor_ms": "ms processor", "wall_ms": "ms wall"}
BAR = 1.0
Times = dict[str, float]


def start(scale: Scale, server: Server) -> list[Row]:
    """Return the rows of a start whose first event has a conflict, and of one whose has none."""
    events = {"no conflict": event_of(quiet(1)), "a conflict": event_of(conflicts(1))}
    return [row for name, event in events.items() for row in _rows(name, event, scale.starts, server)]


def _rows(name: str, event: Event, starts: int, server: Server) -> Iterator[Row]:
    asked = _asked(MODULES["ours"], event, server), _asked(MODULES["plain"], event, server)
    pairs = [(first_event(MODULES["ours"], event), first_event(MODULES["plain"], event)) for _ in range(starts)]
    for measure, unit in MEASURES.items():
        times = [ours[measure] for ours, _ in pairs], [plain[measure] for _, plain in pairs]
        yield row_of(f"import and first event, {name}", unit, BAR, times, asked)


def _asked(module: str, event: Event, server: Server) -> Asked:
    """Return what a start asks of the server; its times do not count, as it writes the byte code."""
    server.asked()
    first_event(module, event)
    return dict(server.asked())


def first_event(module: str, event: Event) -> Times:
    """Return what a fresh interpreter needs for the import, and for both, in milliseconds."""
    command = [sys.executable, "-m", "tests.bench.first_event", module]
    run = subprocess.run(command, input=json.dumps(event), capture_output=True, text=True, check=True, timeout=60)  # noqa: S603 - ourselves
    return last_line(run.stderr.splitlines())


def last_line(lines: Iterable[str]) -> Times:
    """Return the times on the last line."""
    times: Times = json.loads([*lines][-1])
    return times
