"""Streams recorded from a real engine, through the function that Lambda runs, on tables as the recordings left them."""

import json
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest
from moto import mock_aws

from handlers import stream
from reconciler.adapters.binary import to_boto
from reconciler.poison import parse
from reconciler.records import RawRecord
from replay_tools.recordings import read_recording

HERE = Path(__file__).parent
A, B = "us-east-1", "eu-west-1"
TABLE = "GlobalEventTable"
MAX_BYTES = 200_000

Item = dict[str, Any]


class Replica:
    """One Region's table as its recording left it, and the stream function in front of it."""

    def __init__(self, records: list[RawRecord], region: str, queue_url: str) -> None:
        """Put the newest image of each key."""
        self._table = boto3.resource("dynamodb", region_name=region).create_table(
            TableName=TABLE,
            AttributeDefinitions=[{"AttributeName": "Id", "AttributeType": "S"}],
            KeySchema=[{"AttributeName": "Id", "KeyType": "HASH"}],
            BillingMode="PAY_PER_REQUEST",
        )
        client = boto3.client("dynamodb", region_name=region)
        for image in newest_images(records):
            client.put_item(TableName=TABLE, Item=to_boto(image))
        self._records = records
        self._queue_url = queue_url

    def run(self, batch: int = 1_000) -> None:
        """Hand all records to the function, in batches; none may fail."""
        for start in range(0, len(self._records), batch):
            event = {"Records": self._records[start : start + batch]}
            assert stream.lambda_handler(event, None) == {"batchItemFailures": []}  # type: ignore[arg-type]

    def item(self, key: str) -> Item:
        """Return an item, empty where there is none."""
        return self._table.get_item(Key={"Id": key}).get("Item", {})

    def items(self) -> list[Item]:
        """Return every item, by key."""
        return sorted(self._table.scan()["Items"], key=lambda item: str(item["Id"]))

    def drop(self) -> None:
        """Make room for another."""
        self._table.delete()

    def poison(self) -> dict[str, str]:
        """Return why which item is in the queue."""
        sqs = boto3.client("sqs", region_name=A)
        answer = sqs.receive_message(QueueUrl=self._queue_url, MaxNumberOfMessages=10)
        messages = [parse([message["Body"]]) for message in answer.get("Messages", [])]
        return {message.key["Id"]["S"]: message.reason for message in messages}


def newest_images(records: list[RawRecord]) -> list[Item]:
    """Return what stood there when the recording ended."""
    newest: dict[str, Item | None] = {}
    for raw in records:
        newest[json.dumps(raw["dynamodb"]["Keys"])] = raw["dynamodb"].get("NewImage")
    return [image for image in newest.values() if image is not None]


def records_of(name: str) -> list[RawRecord]:
    """Return a recording's records."""
    return [recorded.raw for recorded in read_recording(str(HERE / name))]


@pytest.fixture
def replica(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., Replica]]:
    """Return a function that sets up a Region and the environment of its stream function."""
    monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)
    environment = {
        "TABLE_NAME": TABLE,
        "POLICY_FILE": str(HERE / "policy.toml"),
        "AWS_ACCESS_KEY_ID": "testing",
        "AWS_SECRET_ACCESS_KEY": "testing",
        "AWS_ACCOUNT_ID_ENDPOINT_MODE": "disabled",
        "LANES": "1",  # moto is not thread-safe
    }
    for name, value in environment.items():
        monkeypatch.setenv(name, value)

    def start(name: str, region: str) -> Replica:
        url = boto3.client("sqs", region_name=A).create_queue(QueueName="poison")["QueueUrl"]
        monkeypatch.setenv("POISON_QUEUE_URL", url)
        monkeypatch.setenv("AWS_REGION", region)
        stream.handler.cache_clear()
        return Replica(records_of(name), region, url)

    with mock_aws():
        yield start
    stream.handler.cache_clear()


Start = Callable[[str, str], Replica]


def decisions(capsys: pytest.CaptureFixture[str]) -> Counter[tuple[str, str]]:
    """Return what the function logged of each conflict and poison record: event, and kind or reason."""
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines() if line.startswith("{")]
    return Counter(
        (line["event"], line.get("kind") or line["reason"])
        for line in lines
        if line.get("event", "").startswith(("conflict_", "record_"))
    )


def test_the_region_that_lost_most_is_made_whole(replica: Start, capsys: pytest.CaptureFixture[str]) -> None:
    """Every kind of loss in one stream is decided as it should be."""
    replica(f"{A}.ndjson", A).run()
    assert decisions(capsys) == {
        ("conflict_repaired", "overwritten"): 5,
        ("conflict_repaired", "swept"): 1,
        ("conflict_repaired", "foreign"): 1,
        ("conflict_recorded", "hard_delete"): 1,
        ("record_poisoned", "malformed"): 1,
        ("record_poisoned", "manual"): 1,
    }


def test_the_other_region_has_its_own_losses(replica: Start, capsys: pytest.CaptureFixture[str]) -> None:
    """What the second Region forgot is in its stream alone."""
    replica(f"{B}.ndjson", B).run()
    assert decisions(capsys) == {
        ("conflict_repaired", "overwritten"): 1,
        ("conflict_recorded", "lost_to_delete"): 1,
    }


@pytest.mark.parametrize(("region", "key"), [(A, "lost-in-a"), (B, "lost-in-b")])
def test_concurrent_writes_are_both_there(replica: Start, region: str, key: str) -> None:
    """Counter, set, maximum, rank and map hold what both Regions wrote; the register what was written last."""
    table = replica(f"{region}.ndjson", region)
    table.run()
    item = table.item(key)
    assert {name: item[name] for name in ("Balance", "Tags", "Limit", "Status", "Data", "Profile", "Version")} == {
        "Balance": 111,
        "Tags": {"ana", "ben"},
        "Limit": 100,
        "Status": "closed",
        "Data": "from Ben",
        "Profile": {"Ana": "Ana", "Ben": "Ben", "LoginCount": 2},
        "Version": 3,
    }


@pytest.mark.parametrize(
    ("key", "expected"),
    [
        pytest.param("retried", {"Balance": 6, "Version": 3}, id="a request executed in both Regions counts once"),
        pytest.param("manual", {"Owner": "Ben"}, id="a manual attribute stays as it is until a person says otherwise"),
        pytest.param("recreated", {"Data": "new", "Balance": 2}, id="what TTL took by mistake is back"),
        pytest.param("foreign", {"Data": "by hand", "Version": 2}, id="a foreign write is adopted"),
        pytest.param("malformed", {"Data": "v1", "Causality": "none"}, id="what cannot be read is left alone"),
        pytest.param("plain", {"Data": "b", "OnlyA": True, "Version": 3}, id="plain items are joined approximately"),
        pytest.param("quiet", {"Data": "v1", "Balance": 3, "Tags": {"y"}, "Settings": {}}, id="no loss, no change"),
    ],
)
def test_each_item_ends_as_it_should(replica: Start, key: str, expected: Item) -> None:
    """What stands in the table in the end."""
    table = replica(f"{A}.ndjson", A)
    table.run()
    item = table.item(key)
    assert {name: item.get(name) for name in expected} == expected


def test_deletes_stand_in_both_regions(replica: Start) -> None:
    """Whether the delete won or lost by last-writer-wins: a tombstone stands, without content."""
    for region, key in ((A, "delete-lost"), (B, "deleted")):
        table = replica(f"{region}.ndjson", region)
        table.run()
        assert table.item(key).keys() & {"ExpiresAt", "Balance", "Data"} == {"ExpiresAt"}


def test_what_is_gone_stays_gone(replica: Start) -> None:
    """A tombstone that TTL took, and an item that someone removed for good, do not come back."""
    table = replica(f"{A}.ndjson", A)
    table.run()
    assert [table.item(key) for key in ("tombstone", "hard-deleted")] == [{}, {}]


def test_poison_waits_in_the_queue(replica: Start) -> None:
    """The unreadable item and the question to a person, and nothing else."""
    table = replica(f"{A}.ndjson", A)
    table.run()
    assert table.poison() == {"malformed": "malformed", "manual": "manual"}


@pytest.mark.parametrize("region", [A, B])
@pytest.mark.parametrize("batch", [1, 7])
def test_batches_of_any_size_and_twice_end_the_same(replica: Start, region: str, batch: int) -> None:
    """However Lambda cuts the stream, and though it delivers all of it again: the same items, byte for byte."""
    table = replica(f"{region}.ndjson", region)
    table.run()
    whole = table.items()
    table.run(batch)
    assert table.items() == whole
    table.drop()
    again = replica(f"{region}.ndjson", region)
    again.run(batch)
    assert again.items() == whole


@pytest.mark.parametrize(("name", "region"), [("lambda-event.json", A), ("get-records.json", B)])
def test_other_forms_of_recording_run_as_well(replica: Start, name: str, region: str) -> None:
    """The first records of each Region, as a Lambda event and as an answer of GetRecords, come to the same item."""
    table = replica(name, region)
    table.run()
    assert table.item("lost-in-a" if region == A else "lost-in-b")["Balance"] == 111


def test_both_regions_come_to_the_same_item(replica: Start) -> None:
    """What lost in one Region and what lost in the other are joined to the same bytes but for the names."""
    joined = []
    for region, key in ((A, "lost-in-a"), (B, "lost-in-b")):
        table = replica(f"{region}.ndjson", region)
        table.run()
        joined.append({name: table.item(key)[name] for name in ("Balance", "Tags", "Status", "Profile", "Data")})
    assert joined[0] == joined[1]


def test_recordings_stay_small() -> None:
    """A recording is read by people in a review."""
    sizes = {path.name: path.stat().st_size for path in HERE.glob("*json*")}
    assert len(sizes) == 4
    assert max(sizes.values()) < MAX_BYTES
