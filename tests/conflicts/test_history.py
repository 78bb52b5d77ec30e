"""The conflict history: both sides of every conflict, for 30 days, found by item and by conflict."""

import json
import random
import zlib
from base64 import b64encode
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import boto3
import pytest
from moto import mock_aws

from reconciler.adapters.history import MAX_IMAGES_BYTES, HistoryTable
from reconciler.conflict import MAX_NAMES
from reconciler.size import MAX_ITEM_BYTES, item_bytes
from tests.conflicts.conflicts import CONFLICT, KEY, LOST, MERGED, NOW, WON, conflict

if TYPE_CHECKING:
    from types_boto3_dynamodb.client import DynamoDBClient

REGION, TABLE = "us-east-1", "ConflictHistory"
DAY_SECONDS = 86_400


@pytest.fixture
def client(monkeypatch: pytest.MonkeyPatch) -> "Iterator[DynamoDBClient]":
    """A history table in this process."""
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "testing")
    with mock_aws():
        dynamodb = boto3.client("dynamodb", REGION)
        dynamodb.create_table(
            TableName=TABLE,
            KeySchema=[{"AttributeName": "ItemKey", "KeyType": "HASH"}, {"AttributeName": "Entry", "KeyType": "RANGE"}],
            AttributeDefinitions=[
                {"AttributeName": "ItemKey", "AttributeType": "S"},
                {"AttributeName": "Entry", "AttributeType": "S"},
            ],
            BillingMode="PAY_PER_REQUEST",
        )
        yield dynamodb


def entry(told: Any, *, repaired: bool = True, now_ms: int = NOW) -> Any:
    """Return the history's item of a conflict."""
    nobody: Any = None
    return HistoryTable(nobody, TABLE).entry_of(told, repaired=repaired, now_ms=now_ms)


def incompressible(size: int, seed: int) -> Mapping[str, Any]:
    """Return an image that hardly compresses, of about `size` bytes as JSON."""
    source = random.Random(seed)  # noqa: S311 - a test's data
    return {**KEY, "Data": {"B": b64encode(source.randbytes(size * 3 // 4)).decode()}}


def size_of(stored: Mapping[str, Any]) -> int:
    """Return how large DynamoDB counts an item of a client."""
    return item_bytes(
        {name: {"B": b64encode(value["B"]).decode()} if "B" in value else value for name, value in stored.items()}
    )


def test_a_conflict_is_found_by_its_item(client: "DynamoDBClient") -> None:
    """Who asks for an item's history sees in order what was lost, to what, and what became of it."""
    history = HistoryTable(client.batch_write_item, TABLE)
    later = replace(CONFLICT, winner=MERGED, at_ms=1_700_000_000_456)
    assert history.send([history.entry_of(each, repaired=True, now_ms=NOW) for each in (later, CONFLICT)]) == []
    key = json.dumps(KEY, separators=(",", ":"))
    first, second = client.query(
        TableName=TABLE,
        KeyConditionExpression="ItemKey = :key",
        ExpressionAttributeValues={":key": {"S": key}},
    )["Items"]
    assert [json.loads(first[name]["S"]) for name in ("Loser", "Winner", "Merged")] == [LOST, WON, MERGED]
    assert second["Entry"]["S"] == f"2023-11-14T22:13:20.456Z#{later.event_id}"
    assert first["ConflictId"] == second["ConflictId"] == {"S": CONFLICT.id}
    del first["Loser"], first["Winner"], first["Merged"]
    assert first == {
        "ItemKey": {"S": key},
        "Entry": {"S": f"2023-11-14T22:13:20.123Z#{CONFLICT.event_id}"},
        "ConflictId": {"S": CONFLICT.id},
        "EventId": {"S": CONFLICT.event_id},
        "KeyDigest": {"S": CONFLICT.key_digest},
        "Table": {"S": "GlobalEventTable"},
        "Region": {"S": REGION},
        "SequenceNumber": {"S": "7"},
        "Kind": {"S": "overwritten"},
        "Mode": {"S": "exact"},
        "Repaired": {"BOOL": True},
        "RecordedAt": {"N": str(NOW)},
        "ExpiresAt": {"N": str(NOW // 1000 + 30 * DAY_SECONDS)},
        "LostWrites": {"L": [{"S": "write-of-us-east"}]},
        "Overwritten": {"L": [{"S": "Data"}, {"S": "Note"}]},
        "Lost": {"L": [{"S": "Data"}]},
    }


def test_a_conflict_that_comes_again_is_one_item(client: "DynamoDBClient") -> None:
    """Told again later, it replaces what was told."""
    history = HistoryTable(client.batch_write_item, TABLE)
    for now_ms in (NOW, NOW + 60_000):
        history.send([history.entry_of(CONFLICT, repaired=True, now_ms=now_ms)])
    (item,) = client.scan(TableName=TABLE)["Items"]
    assert item["RecordedAt"] == {"N": str(NOW + 60_000)}


def test_a_call_has_25_items_at_most(client: "DynamoDBClient") -> None:
    """Sixty conflicts are three calls, and sixty items."""
    history = HistoryTable(client.batch_write_item, TABLE)
    batches = list(history.batches([entry(conflict(number)) for number in range(60)]))
    assert [len(batch) for batch in batches] == [25, 25, 10]
    assert [history.send(batch) for batch in batches] == [[], [], []]
    assert client.scan(TableName=TABLE)["Count"] == 60


def test_what_is_left_unprocessed_comes_back() -> None:
    """DynamoDB may take a batch in part: only those items are to be tried again."""

    def throttled(RequestItems: dict[str, list[Any]]) -> Any:  # noqa: N803 - boto3's own name
        return {"UnprocessedItems": {TABLE: RequestItems[TABLE][1:]}}

    entries = [entry(conflict(number)) for number in range(3)]
    assert HistoryTable(throttled, TABLE).send(entries) == entries[1:]


def test_large_images_are_compressed(client: "DynamoDBClient") -> None:
    """They read back as they were, binary and deepest nesting included."""
    deep: Any = {"S": "x" * 20_000}
    for _ in range(31):
        deep = {"M": {"a": deep}}
    large = {**LOST, "Deep": deep, "Binary": {"B": "AAE="}, "Tags": {"SS": ["a", "b"]}}
    history = HistoryTable(client.batch_write_item, TABLE)
    history.send([history.entry_of(replace(CONFLICT, loser=large), repaired=True, now_ms=NOW)])
    (item,) = client.scan(TableName=TABLE)["Items"]
    assert (item["Encoding"], "Omitted" in item, size_of(item) < 4_000) == ({"S": "zlib"}, False, True)
    assert json.loads(zlib.decompress(item["Loser"]["B"])) == large
    assert json.loads(zlib.decompress(item["Merged"]["B"])) == MERGED


@pytest.mark.parametrize(
    ("sizes", "omitted"),
    [
        ((120, 120, 120), []),
        ((200, 200, 200), ["Merged"]),
        ((396, 396, 100), ["Merged", "Winner"]),
        ((396, 396, 0), ["Winner"]),
        ((396, 0, 0), []),
    ],
)
def test_what_passes_an_items_limit_is_left_to_its_digest(
    client: "DynamoDBClient", sizes: tuple[int, int, int], omitted: list[str]
) -> None:
    """First what the item's own table has; the loser, which is nowhere else, stays longest."""
    images: list[Any] = [incompressible(size << 10, seed) if size else None for seed, size in enumerate(sizes)]
    huge = replace(CONFLICT, loser=images[0], winner=images[1], merged=images[2])
    history = HistoryTable(client.batch_write_item, TABLE)
    history.send([history.entry_of(huge, repaired=True, now_ms=NOW)])
    (item,) = client.scan(TableName=TABLE)["Items"]
    assert [name["S"] for name in item.get("Omitted", {"L": []})["L"]] == omitted
    for name, image in zip(("Loser", "Winner", "Merged"), images, strict=True):
        assert (name in item, f"{name}Digest" in item) == (image is not None and name not in omitted, name in omitted)
    assert json.loads(zlib.decompress(item["Loser"]["B"])) == images[0]
    assert size_of(item) <= MAX_ITEM_BYTES


def test_even_a_loser_that_no_item_holds_has_its_digest() -> None:
    """No stream delivers such an image; all three are told by their digests."""
    huge = replace(CONFLICT, loser=incompressible(MAX_IMAGES_BYTES * 2, 1), winner=None)
    stored = entry(huge)
    assert stored["Omitted"] == {"L": [{"S": "Merged"}, {"S": "Loser"}]}
    assert len(stored["LoserDigest"]["S"]) == 32
    assert entry(replace(huge, loser=incompressible(MAX_IMAGES_BYTES * 2, 2)))["LoserDigest"] != stored["LoserDigest"]


def test_a_key_that_is_too_long_for_a_key_is_told_by_its_digest() -> None:
    """Its JSON is longer than the key itself: two kilobytes is all that a partition key holds."""
    long = replace(CONFLICT, key={"Id": {"S": "x" * 2_048}})
    assert entry(long)["ItemKey"] == {"S": long.key_digest}
    assert entry(CONFLICT)["ItemKey"] == {"S": json.dumps(KEY, separators=(",", ":"))}


def test_a_loss_without_a_time_stands_first() -> None:
    """A record that does not say when it was made is still told."""
    assert entry(replace(CONFLICT, at_ms=None))["Entry"] == {"S": f"#{CONFLICT.event_id}"}


def test_an_item_names_no_more_than_it_may() -> None:
    """Of many attributes the first are named, and how many more there are is a number."""
    names = tuple(f"{number:03}" for number in range(MAX_NAMES + 3))
    stored = entry(replace(CONFLICT, lost=names), repaired=False)
    assert (len(stored["Lost"]["L"]), stored["LostMore"], stored["Repaired"]) == (
        MAX_NAMES,
        {"N": "3"},
        {"BOOL": False},
    )
