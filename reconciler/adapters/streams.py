"""A table's stream, read outright: every shard once, parents before children, in the shape of a Lambda event's records.

    shard A ---+--- shard B      a child begins where its parent ended, and an item's records may cross from one to
               +--- shard C      the other: the child is opened once its parent is read to its end

A stream keeps 24 hours. What it trims before it could be read is told to `on_gap`, and never passed over in silence.
https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Streams.html
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import boto3
from botocore.config import Config

from reconciler.adapters.binary import from_boto
from reconciler.adapters.faults import faults
from reconciler.errors import ConfigurationError
from reconciler.records import RawRecord

if TYPE_CHECKING:
    from types_boto3_dynamodbstreams.client import DynamoDBStreamsClient
    from types_boto3_dynamodbstreams.type_defs import RecordTypeDef, ShardTypeDef

MAX_LIST_PAGES = 1_000
OPEN_ROUNDS = 5  # without a record, until open shards count as read to their present end
CLOSED_ROUNDS = 1_000  # the same while a closed shard, which is sure to end, is still being read
CONNECT_SECONDS, READ_SECONDS, ATTEMPTS = 2, 10, 5

Wait = Callable[[], None]
"""Waits between two rounds that bring nothing: a shard answers five calls a second."""

OnGap = Callable[[str], None]
"""Told of each shard of which records were trimmed before they could be read."""


@dataclass(slots=True)
class _Cursor:
    """How far one shard is read; `iterator` is None at its end."""

    shard_id: str
    is_closed: bool
    iterator: str | None = None
    last: int = -1
    newest_ms: int = 0

    def take(self, records: "Sequence[RecordTypeDef]") -> list[Mapping[str, Any]]:
        """Return those that are new, and remember how far they go."""
        fresh = [record for record in records if int(record["dynamodb"]["SequenceNumber"]) > self.last]
        if fresh:
            body = fresh[-1]["dynamodb"]
            self.last = int(body["SequenceNumber"])
            self.newest_ms = int(body["ApproximateCreationDateTime"].timestamp() * 1000)
        return [*fresh]


@dataclass(slots=True)
class StreamReader:
    """Reads a stream of one Region."""

    client: "DynamoDBStreamsClient"
    wait: Wait
    on_gap: OnGap = lambda _shard_id: None
    _reading: dict[str, _Cursor] = field(default_factory=dict, init=False)
    _done: set[str] = field(default_factory=set, init=False)

    def arn_of(self, table_name: str) -> str:
        """Return the table's newest stream; ConfigurationError where it never had one."""
        with faults("ListStreams", table_name):
            streams = self.client.list_streams(TableName=table_name)["Streams"]
        if not streams:
            raise ConfigurationError(f"table {table_name!r} has no stream in {self.client.meta.region_name}")
        return max(streams, key=lambda stream: stream["StreamLabel"])["StreamArn"]

    def records(self, arn: str, until_ms: int | None) -> Iterator[RawRecord]:
        """Yield each record once, in Lambda's shape, up to those made after `until_ms`; for ever where it is None."""
        self._reading, self._done = {}, set()
        self._open_shards(arn)
        quiet_rounds = 0
        while self._reading and not self._is_over(quiet_rounds, until_ms):
            fresh = done = 0
            for cursor in self._unread(until_ms):
                for record in self._page(arn, cursor):
                    fresh += 1
                    yield in_lambda_shape(record, arn, self.client.meta.region_name)
                done += self._close(cursor)
            if done:
                self._open_shards(arn)
            quiet_rounds = 0 if fresh or done else quiet_rounds + 1
            if quiet_rounds:
                self.wait()

    def _is_over(self, quiet_rounds: int, until_ms: int | None) -> bool:
        """Say whether open shards have nothing more for now, or nothing more that is wanted."""
        if until_ms is None:
            return False
        unread = self._unread(until_ms)
        return not unread or quiet_rounds >= (CLOSED_ROUNDS if any(c.is_closed for c in unread) else OPEN_ROUNDS)

    def _unread(self, until_ms: int | None) -> list[_Cursor]:
        return [c for c in self._reading.values() if until_ms is None or c.is_closed or c.newest_ms <= until_ms]

    def _close(self, cursor: _Cursor) -> bool:
        """Say whether the shard is at its end, and is done with."""
        if cursor.iterator is not None:
            return False
        del self._reading[cursor.shard_id]
        self._done.add(cursor.shard_id)
        return True

    def _open_shards(self, arn: str) -> None:
        """Begin to read every shard whose parent is done with, or trimmed."""
        shards = self._shards(arn)
        unread = shards.keys() - self._done
        for shard_id, shard in shards.items():
            if shard_id in unread and shard_id not in self._reading and shard.get("ParentShardId") not in unread:
                closed = "EndingSequenceNumber" in shard.get("SequenceNumberRange", {})
                cursor = self._reading[shard_id] = _Cursor(shard_id, closed)
                self._aim(arn, cursor)

    def _shards(self, arn: str) -> dict[str, "ShardTypeDef"]:
        shards: dict[str, ShardTypeDef] = {}
        start: dict[str, Any] = {}
        for _ in range(MAX_LIST_PAGES):
            with faults("DescribeStream", arn):
                stream = self.client.describe_stream(StreamArn=arn, **start)["StreamDescription"]
            shards.update((shard["ShardId"], shard) for shard in stream["Shards"])
            if not stream.get("LastEvaluatedShardId"):
                return shards
            start = {"ExclusiveStartShardId": stream["LastEvaluatedShardId"]}
        raise ConfigurationError(f"{arn}: more shards than {MAX_LIST_PAGES} pages list")

    def _aim(self, arn: str, cursor: _Cursor) -> None:
        """Point the cursor after what it has read."""
        if cursor.last < 0:
            self._aim_at_oldest(arn, cursor)
            return
        with faults("GetShardIterator", cursor.shard_id):
            try:
                cursor.iterator = self.client.get_shard_iterator(
                    StreamArn=arn,
                    ShardId=cursor.shard_id,
                    ShardIteratorType="AFTER_SEQUENCE_NUMBER",
                    SequenceNumber=str(cursor.last),
                )["ShardIterator"]
            except self.client.exceptions.TrimmedDataAccessException:
                self.on_gap(cursor.shard_id)
                self._aim_at_oldest(arn, cursor)

    def _aim_at_oldest(self, arn: str, cursor: _Cursor) -> None:
        """Point the cursor at the oldest record that is left; at the end where the whole shard has gone."""
        with faults("GetShardIterator", cursor.shard_id):
            try:
                cursor.iterator = self.client.get_shard_iterator(
                    StreamArn=arn, ShardId=cursor.shard_id, ShardIteratorType="TRIM_HORIZON"
                )["ShardIterator"]
            except self.client.exceptions.ResourceNotFoundException:
                self.on_gap(cursor.shard_id)
                cursor.iterator = None

    def _page(self, arn: str, cursor: _Cursor) -> list[Mapping[str, Any]]:
        """Return the cursor's next page, without what it has read before; nothing where it has to aim anew."""
        errors = self.client.exceptions
        if cursor.iterator is None:
            return []
        with faults("GetRecords", cursor.shard_id):
            try:
                answer = self.client.get_records(ShardIterator=cursor.iterator)
            except errors.ExpiredIteratorException:
                self._aim(arn, cursor)
                return []
            except errors.TrimmedDataAccessException:
                self.on_gap(cursor.shard_id)
                self._aim_at_oldest(arn, cursor)
                return []
        cursor.iterator = answer.get("NextShardIterator")
        return cursor.take(answer["Records"])


def in_lambda_shape(record: Mapping[str, Any], arn: str, region: str) -> RawRecord:
    """Return a record of GetRecords as a Lambda event has it: binary as base64, time as seconds, the stream's ARN."""
    body = dict(record["dynamodb"])
    body.update((name, from_boto(body[name])) for name in ("Keys", "OldImage", "NewImage") if name in body)
    body["ApproximateCreationDateTime"] = int(body["ApproximateCreationDateTime"].timestamp())
    identity = record.get("userIdentity")
    told = {"userIdentity": {"type": identity["Type"], "principalId": identity["PrincipalId"]}} if identity else {}
    return {**record, **told, "dynamodb": body, "awsRegion": region, "eventSourceARN": arn}


def stream_reader(region: str, wait: Wait, on_gap: OnGap) -> StreamReader:
    """Return a reader in one Region; AWS_ENDPOINT_URL_DYNAMODB_STREAMS chooses another endpoint."""
    config = Config(
        connect_timeout=CONNECT_SECONDS,
        read_timeout=READ_SECONDS,
        retries={"mode": "standard", "total_max_attempts": ATTEMPTS},
    )
    return StreamReader(boto3.client("dynamodbstreams", region_name=region, config=config), wait, on_gap)
