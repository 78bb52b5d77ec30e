"""Reading a live stream: every record once, parents first, whatever expires or is trimmed meanwhile."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any, cast

import boto3
import pytest
from botocore.exceptions import ClientError
from moto import mock_aws

from reconciler.adapters import streams
from reconciler.adapters.streams import AIMS, OPEN_ROUNDS, StreamReader, in_lambda_shape, stream_reader
from reconciler.errors import ConfigurationError

REGION, ARN = "eu-west-1", "arn:aws:dynamodb:eu-west-1:000000000000:table/T/stream/1"
LATER = 2_000_000_000_000
EARLY = datetime.fromtimestamp(1_700_000_000, UTC)


class ExpiredError(ClientError):
    """What an iterator older than a quarter of an hour answers."""


class TrimmedError(ClientError):
    """What records older than a day answer."""


class MissingError(ClientError):
    """What a shard that is gone answers."""


def fault(kind: type[ClientError]) -> ClientError:
    """Return a fault as boto3 raises it."""
    return kind({"Error": {"Code": kind.__name__, "Message": "no"}}, "GetRecords")


@dataclass
class Shard:
    """A shard of a stream in memory: pages of sequence numbers, or a fault where a page should be."""

    id: str
    pages: list[list[int] | type[ClientError]]
    parent: str | None = None
    is_closed: bool = True
    oldest: int = 0
    """What is before this sequence number has been trimmed."""
    is_gone: bool = False
    at: datetime = EARLY


@dataclass
class Streams:
    """DynamoDB Streams in memory, so far as a reader calls it."""

    shards: list[Shard]
    exceptions: Any = field(
        default_factory=lambda: SimpleNamespace(
            ExpiredIteratorException=ExpiredError,
            TrimmedDataAccessException=TrimmedError,
            ResourceNotFoundException=MissingError,
        )
    )
    descriptions: int = 0

    def describe_stream(self, **request: str) -> dict[str, Any]:
        """List two shards a page."""
        self.descriptions += 1
        start = request.get("ExclusiveStartShardId")
        ids = [shard.id for shard in self.shards]
        first = ids.index(start) + 1 if start else 0
        page = self.shards[first : first + 2]
        last = {"LastEvaluatedShardId": page[-1].id} if first + 2 < len(ids) else {}
        return {"StreamDescription": {"Shards": [_described(shard) for shard in page], **last}}

    def get_shard_iterator(self, **request: str) -> dict[str, str]:
        """Point at the oldest record, or after one."""
        shard = self._shard(request["ShardId"])
        if shard.is_gone:
            raise fault(MissingError)
        after = int(request.get("SequenceNumber", -1))
        if 0 <= after < shard.oldest:
            raise fault(TrimmedError)
        return {"ShardIterator": f"{shard.id} {after}"}

    def get_records(self, **request: str) -> dict[str, Any]:
        """Return the first page that has something after the iterator."""
        shard_id, after = request["ShardIterator"].split()
        shard = self._shard(shard_id)
        if 0 <= int(after) < shard.oldest and shard.pages[:1] != [ExpiredError]:
            raise fault(TrimmedError)
        page = shard.pages.pop(0) if shard.pages else []
        if not isinstance(page, list):
            raise fault(page)
        ended = shard.is_closed and not shard.pages
        following = {} if ended else {"NextShardIterator": f"{shard.id} {max([int(after), *page])}"}
        return {"Records": [_record(number, shard.at) for number in page], **following}

    def _shard(self, shard_id: str) -> Shard:
        return next(shard for shard in self.shards if shard.id == shard_id)


def _described(shard: Shard) -> dict[str, Any]:
    ending = {"EndingSequenceNumber": "9"} if shard.is_closed else {}
    parent = {"ParentShardId": shard.parent} if shard.parent else {}
    return {"ShardId": shard.id, "SequenceNumberRange": {"StartingSequenceNumber": "0", **ending}, **parent}


def _record(number: int, at: datetime) -> dict[str, Any]:
    return {"dynamodb": {"SequenceNumber": str(number), "ApproximateCreationDateTime": at}}


@dataclass
class Read:
    """What was read of a stream, which shards had gaps, and how often the reader waited."""

    numbers: list[int]
    gaps: list[str]
    waits: int


def read(*shards: Shard, until_ms: int | None = LATER) -> Read:
    """Read the shards to their present end."""
    gaps: list[str] = []
    waits: list[None] = []
    client = cast("Any", Streams(list(shards)))
    records = StreamReader(client, ARN, REGION, gaps.append).records(lambda: waits.append(None), until_ms)
    return Read([_number(raw) for raw in records], gaps, len(waits))


def _number(raw: Any) -> int:
    return int(raw["dynamodb"]["SequenceNumber"])


def poller(*shards: Shard) -> tuple[Streams, Callable[[], list[int]]]:
    """Return a stream, and a function that polls it once."""
    client = Streams(list(shards))
    reader = StreamReader(cast("Any", client), ARN, REGION)
    return client, lambda: [_number(raw) for raw in reader.poll()]


def test_parents_are_read_to_their_end_before_their_children() -> None:
    """A child, though listed first, waits for its parent; a parent that is no longer listed is not waited for."""
    found = read(
        Shard("grandchild", [[7]], parent="child", is_closed=False),
        Shard("child", [[5], [6]], parent="parent"),
        Shard("parent", [[1], [], [2, 3]], parent="trimmed long ago"),
    )
    assert found.numbers == [1, 2, 3, 5, 6, 7]
    assert found.gaps == []


def test_an_open_shard_is_left_once_it_is_quiet() -> None:
    """An empty page may stand before a full one: some rounds of them are waited for, and no more."""
    found = read(Shard("s", [[1], [], [], [2]], is_closed=False))
    assert (found.numbers, found.waits) == ([1, 2], 2 + OPEN_ROUNDS)


def test_the_end_of_a_shard_breaks_the_silence() -> None:
    """A child has as many rounds as its parent had, which was listed as open and ended without a record."""
    parent = Shard("parent", [[]] * OPEN_ROUNDS, is_closed=False)
    client = Streams([parent, Shard("child", [*[[]] * OPEN_ROUNDS, [1]], "parent", is_closed=False)])
    records = StreamReader(cast("Any", client), ARN, REGION).records(lambda: setattr(parent, "is_closed", True), LATER)
    assert [_number(raw) for raw in records] == [1]


def test_a_closed_shard_is_read_through_any_silence() -> None:
    """A closed shard is sure to end: a long row of empty pages hides nothing."""
    assert read(Shard("s", [*([[]] * (OPEN_ROUNDS + 3)), [1]])).numbers == [1]


def test_a_busy_table_does_not_keep_the_reader() -> None:
    """What is made after the moment that is asked for is not waited for."""
    found = read(Shard("s", [[1], [2], [3]], is_closed=False, at=datetime.fromtimestamp(LATER / 500, UTC)))
    assert (found.numbers, found.waits) == ([1], 0)


def test_following_goes_on_after_silence() -> None:
    """Without an end the reader waits for what comes, until the stream itself ends."""
    found = read(Shard("s", [*([[]] * (OPEN_ROUNDS + 3)), [1]], is_closed=True), until_ms=None)
    assert found.numbers == [1]
    assert found.waits > OPEN_ROUNDS


def test_an_expired_iterator_loses_and_repeats_nothing() -> None:
    """Reading goes on after the last record; before any was read, from the start."""
    assert read(Shard("s", [ExpiredError, [1], ExpiredError, [1, 2]])).numbers == [1, 2]


def test_a_gap_is_told() -> None:
    """What was trimmed under the reader is a gap; what is left is read, once."""
    assert read(Shard("s", [[1], [5]], oldest=5)) == Read([1, 5], ["s"], 0)
    assert read(Shard("s", [TrimmedError, [5]])) == Read([5], ["s"], 0)


def test_a_gap_behind_an_expired_iterator_is_told() -> None:
    """The place where reading should go on may itself be gone."""
    found = read(Shard("s", [[1], ExpiredError, [5]], oldest=5))
    assert (found.numbers, found.gaps) == ([1, 5], ["s"])


def test_a_shard_that_is_gone_is_a_gap_and_its_child_is_read() -> None:
    """A listed shard may be gone when it is opened."""
    found = read(Shard("old", [[1]], is_gone=True), Shard("new", [[2]], parent="old"))
    assert (found.numbers, found.gaps) == ([2], ["old"])


def test_a_list_of_shards_without_end_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """Listing shards is bounded."""
    monkeypatch.setattr(streams, "MAX_LIST_PAGES", 1)
    with pytest.raises(ConfigurationError, match="more shards than 1 pages list"):
        read(Shard("a", []), Shard("b", []), Shard("c", []))


def test_a_poll_returns_what_is_new() -> None:
    """What has been returned is not returned again; where nothing came, nothing is."""
    stream, poll = poller(Shard("s", [[1, 2]], is_closed=False))
    assert [poll(), poll()] == [[1, 2], []]
    stream.shards[0].pages = [[2, 3]]
    assert [poll(), poll()] == [[3], []]


def test_a_poll_turns_to_a_child_once_its_parent_has_ended() -> None:
    """In the same round where the parent is listed first, else in the next; an unlisted parent holds nothing up."""
    parent, child = Shard("parent", [[1]], parent="trimmed long ago"), Shard("child", [[2]], parent="parent")
    _, poll = poller(parent, child)
    assert poll() == [1, 2]
    parent.pages, child.pages = [[1], [2]], [[3]]
    _, poll = poller(child, parent)
    assert [poll(), poll(), poll()] == [[1], [2], [3]]


def test_a_shard_that_splits_later_is_followed() -> None:
    """The shard closes with its last record, and its children go on."""
    stream, poll = poller(Shard("parent", [[1]], is_closed=False))
    assert poll() == [1]
    parent = stream.shards[0]
    parent.is_closed, parent.pages = True, [[2]]
    stream.shards += [Shard("left", [[3]], "parent", is_closed=False), Shard("right", [[4]], "parent", is_closed=False)]
    assert [poll(), poll()] == [[2], [3, 4]]


def test_an_expired_iterator_costs_a_poll_nothing() -> None:
    """After a long pause the same poll goes on where reading stood; only one that fails again and again is put off."""
    stream, poll = poller(Shard("s", [[1]], is_closed=False))
    assert poll() == [1]
    stream.shards[0].pages = [ExpiredError, [1, 2], *[ExpiredError] * AIMS, [3]]
    assert [poll(), poll(), poll()] == [[2], [], [3]]


def test_shards_are_listed_only_where_some_may_be_unknown() -> None:
    """Once at first, and again from the end of a shard until its children are known."""
    stream, poll = poller(Shard("parent", [], is_closed=False))

    def listings() -> int:
        before = stream.descriptions
        poll()
        return stream.descriptions - before

    assert [listings(), listings()] == [1, 0]
    stream.shards[0].is_closed = True
    assert [listings(), listings(), listings()] == [0, 1, 1]
    stream.shards.append(Shard("child", [[1]], "parent", is_closed=False))
    assert [listings(), listings()] == [1, 0]


def test_a_polled_record_names_the_region_that_the_caller_names() -> None:
    """Engines that run in one process call every Region the same."""
    reader = StreamReader(cast("Any", Streams([Shard("s", [[1]])])), ARN, "ap-south-1")
    assert [(raw["awsRegion"], raw["eventSourceARN"]) for raw in reader.poll()] == [("ap-south-1", ARN)]


def test_a_record_is_written_as_lambda_has_it() -> None:
    """Binary becomes base64 and times seconds, as in an event; the Region and the ARN are the stream's own."""
    image = {"Photo": {"B": b"\x00\xff"}, "Empty": {}}
    answered = {
        "eventName": "REMOVE",
        "awsRegion": "ddblocal",
        "userIdentity": {"Type": "Service", "PrincipalId": "dynamodb.amazonaws.com"},
        "dynamodb": {"OldImage": image, "ApproximateCreationDateTime": EARLY, "SequenceNumber": "1"},
    }
    assert in_lambda_shape(answered, ARN, REGION) == {
        "eventName": "REMOVE",
        "awsRegion": REGION,
        "eventSourceARN": ARN,
        "userIdentity": {"type": "Service", "principalId": "dynamodb.amazonaws.com"},
        "dynamodb": {
            "OldImage": {"Photo": {"B": "AP8="}, "Empty": {"M": {}}},
            "ApproximateCreationDateTime": 1_700_000_000,
            "SequenceNumber": "1",
        },
    }


@pytest.fixture
def aws() -> Iterator[None]:
    """An AWS in this process, with nothing in it."""
    with mock_aws():
        yield


@pytest.mark.usefixtures("aws")
def test_a_table_without_a_stream_is_named() -> None:
    """Recording what has no stream is a mistake of the call."""
    with pytest.raises(ConfigurationError, match="table 'Events' has no stream in eu-west-1"):
        stream_reader("Events", REGION, print)


def test_the_newest_stream_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    """A table whose stream was turned off and on has the old one for a day."""
    found = [{"StreamLabel": label, "StreamArn": f"{ARN}/{label}"} for label in ("2026-01", "2026-03", "2026-02")]
    client = SimpleNamespace(list_streams=lambda **_request: {"Streams": found})
    monkeypatch.setattr(boto3, "client", lambda *_names, **_settings: client)
    assert stream_reader("Events", REGION, print).arn == f"{ARN}/2026-03"


def test_a_name_that_no_table_can_have_is_a_mistake_of_the_call() -> None:
    """It is told in one line, and retried by no one: no item is at fault."""
    with pytest.raises(ConfigurationError) as caught:
        stream_reader("T", REGION, print)
    assert str(caught.value) == (
        "ListStreams on T: Invalid length for parameter TableName, value: 1, valid min length: 3"
    )


@pytest.mark.usefixtures("aws")
def test_a_tables_own_stream_is_read() -> None:
    """From the table's name to its records."""
    table = boto3.resource("dynamodb", region_name=REGION).create_table(
        TableName="Events",
        AttributeDefinitions=[{"AttributeName": "Id", "AttributeType": "S"}],
        KeySchema=[{"AttributeName": "Id", "KeyType": "HASH"}],
        BillingMode="PAY_PER_REQUEST",
        StreamSpecification={"StreamEnabled": True, "StreamViewType": "NEW_AND_OLD_IMAGES"},
    )
    for number in range(3):
        table.put_item(Item={"Id": "x", "Photo": bytes([number])})
    records = list(stream_reader("Events", REGION, print).records(lambda: None, LATER))
    assert [raw["dynamodb"]["NewImage"]["Photo"]["B"] for raw in records] == ["AA==", "AQ==", "Ag=="]
    assert {raw["awsRegion"] for raw in records} == {REGION}
