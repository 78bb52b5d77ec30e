"""A table's stream, read outright: every shard once, parents before children, in the shape of a Lambda event's records.

    shard A ---+--- shard B      a child begins where its parent ended, and an item's records may cross from one to
               +--- shard C      the other: the child is read once its parent is read to its end

A stream keeps 24 hours. What it trims before it could be read is told to `on_gap`.
https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Streams.html
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from math import inf
from typing import TYPE_CHECKING, Any

import boto3
from botocore.config import Config

from reconciler.adapters.binary import from_boto
from reconciler.adapters.faults import faults
from reconciler.errors import ConfigurationError
from reconciler.records import RawRecord

if TYPE_CHECKING:
    from types_boto3_dynamodbstreams.client import DynamoDBStreamsClient
    from types_boto3_dynamodbstreams.type_defs import GetRecordsOutputTypeDef

MAX_LIST_PAGES = 1_000
AIMS = 3  # at one page: an iterator expires, what it pointed at is trimmed, and the next one finds the oldest record
OPEN_ROUNDS = 5  # without a record, until open shards count as read to their present end
CLOSED_ROUNDS = 1_000  # the same while a closed shard, which is sure to end, is still being read
CONNECT_SECONDS, READ_SECONDS, ATTEMPTS = 2, 10, 5

Wait = Callable[[], None]
"""Waits after a round that brought nothing: a shard answers five calls a second."""

OnGap = Callable[[str], None]
"""Told of each shard of which records were trimmed before they could be read."""


@dataclass(slots=True, eq=False)
class _Shard:
    """How far one shard is read."""

    id: str
    parent: str
    is_closed: bool
    iterator: str | None = None
    last: str = ""
    newest_ms: int = 0
    has_ended: bool = False

    def position(self) -> dict[str, Any]:
        """Return where reading goes on: after what was read last, or at the oldest record."""
        if self.last:
            return {"ShardIteratorType": "AFTER_SEQUENCE_NUMBER", "SequenceNumber": self.last}
        return {"ShardIteratorType": "TRIM_HORIZON"}

    def take(self, page: "GetRecordsOutputTypeDef") -> list[Mapping[str, Any]]:
        """Return the page's records that are new, and remember how far they go."""
        self.iterator = page.get("NextShardIterator")
        self.has_ended = not self.iterator
        read = int(self.last or -1)
        fresh = [record for record in page["Records"] if int(record["dynamodb"]["SequenceNumber"]) > read]
        if fresh:
            body = fresh[-1]["dynamodb"]
            self.last = body["SequenceNumber"]
            self.newest_ms = int(body["ApproximateCreationDateTime"].timestamp() * 1000)
        return [*fresh]


@dataclass(slots=True)
class StreamReader:
    """Reads one stream from its oldest record on; its records name `region`, whatever the engine calls it."""

    client: "DynamoDBStreamsClient"
    arn: str
    region: str
    on_gap: OnGap = lambda _shard_id: None
    _shards: dict[str, _Shard] = field(default_factory=dict, init=False)

    def poll(self, until_ms: int | None = None) -> Iterator[RawRecord]:
        """Yield what is new, in Lambda's shape: one page of each shard that has shown nothing after `until_ms`."""
        if self._may_have_split():
            self._list_shards()
        for shard in self._readable(until_ms):
            for record in self._page(shard):
                yield in_lambda_shape(record, self.arn, self.region)

    def records(self, wait: Wait, until_ms: int | None) -> Iterator[RawRecord]:
        """Yield each record once, up to those made after `until_ms`; for ever where it is None."""
        quiet_rounds = 0
        while quiet_rounds <= self._patience(until_ms):
            if quiet_rounds:
                wait()
            quiet_rounds += 1
            before = [*self._readable(until_ms)]
            for record in self.poll(until_ms):
                quiet_rounds = 0
                yield record
            if [*self._readable(until_ms)] != before:
                quiet_rounds = 0

    def _patience(self, until_ms: int | None) -> float:
        """Return how many rounds may bring nothing before there is nothing more, or nothing more that is wanted."""
        unread = [*self._readable(until_ms)]
        if not unread:
            return 0
        if until_ms is None:
            return inf
        return CLOSED_ROUNDS if any(shard.is_closed for shard in unread) else OPEN_ROUNDS

    def _readable(self, until_ms: int | None) -> Iterator[_Shard]:
        """Yield the shards to read; one whose parent ends meanwhile, or is no longer listed, is among them."""
        for shard in self._shards.values():
            parent = self._shards.get(shard.parent)
            is_wanted = until_ms is None or shard.newest_ms <= until_ms
            if is_wanted and not shard.has_ended and (parent is None or parent.has_ended):
                yield shard

    def _may_have_split(self) -> bool:
        """Say whether nothing is known, or no children of a shard that has ended."""
        parents = {shard.parent for shard in self._shards.values()}
        return not self._shards or any(s.has_ended and s.id not in parents for s in self._shards.values())

    def _list_shards(self) -> None:
        start: dict[str, Any] = {}
        for _ in range(MAX_LIST_PAGES):
            with faults("DescribeStream", self.arn):
                stream = self.client.describe_stream(StreamArn=self.arn, **start)["StreamDescription"]
            for shard in stream["Shards"]:
                name, is_closed = shard["ShardId"], "EndingSequenceNumber" in shard.get("SequenceNumberRange", {})
                self._shards.setdefault(name, _Shard(name, shard.get("ParentShardId", ""), is_closed))
            if not stream.get("LastEvaluatedShardId"):
                return
            start = {"ExclusiveStartShardId": stream["LastEvaluatedShardId"]}
        raise ConfigurationError(f"{self.arn}: more shards than {MAX_LIST_PAGES} pages list")

    def _page(self, shard: _Shard) -> list[Mapping[str, Any]]:
        """Return the shard's next records; nothing where the shard is gone, or aiming at them fails again and again."""
        errors = self.client.exceptions
        for _ in range(AIMS):
            with faults("GetRecords", shard.id):
                try:
                    return shard.take(self.client.get_records(ShardIterator=shard.iterator or self._aim(shard)))
                except errors.ExpiredIteratorException:
                    shard.iterator = None
                except errors.TrimmedDataAccessException:
                    self.on_gap(shard.id)
                    shard.iterator, shard.last = None, ""
                except errors.ResourceNotFoundException:
                    self.on_gap(shard.id)
                    shard.has_ended = True
                    break
        return []

    def _aim(self, shard: _Shard) -> str:
        answer = self.client.get_shard_iterator(StreamArn=self.arn, ShardId=shard.id, **shard.position())
        return answer["ShardIterator"]


def in_lambda_shape(record: Mapping[str, Any], arn: str, region: str) -> RawRecord:
    """Return a record of GetRecords as a Lambda event has it: binary as base64, time as seconds, the stream's ARN."""
    body = dict(record["dynamodb"])
    body.update((name, from_boto(body[name])) for name in ("Keys", "OldImage", "NewImage") if name in body)
    body["ApproximateCreationDateTime"] = int(body["ApproximateCreationDateTime"].timestamp())
    identity = record.get("userIdentity")
    told = {"userIdentity": {"type": identity["Type"], "principalId": identity["PrincipalId"]}} if identity else {}
    return {**record, **told, "dynamodb": body, "awsRegion": region, "eventSourceARN": arn}


def stream_reader(table_name: str, region: str, on_gap: OnGap) -> StreamReader:
    """Return a reader of the table's newest stream; AWS_ENDPOINT_URL_DYNAMODB_STREAMS chooses another endpoint."""
    config = Config(
        connect_timeout=CONNECT_SECONDS,
        read_timeout=READ_SECONDS,
        retries={"mode": "standard", "total_max_attempts": ATTEMPTS},
    )
    client = boto3.client("dynamodbstreams", region_name=region, config=config)
    with faults("ListStreams", table_name):
        streams = client.list_streams(TableName=table_name)["Streams"]
    if not streams:
        raise ConfigurationError(f"table {table_name!r} has no stream in {region}")
    newest = max(streams, key=lambda stream: stream["StreamLabel"])
    return StreamReader(client, newest["StreamArn"], region, on_gap)
