"""A world: one table in every Region, the functions that are deployed there, and what AWS does between them.

    client -> write function -> table -> stream -+-> replicator -> the other Regions' tables
                                                 +-> stream function (the worker) -> table, poison queue

A world without workers is what every user of Global Tables has today.
"""

from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial

from handlers.bootstrap import Handler, stream_handler, write_handler
from handlers.settings import Settings
from reconciler.adapters.binary import from_boto
from reconciler.adapters.dynamodb import DynamoDBTable
from reconciler.adapters.sqs import SqsPoisonQueue
from reconciler.adapters.streams import StreamReader
from reconciler.conflict import Conflict
from reconciler.poison import PoisonMessage, parse
from reconciler.policy import Policy, Region
from reconciler.records import RawRecord, sequence_number_of
from reconciler.wire import Image
from replay_tools.demo.bootstrap import POLICY_FILE, Engine
from replay_tools.replica import DynamoDBReplica
from replay_tools.replicator import Replicator

BATCH = 100
MAX_DELIVERIES = 20
MAX_RECEIVES = 1_000


class GaveUpError(RuntimeError):
    """A function failed at the same record again and again."""


@dataclass(slots=True)
class Found:
    """What the workers have told of."""

    overwritten: set[str] = field(default_factory=set)
    """Ids of writes that last writer wins took from a Region."""
    repairs: int = 0
    conflicts: list[Conflict] = field(default_factory=list)
    fault: BaseException | None = None

    def conflict(self, conflict: Conflict, *, repaired: bool) -> None:
        """Take note of one overwritten image."""
        self.overwritten.update(conflict.writes)
        self.repairs += repaired
        self.conflicts.append(conflict)

    def poisoned(self, message: PoisonMessage) -> None:
        """Leave it to the queue, which is asked itself."""

    def failed(self, sequence_numbers: Sequence[str], fault: BaseException) -> None:  # noqa: ARG002 - the port's
        """Keep why, not which: the trigger delivers the records again."""
        self.fault = fault

    def batch(self, records: int, failures: int, counts: Mapping[str, int]) -> None:
        """Count nothing twice."""


class Trigger:
    """Hands a stream to its function as Lambda does: in batches, and from the lowest reported failure on again."""

    def __init__(self, function: Handler) -> None:
        """Start with nothing to deliver."""
        self._function = function
        self._waiting: deque[RawRecord] = deque()
        self._failures = 0

    def offer(self, records: Sequence[RawRecord]) -> None:
        """Take what the stream has shown."""
        self._waiting.extend(records)

    @property
    def waiting(self) -> list[RawRecord]:
        """What is still to be delivered."""
        return list(self._waiting)

    def fire(self) -> int:
        """Deliver one batch, and return how many records that were."""
        batch = self.waiting[:BATCH]
        if not batch:
            return 0
        failures = {
            failure["itemIdentifier"] for failure in self._function({"Records": batch}, None)["batchItemFailures"]
        }
        done = next((n for n, record in enumerate(batch) if sequence_number_of(record) in failures), len(batch))
        for _ in range(done):
            self._waiting.popleft()
        self._failures = 0 if done else self._failures + 1
        if self._failures >= MAX_DELIVERIES:
            raise GaveUpError(f"the worker failed {MAX_DELIVERIES} times at one record")
        return len(batch)


@dataclass(slots=True)
class _Tapped:
    """A replica whose records go to the trigger as well: its stream is read once for both."""

    replica: DynamoDBReplica
    trigger: Trigger | None

    def read(self) -> list[RawRecord]:
        """Return the stream's records since the last read."""
        records = self.replica.read()
        if self.trigger:
            self.trigger.offer(records)
        return records

    def replace(self, key: Image, seen: Image | None, image: Image | None) -> bool:
        """Replace as the replica does."""
        return self.replica.replace(key, seen, image)


class World:
    """One table in every Region of its policy; `is_guarded` says whether workers stand on its streams."""

    def __init__(self, engine: Engine, policy: Policy, *, is_guarded: bool) -> None:
        """Create the tables, named as the policy says, and the queues."""
        self._engine = engine
        self.policy = policy
        self.is_guarded = is_guarded
        self.found = Found()
        self._queues = {region: engine.create_queue(region, f"{policy.name}-poison") for region in policy.regions}
        self.triggers = {region: Trigger(self._worker(region)) for region in policy.regions if is_guarded}
        self.replicator = Replicator({region: self._replica(region) for region in policy.regions})
        self.writers: Mapping[Region, Handler] = {region: self._writer(region) for region in policy.regions}

    def pump(self) -> int:
        """Let replication and every worker take one step; return how much moved."""
        moved = self.replicator.step()
        try:
            return moved + sum(trigger.fire() for trigger in self.triggers.values())
        except GaveUpError as error:
            raise error from self.found.fault

    def put_by_hand(self, region: Region, image: Image) -> None:
        """Write a whole item past the writer, as a script or the console would."""
        self._engine.dynamodb(region).put_item(TableName=self.policy.name, Item=dict(image))

    def items(self, region: Region) -> dict[str, Image]:
        """Return one Region's items by Id."""
        scan = partial(self._engine.dynamodb(region).scan, TableName=self.policy.name, ConsistentRead=True)
        page = scan()
        found = list(page["Items"])
        while "LastEvaluatedKey" in page:
            page = scan(ExclusiveStartKey=page["LastEvaluatedKey"])
            found += page["Items"]
        return {item["Id"]["S"]: from_boto(item) for item in found}

    def take_poison(self) -> list[PoisonMessage]:
        """Take every message from the poison queues."""
        return [message for region in self.policy.regions for message in self._received(region)]

    def _received(self, region: Region) -> list[PoisonMessage]:
        sqs, url = self._engine.sqs(region), self._queues[region]
        parts: dict[str, list[str]] = {}
        for _ in range(MAX_RECEIVES):
            messages = sqs.receive_message(QueueUrl=url, MessageAttributeNames=["id"]).get("Messages", [])
            for message in messages:
                parts.setdefault(message["MessageAttributes"]["id"]["StringValue"], []).append(message["Body"])
                sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
            if not messages:
                break
        return [parse(bodies) for bodies in parts.values()]

    def _settings(self, region: Region) -> Settings:
        return Settings(self.policy.name, str(POLICY_FILE), region, self._queues[region], lanes=1)

    def _table(self, region: Region) -> DynamoDBTable:
        return DynamoDBTable(self._engine.dynamodb(region), self.policy.name)

    def _writer(self, region: Region) -> Handler:
        return write_handler(self._settings(region), policy=self.policy, table=self._table(region), emit=_emit_nothing)

    def _worker(self, region: Region) -> Handler:
        return stream_handler(
            self._settings(region),
            policy=self.policy,
            table=self._table(region),
            queue=SqsPoisonQueue(self._engine.sqs(region), self._queues[region]),
            recorder=self.found,
            emit=_emit_nothing,
        )

    def _replica(self, region: Region) -> _Tapped:
        arn = self._engine.create_table(region, self.policy.name)
        stream = StreamReader(self._engine.streams(region), arn, region)
        replica = DynamoDBReplica(self._engine.dynamodb(region), self.policy.name, stream)
        return _Tapped(replica, self.triggers.get(region))


def _emit_nothing(_counts: Mapping[str, int]) -> None:
    """Keep metrics off the screen."""
