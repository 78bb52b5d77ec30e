"""Writes: one request on an item that is there, by the writer, and by a read and a put as a user would write them."""

from collections.abc import Callable, Iterator
from functools import partial
from itertools import count
from time import time_ns
from typing import Any

import boto3

from handlers.bootstrap import write_handler
from reconciler import EventProcessor
from reconciler.wire import Image
from tests.bench.records import HERE, POLICY, Home
from tests.bench.scale import Scale
from tests.bench.server import Server
from tests.bench.speed import Pair, Row, row_of
from tests.bench.workers import plain_worker

UNIT = "µs/write"
Request = dict[str, Any]
Write = Callable[[Request], Any]


def writes(scale: Scale, server: Server) -> list[Row]:
    """Return the rows of the writer: as an application uses it, and as a Lambda function."""
    server.hold(recent_item())
    plain = plain_worker().write
    try:
        return [_row(f"a write through {name}", write, plain, scale, server) for name, write in _ways()]
    finally:
        server.hold(None)


def _row(work: str, write: Write, plain: Write, scale: Scale, server: Server) -> Row:
    pair = Pair(partial(written, write, scale.writes), partial(written, plain, scale.writes))
    return row_of(work, UNIT, None, pair.times(scale.repeats, scale.writes), pair.asked(server))


def _ways() -> Iterator[tuple[str, Write]]:
    table = boto3.resource("dynamodb").Table(POLICY.name)
    yield "EventProcessor", EventProcessor(table, HERE, POLICY).process_event
    handler = write_handler()
    yield "handlers.write", lambda request: handler(request, None)


def recent_item() -> Image:
    """Return an item of 1 KB with five writes of this minute: nothing in it is old enough to be folded."""
    home = Home(0, time_ns() // 1_000_000 - 60_000)
    home.start({}, 5)
    image: Image = home.stream[-1]["dynamodb"]["NewImage"]
    return image


_KEYS = count()


def written(write: Write, times: int) -> None:
    """Write so many times, each time under a new key."""
    for _ in range(times):
        number = next(_KEYS)
        write({"Id": "x", "IdempotencyKey": f"key-{number}", "Set": {"Score": number}})
