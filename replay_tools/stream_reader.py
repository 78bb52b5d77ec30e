"""Stream reader: a DynamoDB stream as the records that a Lambda trigger would deliver, each once and in order.

A stream is a tree of shards. A parent is read to its end before its children are opened, so that no item's records,
which may cross a split, come out of order:

    shard 1  r1 r2 r3 (closed) -> shard 2  r4 r6 ...
                               -> shard 3  r5 r7 ...

https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Streams.html#Streams.Processing
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from reconciler.adapters.streams import in_lambda_shape
from reconciler.records import RawRecord

if TYPE_CHECKING:
    from types_boto3_dynamodbstreams.client import DynamoDBStreamsClient

PAGE = 1_000  # GetRecords returns no more
MAX_PAGES = 16  # of one shard, in one read
MAX_DESCRIPTIONS = 1_000  # pages of 100 shards


@dataclass(slots=True)
class _Shard:
    id: str
    parent: str
    iterator: str | None = None
    last_read: str = ""
    is_closed: bool = False


class StreamReader:
    """Reads one stream from its oldest record on."""

    def __init__(self, client: "DynamoDBStreamsClient", stream_arn: str, region: str) -> None:
        """Read the stream of the table in `region`, which the records will name (engines name others)."""
        self._client = client
        self._arn = stream_arn
        self._region = region
        self._shards: dict[str, _Shard] = {}

    def read(self) -> list[RawRecord]:
        """Return what the stream has shown since the last read."""
        if self._may_have_split():
            self._list_shards()
        return [record for shard in list(self._shards.values()) if self._is_open(shard) for record in self._read(shard)]

    def _may_have_split(self) -> bool:
        """Say whether a closed shard has no children that are known of, or nothing is known at all."""
        parents = {shard.parent for shard in self._shards.values()}
        return not self._shards or any(shard.is_closed and shard.id not in parents for shard in self._shards.values())

    def _list_shards(self) -> None:
        start: dict[str, Any] = {}
        for _ in range(MAX_DESCRIPTIONS):
            stream = self._client.describe_stream(StreamArn=self._arn, **start)["StreamDescription"]
            for shard in stream.get("Shards", []):
                self._shards.setdefault(shard["ShardId"], _Shard(shard["ShardId"], shard.get("ParentShardId", "")))
            if "LastEvaluatedShardId" not in stream:
                return
            start = {"ExclusiveStartShardId": stream["LastEvaluatedShardId"]}

    def _is_open(self, shard: _Shard) -> bool:
        """Say whether the shard may be read; a parent that the stream no longer lists is behind us."""
        parent = self._shards.get(shard.parent)
        return not shard.is_closed and (parent is None or parent.is_closed)

    def _read(self, shard: _Shard) -> Iterator[RawRecord]:
        for _ in range(MAX_PAGES):
            page = self._page(shard)
            for record in page["Records"]:
                shard.last_read = record["dynamodb"]["SequenceNumber"]
                yield in_lambda_shape(record, self._arn, self._region)
            shard.iterator = page.get("NextShardIterator")
            shard.is_closed = not shard.iterator
            if shard.is_closed or len(page["Records"]) < PAGE:
                return

    def _page(self, shard: _Shard) -> Mapping[str, Any]:
        """Return the next records; an iterator lives for minutes only, and is made again where it has expired."""
        shard.iterator = shard.iterator or self._open(shard)
        try:
            return self._client.get_records(ShardIterator=shard.iterator, Limit=PAGE)
        except self._client.exceptions.ExpiredIteratorException:
            return self._client.get_records(ShardIterator=self._open(shard), Limit=PAGE)

    def _open(self, shard: _Shard) -> str:
        start: dict[str, Any] = {"ShardIteratorType": "TRIM_HORIZON"}
        if shard.last_read:
            start = {"ShardIteratorType": "AFTER_SEQUENCE_NUMBER", "SequenceNumber": shard.last_read}
        return self._client.get_shard_iterator(StreamArn=self._arn, ShardId=shard.id, **start)["ShardIterator"]
