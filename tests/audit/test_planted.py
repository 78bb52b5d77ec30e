"""A thousand planted lost writes in two Regions of a real engine, found without any metadata, with misses counted."""

import json
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import boto3
import pytest

from reconciler.adapters.streams import StreamReader
from reconciler.policy import Region
from replay_tools.audit.audit import Summary, audit
from replay_tools.replica import DynamoDBReplica
from replay_tools.replicator import Replicator

pytestmark = pytest.mark.dynamodb_local

A, B = Region("us-east-1"), Region("eu-west-1")
PLANTED, QUIET, COALESCED = 1_000, 500, 500
MAX_STEPS = 200


class Recorder(DynamoDBReplica):
    """A replica whose stream is also written down."""

    def __init__(self, endpoint: str, region: str) -> None:
        """Create the table in a database of its own."""
        known: dict[str, Any] = {
            "region_name": region,
            "endpoint_url": endpoint,
            "aws_access_key_id": "planted",
            "aws_secret_access_key": "planted",
        }
        self.client = boto3.client("dynamodb", **known)
        self.client.create_table(
            TableName="Plain",
            BillingMode="PAY_PER_REQUEST",
            KeySchema=[{"AttributeName": "Id", "KeyType": "HASH"}],
            AttributeDefinitions=[{"AttributeName": "Id", "AttributeType": "S"}],
            StreamSpecification={"StreamEnabled": True, "StreamViewType": "NEW_AND_OLD_IMAGES"},
        )
        streams = boto3.client("dynamodbstreams", **known)
        (stream,) = streams.list_streams(TableName="Plain")["Streams"]
        reader = StreamReader(streams, stream["StreamArn"], region, lambda _: None)
        super().__init__(self.client, "Plain", reader)
        self.recorded: list[Any] = []

    def read(self) -> list[Any]:
        """Return the stream's records since the last read, and keep them."""
        records = super().read()
        self.recorded += records
        return records

    def put(self, item: str, **attributes: str) -> None:
        """Put a plain item."""
        texts = {name: {"S": value} for name, value in attributes.items()}
        self.client.put_item(TableName="Plain", Item={"Id": {"S": item}, **texts})


def test_planted_losses_are_found(dynamodb_local_endpoint: str, tmp_path: Path) -> None:
    """Concurrent writes of two attributes, beside items that are only replicated, or coalesced on their way."""
    regions = {A: Recorder(dynamodb_local_endpoint, A), B: Recorder(dynamodb_local_endpoint, B)}
    replicator = Replicator(regions)
    here, there = regions[A], regions[B]
    names = [f"item-{number}" for number in range(PLANTED + QUIET + COALESCED)]
    planted, others = names[:PLANTED], names[PLANTED:]
    coalesced = others[QUIET:]
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda item: here.put(item, Data="base", Note="base"), names))
        replicator.settle(MAX_STEPS)
        replicator.cut(A, B)
        list(pool.map(lambda item: here.put(item, Data=f"from here {item}", Note="base"), planted))
        list(pool.map(lambda item: there.put(item, Data="base", Note=f"from there {item}"), planted))
        list(pool.map(lambda item: here.put(item, Data="once", Note="base"), others))
        list(pool.map(lambda item: here.put(item, Data="once", Note="twice"), coalesced))
        replicator.heal(A, B)
        replicator.settle(MAX_STEPS)
    paths = {region: tmp_path / region for region in regions}
    for region, recorder in regions.items():
        paths[region].write_text("".join(json.dumps(record) + "\n" for record in recorder.recorded))
    summary = Summary()
    found = list(audit([(region, str(path)) for region, path in paths.items()], None, summary))
    items = {str(lost.key["Id"]["S"]) for lost in found}
    misses, false_alarms = len(set(planted) - items), len(items - set(planted))
    print(f"{PLANTED} planted, {misses} missed, {false_alarms} false alarms")  # noqa: T201 - on purpose
    assert (misses, false_alarms, len(found)) == (0, 0, PLANTED)
    assert {own_value(recorder_records(regions), lost) for lost in found} <= {"lost"}


def recorder_records(regions: dict[Region, Recorder]) -> dict[tuple[str, str], Any]:
    """Return every record by Region and sequence number."""
    return {
        (region, record["dynamodb"]["SequenceNumber"]): record["dynamodb"]
        for region, recorder in regions.items()
        for record in recorder.recorded
    }


def own_value(records: dict[tuple[str, str], Any], lost: Any) -> str:
    """Say whether the record that is named wrote a value that stands nowhere in the end."""
    written = records[lost.region, lost.sequence_number]["NewImage"]
    last = records[lost.overwritten_in, lost.overwritten_by]["NewImage"]
    return "lost" if all(written[name] != last[name] for name in lost.attributes) else "kept"
