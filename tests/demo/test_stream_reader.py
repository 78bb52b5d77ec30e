"""The stream reader delivers each record once and in order, whatever becomes of the shards."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from replay_tools.stream_reader import StreamReader

ARN = "arn:aws:dynamodb:us-east-1:1:table/T/stream/1"


BODY = {"Keys": {"Id": {"B": b"x"}}, "ApproximateCreationDateTime": datetime(2026, 1, 1, tzinfo=UTC)}


class ExpiredIteratorError(Exception):
    """The iterator is too old."""


class FakeStream:
    """A stream of named shards, each with a parent, its records, and whether it is closed."""

    class exceptions:  # noqa: N801 - as boto3 names it
        """What the client raises."""

        ExpiredIteratorException = ExpiredIteratorError

    def __init__(self, shards: Mapping[str, tuple[str, list[str], bool]]) -> None:
        """Show these shards, in this order."""
        self.shards = dict(shards)
        self.expired = False
        self.page = 2

    def describe_stream(self, *, StreamArn: str, ExclusiveStartShardId: str = "") -> dict[str, Any]:  # noqa: N803
        """List two shards a page."""
        names = list(self.shards)
        start = names.index(ExclusiveStartShardId) + 1 if ExclusiveStartShardId else 0
        shown = names[start : start + self.page]
        listed = [{"ShardId": name, "ParentShardId": self.shards[name][0]} for name in shown]
        more = {"LastEvaluatedShardId": shown[-1]} if start + self.page < len(names) else {}
        return {"StreamDescription": {"Shards": listed, **more}}

    def get_shard_iterator(self, *, ShardId: str, ShardIteratorType: str, **start: str) -> dict[str, str]:  # noqa: N803
        """Point at the first record, or after one."""
        self.expired = False
        records = self.shards[ShardId][1]
        position = 0 if ShardIteratorType == "TRIM_HORIZON" else records.index(start["SequenceNumber"]) + 1
        return {"ShardIterator": f"{ShardId}/{position}"}

    def get_records(self, *, ShardIterator: str, Limit: int) -> dict[str, Any]:  # noqa: N803
        """Return what follows the iterator; a closed shard's last page has no next one."""
        if self.expired:
            raise ExpiredIteratorError
        name, position = ShardIterator.split("/")
        _, records, is_closed = self.shards[name]
        page = [{"dynamodb": {"SequenceNumber": number, **BODY}} for number in records[int(position) :]]
        return {"Records": page, **({} if is_closed else {"NextShardIterator": f"{name}/{len(records)}"})}


def read(reader: StreamReader) -> list[str]:
    """Return the sequence numbers of one read."""
    return [record["dynamodb"]["SequenceNumber"] for record in reader.read()]


def test_a_parent_is_read_to_its_end_before_its_children() -> None:
    """Children are listed first, and on another page; their records come after the parent's."""
    stream = FakeStream(
        {"left": ("root", ["3"], False), "right": ("root", ["4"], False), "root": ("", ["1", "2"], True)}
    )
    reader = StreamReader(stream, ARN, "us-east-1")  # type: ignore[arg-type]
    assert [*read(reader), *read(reader)] == ["1", "2", "3", "4"]
    assert read(reader) == []


def test_a_shard_that_splits_later_is_followed() -> None:
    """The shard closes with its last record, and its child goes on."""
    stream = FakeStream({"root": ("", ["1"], False)})
    reader = StreamReader(stream, ARN, "us-east-1")  # type: ignore[arg-type]
    assert read(reader) == ["1"]
    stream.shards = {"root": ("", ["1", "2"], True), "child": ("root", ["3"], False)}
    assert [*read(reader), *read(reader)] == ["2", "3"]


def test_a_shard_whose_parent_is_trimmed_is_read() -> None:
    """A stream that is older than a day no longer lists the first parents."""
    reader = StreamReader(FakeStream({"child": ("long-gone", ["7"], False)}), ARN, "us-east-1")  # type: ignore[arg-type]
    assert read(reader) == ["7"]


def test_an_expired_iterator_is_made_again_where_it_stood() -> None:
    """After a long pause nothing is read twice, and nothing left out."""
    stream = FakeStream({"root": ("", ["1"], False)})
    reader = StreamReader(stream, ARN, "us-east-1")  # type: ignore[arg-type]
    assert read(reader) == ["1"]
    stream.shards["root"][1].append("2")
    stream.expired = True
    assert read(reader) == ["2"]


def test_records_have_the_shape_of_a_lambda_event() -> None:
    """The Region is the table's own, whatever the engine calls it; the stream is named; binary is base64."""
    reader = StreamReader(FakeStream({"root": ("", ["1"], False)}), ARN, "eu-west-1")  # type: ignore[arg-type]
    [record] = reader.read()
    assert (record["awsRegion"], record["eventSourceARN"]) == ("eu-west-1", ARN)
    assert record["dynamodb"]["Keys"] == {"Id": {"B": "eA=="}}
