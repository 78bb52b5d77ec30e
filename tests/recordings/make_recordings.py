"""Makes the recordings beside it from DynamoDB Local: two Regions, the project's own writer, real streams (README.md).

    A: us-east-1    B: eu-west-1    A>B: A's image wins, and is put to B as replication would

No worker runs meanwhile, so that what was lost stays lost in the recordings.
"""

import json
from base64 import b64encode
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast
from urllib.parse import urlsplit

import boto3

from reconciler import EventProcessor, Policy
from reconciler.adapters import system
from replay_tools.cli import main as replay_tools

if TYPE_CHECKING:
    from datetime import datetime

HERE = Path(__file__).parent
A, B = "us-east-1", "eu-west-1"
HOUR = 3_600_000
LOOPBACK = {"127.0.0.1", "localhost", "::1"}
FEW = 12


class World:
    """One table in two Regions, written by the project's writer, with clocks that go on by themselves."""

    def __init__(self, policy: Policy) -> None:
        """Make both tables."""
        self._now = system.clock_ms() - 60_000
        self._tables = {region: _table(region, policy) for region in (A, B)}
        self._writers = {
            region: EventProcessor(table, region, policy, clock=self._clock) for region, table in self._tables.items()
        }

    def write(self, region: str, item: str, key: str, *, hours_ago: int = 0, **request: Any) -> None:
        """Execute one request; `hours_ago` by the writer's clock."""
        self._now += 7 - hours_ago * HOUR
        self._writers[region].process_event({"Id": item, "IdempotencyKey": key, **request})
        self._now += hours_ago * HOUR

    def replicate(self, winner: str, loser: str, item: str) -> None:
        """Let the winner's image stand in the loser's Region."""
        answer = self._tables[winner].get_item(Key={"Id": item}, ConsistentRead=True)
        self._tables[loser].put_item(Item=answer["Item"])

    def put(self, region: str, item: dict[str, Any]) -> None:
        """Put an item without the writer."""
        self._tables[region].put_item(Item=item)

    def set_data(self, region: str, item: str, data: str) -> None:
        """Change one attribute without the writer."""
        self._tables[region].update_item(
            Key={"Id": item},
            UpdateExpression="SET #data = :data",
            ExpressionAttributeNames={"#data": "Data"},
            ExpressionAttributeValues={":data": data},
        )

    def remove(self, region: str, item: str) -> None:
        """Remove an item for good, as TTL or a bare DeleteItem does."""
        self._tables[region].delete_item(Key={"Id": item})

    def _clock(self) -> int:
        return self._now


def _table(region: str, policy: Policy) -> Any:
    table = boto3.resource("dynamodb", region_name=region).create_table(
        TableName=policy.name,
        AttributeDefinitions=[{"AttributeName": "Id", "AttributeType": "S"}],
        KeySchema=[{"AttributeName": "Id", "KeyType": "HASH"}],
        BillingMode="PAY_PER_REQUEST",
        StreamSpecification={"StreamEnabled": True, "StreamViewType": "NEW_AND_OLD_IMAGES"},
    )
    table.wait_until_exists()
    return table


# Histories


def concurrent_writes(world: World, item: str, winner: str, loser: str) -> None:
    """Two Regions write one item at once, each a register, a counter, a set, a maximum and a map."""
    world.write(A, item, f"{item}-0", Set={"Data": "v0", "Limit": 10, "Status": "pending"}, Add={"Balance": 1})
    world.replicate(A, B, item)
    for region, name, amount, status in ((A, "Ana", 10, "closed"), (B, "Ben", 100, "active")):
        world.write(
            region,
            item,
            f"{item}-{name}",
            Set={"Data": f"from {name}", "Limit": amount, "Status": status, f"Profile/{name}": name},
            Add={"Balance": amount, "Profile/LoginCount": 1},
            AddToSet={"Tags": [name.lower()]},
        )
    world.replicate(winner, loser, item)


def quiet_writes(world: World) -> None:
    """One Region after the other: nothing is lost; with the types that wire forms like to get wrong."""
    world.write(A, "quiet", "quiet-0", Set={"Data": "v0", "Photo": b"\x00\xff", "Settings": {}, "Gone": None})
    world.replicate(A, B, "quiet")
    world.write(B, "quiet", "quiet-1", Set={"Data": "v1"}, Add={"Balance": 3}, AddToSet={"Tags": ["x", "y"]})
    world.replicate(B, A, "quiet")
    world.write(A, "quiet", "quiet-2", Set={"Note": "é"}, Remove=["Gone"], RemoveFromSet={"Tags": ["x"]})
    world.replicate(A, B, "quiet")


def deletes(world: World) -> None:
    """A delete in one Region against an update in the other, once for each winner."""
    for item, winner, loser in (("deleted", A, B), ("delete-lost", B, A)):
        world.write(A, item, f"{item}-0", Set={"Data": "v0"}, Add={"Balance": 1})
        world.replicate(A, B, item)
        world.write(A, item, f"{item}-delete", Delete=True)
        world.write(B, item, f"{item}-late", Add={"Balance": 7})
        world.replicate(winner, loser, item)


def retried(world: World) -> None:
    """One request, sent again to the other Region before the two have met."""
    world.write(A, "retried", "retried-0", Add={"Balance": 1})
    world.replicate(A, B, "retried")
    for region in (A, B):
        world.write(region, "retried", "retried-1", Add={"Balance": 5})
    world.replicate(B, A, "retried")


def manual(world: World) -> None:
    """Two Regions set what the policy leaves to a person."""
    world.write(A, "manual", "manual-0", Set={"Owner": "nobody"})
    world.replicate(A, B, "manual")
    world.write(A, "manual", "manual-a", Set={"Owner": "Ana"})
    world.write(B, "manual", "manual-b", Set={"Owner": "Ben"})
    world.replicate(B, A, "manual")


def swept(world: World) -> None:
    """TTL takes a tombstone past its time, and in another Region the new item that came after it."""
    for item in ("tombstone", "recreated"):
        world.write(A, item, f"{item}-0", hours_ago=27, Set={"Data": "old"})
        world.write(A, item, f"{item}-delete", hours_ago=26, Delete=True)
    world.remove(A, "tombstone")
    world.write(A, "recreated", "recreated-1", Set={"Data": "new"}, Add={"Balance": 2})
    world.remove(A, "recreated")


def bypassed(world: World) -> None:
    """Someone writes, and someone deletes, without the writer; and someone spoils the bookkeeping."""
    for item in ("foreign", "hard-deleted", "malformed"):
        world.write(A, item, f"{item}-0", Set={"Data": "v0"})
        world.replicate(A, B, item)
    world.set_data(A, "foreign", "by hand")
    world.remove(A, "hard-deleted")
    world.put(A, {"Id": "malformed", "Data": "v1", "Causality": "none"})


def plain(world: World) -> None:
    """Two Regions write one item as before the reconciler: a Version, a Timestamp and no bookkeeping."""
    base = {"Id": "plain", "Version": 1, "Timestamp": 1_700_000_000_000, "LastUpdatedRegion": A, "IdempotencyKey": "p0"}
    for region in (A, B):
        world.put(region, {**base, "Data": "v0"})
    later = {**base, "Version": 2, "Timestamp": 1_700_000_000_001}
    world.put(A, {**later, "IdempotencyKey": "p1", "Data": "a", "OnlyA": True})
    latest = {**later, "Timestamp": 1_700_000_000_002, "LastUpdatedRegion": B}
    world.put(B, {**latest, "IdempotencyKey": "p2", "Data": "b"})
    world.replicate(B, A, "plain")


# Recordings


def _raw_answer(region: str, table_name: str) -> dict[str, Any]:
    """Return the first answer of GetRecords, as the engine gives it."""
    client = boto3.client("dynamodbstreams", region_name=region)
    arn = client.list_streams(TableName=table_name)["Streams"][0]["StreamArn"]
    shard = client.describe_stream(StreamArn=arn)["StreamDescription"]["Shards"][0]["ShardId"]
    start = client.get_shard_iterator(StreamArn=arn, ShardId=shard, ShardIteratorType="TRIM_HORIZON")
    answer = client.get_records(ShardIterator=start["ShardIterator"], Limit=FEW)
    return {"Records": answer["Records"], "NextShardIterator": answer["NextShardIterator"]}


def _as_aws_prints(value: object) -> str:
    return b64encode(value).decode() if isinstance(value, bytes) else cast("datetime", value).isoformat()


def _write_json(name: str, document: dict[str, Any]) -> None:
    (HERE / name).write_text(json.dumps(document, indent=1, default=_as_aws_prints) + "\n")


def main() -> None:
    """Make every recording anew."""
    endpoint = boto3.client("dynamodb", region_name=A).meta.endpoint_url
    if urlsplit(endpoint).hostname not in LOOPBACK:
        raise SystemExit(f"{endpoint} is not on this machine: set AWS_ENDPOINT_URL to DynamoDB Local's")
    policy = Policy.load(HERE / "policy.toml")
    world = World(policy)
    concurrent_writes(world, "lost-in-a", B, A)
    concurrent_writes(world, "lost-in-b", A, B)
    for history in (quiet_writes, deletes, retried, manual, swept, bypassed, plain):
        history(world)
    for region in (A, B):
        replay_tools(
            ["record", policy.name, str(HERE / f"{region}.ndjson"), "--region", region, "--force"],
            standalone_mode=False,
        )
    lines = (HERE / f"{A}.ndjson").read_text().splitlines()
    _write_json("lambda-event.json", {"Records": [json.loads(line) for line in lines[:FEW]]})
    _write_json("get-records.json", _raw_answer(B, policy.name))


if __name__ == "__main__":
    main()
