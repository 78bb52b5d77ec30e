"""Profile: in which step the worker's processor time goes, sampled while it works through keys one after another.

A sample belongs to the innermost step on the stack: what `canonical` takes to read an image is the image's.
Sampling leaves the work as it is; a profiler that follows every call makes many small calls look dear.
"""

import os
import signal
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import PurePath
from time import process_time_ns
from types import FrameType
from unittest.mock import patch

from handlers.bootstrap import Handler
from tests.bench.measure import NS_PER_US
from tests.bench.records import Event, conflicts, event_of, quiet
from tests.bench.scale import Scale
from tests.bench.speed import delivered
from tests.bench.workers import this_worker

EVERY_SECONDS = 0.001
MOST_RUNS = 2_000
REST = "everything else"
STEPS = {
    "records.refuse_misconfiguration": "look for what every record would share",
    "included.sift": "sift: compare ledgers on the wire",
    "worker._classify": "classify: what the sieve left",
    "worker._newest_images": "find each key's newest image",
    "merge.read_state": "read the two images",
    "codec.decode": "read the two images",
    "merge.join": "join",
    "join.join": "join",
    "codec.encode": "write the joined image",
    "change": "find what differs",
    "settle": "judge what became of each loss",
    "witness.conflict_of": "describe the conflict",
    "log": "log lines and metrics",
    "metrics": "log lines and metrics",
    "recorders": "log lines and metrics",
    "expressions": "put the request into words",
    "binary": "put the request into words",
    "replica": "put the request into words",
    "sigv4": "sign it",
    "signed_http": "send it, and read the answer",
    "connections": "send it, and read the answer",
    "client": "send it, and read the answer",  # http.client
    "connectionpool": "send it, and read the answer",  # urllib3's
    "worker": "go from record to record, key to key",
    "effects": "go from record to record, key to key",
}
"""Steps by module, or by module and function."""


def profile(scale: Scale) -> dict[str, dict[str, float]]:
    """Return where the time of batches without a conflict, and of conflicts alone, goes: microseconds a record."""
    with patch.dict(os.environ, LANES="1"):
        worker = this_worker()
    batches = {
        f"{scale.quiet_records:,} records without a conflict": event_of(quiet(scale.quiet_records)),
        f"{scale.conflicts} records, all conflicts": event_of(conflicts(scale.conflicts)),
    }
    return {name: _steps(worker, event, scale.samples) for name, event in batches.items()}


def _steps(worker: Handler, event: Event, samples: int) -> dict[str, float]:
    """Return the steps' shares of what a record takes, the dearest first."""
    seen, runs, records = Counter[str](), 0, len(event["Records"])
    delivered(worker, event)
    start = process_time_ns()
    with _sampled(seen):
        while seen.total() < samples and runs < MOST_RUNS:
            delivered(worker, event)
            runs += 1
    each = (process_time_ns() - start) / NS_PER_US / runs / records
    return {step: each * count / seen.total() for step, count in seen.most_common()}


@contextmanager
def _sampled(seen: Counter[str]) -> Iterator[None]:
    """Count the step that this process is in, for every millisecond of its processor time."""

    def sample(number: int, frame: FrameType | None) -> None:
        seen[_step(frame)] += 1

    before = signal.signal(signal.SIGPROF, sample)
    signal.setitimer(signal.ITIMER_PROF, EVERY_SECONDS, EVERY_SECONDS)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
        signal.signal(signal.SIGPROF, before)


def _step(frame: FrameType | None) -> str:
    while frame:
        module = PurePath(frame.f_code.co_filename).stem
        step = STEPS.get(f"{module}.{frame.f_code.co_name}") or STEPS.get(module)
        if step:
            return step
        frame = frame.f_back
    return REST
