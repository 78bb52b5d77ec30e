"""Sites: one Region each, with the deployed functions; every part that a fault can strike is passed in."""

from collections.abc import Callable, Mapping, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any, Protocol

from handlers.bootstrap import Handler, stream_handler, write_handler
from handlers.settings import Settings
from reconciler.adapters.memory import MemoryQueue, MemoryRecorder, MemoryTable
from reconciler.poison import PoisonMessage
from reconciler.policy import Policy, Region
from reconciler.policy_file import loads
from reconciler.records import RawRecord
from reconciler.wire import Image
from replay_tools.replicator import Replica

if TYPE_CHECKING:
    from reconciler.ports import PoisonQueue, Table

EAST, WEST = Region("us-east-1"), Region("eu-west-1")
TABLE = "GlobalEventTable"
POLICY = f"""
[table]
name = "{TABLE}"
partition_key = "Id"
regions = ["{EAST}", "{WEST}"]

[attributes]
Balance = "counter"
Tags = "set"
Owner = "manual"
"""
NOW = 1_700_000_000_000


def policy() -> Policy:
    """Return the policy of these tests."""
    return loads(POLICY)


class Clock:
    """A Region's clock: the world's true time, and how far this one is off."""

    def __init__(self, now_ms: int = NOW) -> None:
        """Start right."""
        self.now_ms, self.off_ms = now_ms, 0

    def __call__(self) -> int:
        """Return milliseconds since 1970, as this Region believes."""
        return self.now_ms + self.off_ms


class Telemetry(MemoryRecorder):
    """Keeps what the user would find in the log."""

    def __init__(self) -> None:
        """Start empty."""
        super().__init__()
        self.batches: list[tuple[int, int, Mapping[str, int]]] = []

    def batch(self, records: int, failures: int, counts: Mapping[str, int]) -> None:
        """Keep the batch's line."""
        self.batches.append((records, failures, dict(counts)))

    @property
    def details(self) -> list[str]:
        """What was told of the faults, without repetition."""
        return list(dict.fromkeys(f"{type(fault).__name__}: {fault}" for _, fault in self.faults))

    @property
    def totals(self) -> dict[str, int]:
        """What all batches together have counted."""
        totals: dict[str, int] = {}
        for _, _, counts in self.batches:
            for name, count in counts.items():
                totals[name] = totals.get(name, 0) + count
        return totals


class Context:
    """A Lambda function's context: so much time is left."""

    def __init__(self, left_ms: Callable[[], int] = lambda: 900_000) -> None:
        """Say by `left_ms` how much time is left."""
        self.get_remaining_time_in_millis = left_ms


class Inbox(Protocol):
    """What a person finds in the poison queue."""

    @property
    def messages(self) -> Sequence[PoisonMessage]:
        """What was sent."""
        ...


class Site(Protocol):
    """One Region, on whatever engine."""

    @property
    def replica(self) -> Replica:
        """What replication reads and writes."""
        ...

    def records(self) -> list[RawRecord]:
        """Return the stream's records since the last call."""
        ...

    def items(self) -> list[Image]:
        """Return everything that stands in the table."""
        ...

    def messages(self) -> list[PoisonMessage]:
        """Return everything that the poison queue has, once for each message id."""
        ...

    def write(self, request: Mapping[str, Any]) -> dict[str, Any]:
        """Execute a request by the deployed function."""
        ...

    def work(self, records: Sequence[RawRecord]) -> list[str]:
        """Let the deployed function process a batch; return the numbers of what failed."""
        ...


class MemorySite:
    """A Region in memory."""

    def __init__(self, region: Region, by: Policy, clock: Clock) -> None:
        """Start empty; `port` and `queue` may be replaced by faulty ones before the functions are built."""
        self.region, self.policy, self.clock = region, by, clock
        self.table, self.telemetry = MemoryTable(self._show), Telemetry()
        queue = MemoryQueue()
        self.queue: Inbox = queue
        self.port: Table = self.table
        self.outbox: PoisonQueue = queue
        self.context: Any = Context()
        self.lanes = 1
        self._shown: list[RawRecord] = []
        self._read = {"replica": 0, "trigger": 0}

    @property
    def replica(self) -> Replica:
        """What replication reads and writes."""
        return self

    def _show(self, key: Image, old: Image | None, new: Image | None) -> None:
        images = {name: image for name, image in (("OldImage", old), ("NewImage", new)) if image is not None}
        operation = "INSERT" if old is None else "REMOVE" if new is None else "MODIFY"
        body = {
            "Keys": key,
            "SequenceNumber": str(len(self._shown) + 1),
            "StreamViewType": "NEW_AND_OLD_IMAGES",
            "ApproximateCreationDateTime": self.clock.now_ms // 1000,
            **images,
        }
        self._shown.append({"eventName": operation, "eventSource": "aws:dynamodb", "dynamodb": body})

    def _unread(self, who: str) -> list[RawRecord]:
        start, self._read[who] = self._read[who], len(self._shown)
        return self._shown[start:]

    def read(self) -> list[RawRecord]:
        """Return what replication has not read yet."""
        return self._unread("replica")

    def replace(self, key: Image, seen: Image | None, image: Image | None) -> bool:
        """Let `image` stand where `seen` stands, as replication does."""
        if self.table.read(key) != seen:
            return False
        if image is None:
            self.table.delete(key)
        else:
            self.table.put(key, image)
        return True

    def records(self) -> list[RawRecord]:
        """Return what the trigger has not delivered yet."""
        return self._unread("trigger")

    def items(self) -> list[Image]:
        """Return everything that stands in the table."""
        return self.table.items()

    def messages(self) -> list[PoisonMessage]:
        """Return everything that the poison queue has, once for each message id."""
        return list({message.id: message for message in self.queue.messages}.values())

    def _settings(self) -> Settings:
        return Settings(self.policy.name, "", self.region, "https://queue", lanes=self.lanes)

    def stream_function(self) -> Handler:
        """Return the stream function, as deployed."""
        return stream_handler(
            self._settings(),
            policy=self.policy,
            table=self.port,
            queue=self.outbox,
            recorder=self.telemetry,
            emit=lambda counts: None,
            clock=self.clock,
            pause=lambda number: None,
        )

    def write(self, request: Mapping[str, Any]) -> dict[str, Any]:
        """Execute a request by the deployed function."""
        return self._write_function(dict(request), None)

    @cached_property
    def _write_function(self) -> Handler:
        return write_handler(
            self._settings(),
            policy=self.policy,
            table=self.port,
            emit=lambda counts: None,
            clock=self.clock,
            pause=lambda number: None,
        )

    def work(self, records: Sequence[RawRecord]) -> list[str]:
        """Let the deployed function process a batch; return the numbers of what failed."""
        return failed_numbers(self.stream_function()({"Records": list(records)}, self.context))


def failed_numbers(answer: Mapping[str, Any]) -> list[str]:
    """Return the sequence numbers that a batch's answer names."""
    return [failure["itemIdentifier"] for failure in answer["batchItemFailures"]]
