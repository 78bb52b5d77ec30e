"""Regions in memory, for histories: a table, its stream, a writer and a worker each, and replication by hand."""

from collections.abc import Mapping
from dataclasses import replace
from itertools import count
from typing import Any

from reconciler.adapters.memory import MemoryMeter, MemoryQueue, MemoryRecorder, MemoryTable
from reconciler.effects import Effects
from reconciler.policy import AttributePolicy, Kind, Policy, Region
from reconciler.ports import Table
from reconciler.records import StreamRecord, parse_record
from reconciler.wire import Image, from_plain, plain_image
from reconciler.worker import BatchReport, EachKey, Worker
from reconciler.writer import Result, Writer

NOW = 1_700_000_000_000
A, B, C = Region("us-east-1"), Region("eu-west-1"), Region("ap-south-1")
KEY: Image = {"Id": {"S": "x"}}
UNHURRIED = 900_000


def longest(left: str, right: str) -> str:
    """Keep the longer text, of equally long ones the later in the alphabet."""
    return max(left, right, key=lambda text: (len(text), text))


POLICY = Policy(
    "Events",
    "Id",
    (A, B, C),
    attributes={
        "Balance": AttributePolicy(Kind.COUNTER),
        "Tags": AttributePolicy(Kind.SET),
        "Seen": AttributePolicy(Kind.UNION),
        "Limit": AttributePolicy(Kind.MAX),
        "Status": AttributePolicy(Kind.RANK, order=tuple(map(from_plain, ("pending", "active", "closed")))),
        "Note": AttributePolicy(Kind.CUSTOM, function=longest, function_name="tests:longest"),
        "Owner": AttributePolicy(Kind.MANUAL),
        "Profile": AttributePolicy(
            Kind.MAP, members={"Logins": AttributePolicy(Kind.COUNTER), "Roles": AttributePolicy(Kind.SET)}
        ),
    },
)


def policy(**changes: Any) -> Policy:
    """Return the tests' policy with some of its fields changed."""
    return replace(POLICY, **changes)


class Clock:
    """A clock that only tests move."""

    def __init__(self, now_ms: int = NOW) -> None:
        """Start at `now_ms`."""
        self.now_ms = now_ms

    def __call__(self) -> int:
        """Return milliseconds since 1970."""
        return self.now_ms


def never_pause(number: int) -> None:
    """Wait for nothing."""


class Replica:
    """One Region: its table, stream, writer, worker, poison queue and recorder."""

    def __init__(
        self, region: Region = A, policy: Policy = POLICY, clock: Clock | None = None, table: Table | None = None
    ) -> None:
        """Start empty; `table` stands before the memory table for writer and worker, where it is given."""
        self.region, self.policy, self.clock = region, policy, clock or Clock()
        self.stream: list[dict[str, Any]] = []
        self.table = MemoryTable(self._show)
        self.port: Table = table or self.table
        self.queue, self.recorder, self.meter = MemoryQueue(), MemoryRecorder(), MemoryMeter()
        self._numbers, self._keys, self._worked = count(1), count(1), 0

    def _show(self, key: Image, old: Image | None, new: Image | None) -> None:
        operation = "INSERT" if old is None else "REMOVE" if new is None else "MODIFY"
        self.stream.append(raw_record(operation, old, new, str(next(self._numbers)), self.clock.now_ms, key=key))

    def writer(self, **changes: Any) -> Writer:
        """Return the Region's writer."""
        given: dict[str, Any] = {
            "clock": self.clock,
            "new_key": lambda: f"random-{next(self._keys)}",
            "pause": never_pause,
            "meter": self.meter,
        }
        return Writer(self.port, self.region, self.policy, **(given | changes))

    def write(self, key: str | None = None, **request: Any) -> Result:
        """Execute a request on the item x, under an idempotency key."""
        return self.writer().process_event({"Id": "x", "IdempotencyKey": key, **request})

    def worker(self, each_key: EachKey = map, **changes: Any) -> Worker:
        """Return the Region's worker."""
        given: dict[str, Any] = {"pause": never_pause, "attempts": 5, "reserve_ms": 1_000}
        effects = Effects(self.port, self.queue, self.policy, self.region, **(given | changes))
        return Worker(self.policy, effects, self.recorder, clock=self.clock, each_key=each_key)

    def work(self) -> BatchReport:
        """Let the worker process what the stream has shown since it last did."""
        records, self._worked = self.stream[self._worked :], len(self.stream)
        return self.worker().process(records, lambda: UNHURRIED)

    @property
    def image(self) -> Image | None:
        """The item x."""
        return self.table.read(KEY)

    @property
    def item(self) -> dict[str, Any]:
        """The item x, as boto3's resources give it; empty where it is absent."""
        return plain_image(self.image or {})

    def holds(self, image: Image | None) -> None:
        """Let an image stand in the table, as replication would; None removes it."""
        if image is None:
            self.table.delete(KEY)
        else:
            self.table.put(KEY, image)


def deliver(source: Replica, *targets: Replica) -> None:
    """Let the item x as `source` holds it win in the other Regions."""
    for target in targets:
        target.holds(source.image)


def settle_down(*replicas: Replica, rounds: int = 20) -> int:
    """Let workers and replication run until no Region changes; the newest repair wins. Return the rounds it took."""
    for number in range(rounds):
        before = [len(replica.stream) for replica in replicas]
        for replica in replicas:
            shown = len(replica.stream)
            replica.work()
            if len(replica.stream) > shown:
                deliver(replica, *(other for other in replicas if other is not replica))
        if before == [len(replica.stream) for replica in replicas]:
            return number
    raise AssertionError("the Regions do not come to rest")


def image_of(
    *requests: Mapping[str, Any], on: Image | None = None, region: Region = A, at: int = NOW, policy: Policy = POLICY
) -> Image:
    """Return the item x after the requests, executed in one Region, one after another, on an image."""
    replica = Replica(region, policy, Clock(at))
    if on is not None:
        replica.holds(on)
    for request in requests:
        replica.writer().process_event({"Id": "x", **request})
    image = replica.image
    assert image is not None
    return image


def plain_item(version: int | None, timestamp: int | None, **attributes: Any) -> Image:
    """Return the item x without `Causality`, as the seed's writers leave it."""
    clock = {"Version": version, "Timestamp": timestamp}
    given = {name: value for name, value in {**clock, **attributes}.items() if value is not None}
    return {**KEY, **{name: from_plain(value) for name, value in given.items()}}


def raw_record(  # noqa: PLR0913 - a record's own members
    operation: str,
    old: Image | None,
    new: Image | None,
    number: str = "1",
    at_ms: int = NOW,
    *,
    key: Image = KEY,
) -> dict[str, Any]:
    """Return a stream record as a Lambda trigger delivers it."""
    body = {
        "Keys": key,
        "SequenceNumber": number,
        "StreamViewType": "NEW_AND_OLD_IMAGES",
        "ApproximateCreationDateTime": at_ms / 1000,
    }
    images = {name: image for name, image in (("OldImage", old), ("NewImage", new)) if image is not None}
    return {"eventName": operation, "eventSource": "aws:dynamodb", "dynamodb": {**body, **images}}


def modified(old: Image, new: Image, number: str = "1", at_ms: int = NOW) -> StreamRecord:
    """Return the record of a change."""
    return parse_record(raw_record("MODIFY", old, new, number, at_ms))


def removed(old: Image, number: str = "1", at_ms: int = NOW) -> StreamRecord:
    """Return the record of a hard delete."""
    return parse_record(raw_record("REMOVE", old, None, number, at_ms))


def without(image: Image, *names: str) -> Image:
    """Return the image without some attributes."""
    return {name: value for name, value in image.items() if name not in names}
