"""A Global Table of N Regions in DynamoDB Local: a database, a stream and a process in every Region.

    history -> write function of A (a process) -> table A -> stream A -+-> replicator -> tables B, C
                                                                       +-> stream function of A (the same process)

Only the replicator and what Lambda does between stream and function live in the process of the tests.
"""

import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import boto3

from reconciler.adapters.binary import from_boto, to_boto
from reconciler.adapters.streams import StreamReader
from reconciler.poison import PoisonMessage
from reconciler.policy import Policy, Region
from reconciler.records import RawRecord
from reconciler.wire import Image, canonical_image, plain
from replay_tools.demo.bootstrap import POLICY_FILE, create_table
from replay_tools.demo.world import Trigger
from replay_tools.replica import DynamoDBReplica
from replay_tools.replicator import Replicator
from replay_tools.simulator.actors import event_of
from replay_tools.simulator.language import read
from replay_tools.simulator.steps import Cut, Heal, Request, Rewind, Settle, Step, Work
from tests.dynamodb_local.queues import Queues
from tests.dynamodb_local.region_process import RegionProcess, region_process

A, B, C = Region("us-east-1"), Region("eu-west-1"), Region("ap-south-1")
LETTERS: Mapping[str, Region] = {"A": A, "B": B, "C": C}
MAX_ROUNDS = 200
EXAMPLE_REGIONS = 'regions = ["us-east-1", "eu-west-1"]'


@dataclass
class Place:
    """One Region: its process, its client past the writer, its table's replica, and its stream's trigger."""

    region: Region
    process: RegionProcess
    client: Any
    replica: DynamoDBReplica
    trigger: Trigger
    delivered: list[RawRecord] = field(default_factory=list)

    def read(self) -> list[RawRecord]:
        """Return the stream's records since the last read; the trigger gets them too."""
        records = self.replica.read()
        self.delivered += records
        self.trigger.offer(records)
        return records

    def replace(self, key: Image, seen: Image | None, image: Image | None) -> bool:
        """Replace as the replica does."""
        return self.replica.replace(key, seen, image)


class Deployment:
    """Plays histories in the simulator's language; replication is instant, but for what is cut."""

    def __init__(self, places: Mapping[Region, Place], policy: Policy, queues: Queues) -> None:
        """Start with every Region connected."""
        self.places = places
        self.policy = policy
        self._queues = queues
        self.replicator = Replicator(places)
        self.answers: list[dict[str, Any]] = []

    @property
    def statuses(self) -> list[str]:
        """What became of each request, in their order."""
        return [answer["status"] for answer in self.answers]

    @property
    def poison(self) -> list[PoisonMessage]:
        """What the workers of all Regions have sent to their queues."""
        return [message for region in self.places for message in self._queues.messages(queue_of(region))]

    def play(self, history: str) -> "Deployment":
        """Play a history, then let everything settle."""
        for step in [*read(history), Settle()]:
            self._play(step)
        return self

    def pump(self) -> int:
        """Let replication and every worker take one step; return how much moved."""
        return self.replicator.step() + sum(place.trigger.fire() for place in self.places.values())

    def settle(self) -> None:
        """Pump until nothing moves."""
        for _ in range(MAX_ROUNDS):
            if not self.pump():
                return
        raise AssertionError(f"something still moves after {MAX_ROUNDS} rounds")

    def repairs(self) -> int:
        """Return how many conflicts the workers say they have repaired."""
        lines = [line for place in self.places.values() for line in place.process.log()]
        return sum(line["event"] == "conflict_repaired" for line in lines)

    def items(self, region: Region) -> dict[str, Image]:
        """Return one Region's items by Id, in canonical form."""
        pages = (
            self.places[region].client.get_paginator("scan").paginate(TableName=self.policy.name, ConsistentRead=True)
        )
        found = [canonical_image(from_boto(item)) for page in pages for item in page["Items"]]
        return {item["Id"]["S"]: item for item in found}

    def everywhere(self, item: str) -> dict[str, Any]:
        """Return the item's attributes as plain values; AssertionError where the Regions differ by a byte."""
        images = {region: self.items(region).get(item) for region in self.places}
        first = next(iter(images.values()))
        assert first is not None
        assert all(image == first for image in images.values()), images
        return {name: plain(value) for name, value in first.items()}

    def put_by_hand(self, region: Region, image: Image) -> None:
        """Write a whole item past the writer, as a script or the console would."""
        self.places[region].client.put_item(TableName=self.policy.name, Item=to_boto(image))

    def _play(self, step: Step) -> None:
        if isinstance(step, Request | Work) and step.fault is not None:
            raise ValueError(f"only the simulator plays {step.fault}")
        match step:
            case Request():
                self.answers.append(self.places[LETTERS[step.region]].process.write(_event(step)))
                self.replicator.step()  # the platform's clock: each write is newer than all before
            case Cut(one, other):
                self.replicator.cut(LETTERS[one], LETTERS[other])
            case Heal(one, other):
                self.replicator.heal(LETTERS[one], LETTERS[other])
                self.replicator.step()
            case Work(region):
                self.replicator.step()  # reads the streams, so that the worker has its records
                self.places[LETTERS[region]].trigger.fire()
                self.replicator.step()
            case Rewind(region, records):
                place = self.places[LETTERS[region]]
                place.trigger.offer(place.delivered[-records:])
            case Settle():
                self.settle()
            case _:
                raise ValueError(f"only the simulator plays {step}")


def _event(request: Request) -> dict[str, Any]:
    """Return what the write function takes."""
    events = [event_of(ask, request, 0) for ask in request.asks]
    if len(events) == 1:
        return events[0]
    return {"Transaction": {"IdempotencyKey": request.key, "Events": events}}


def queue_of(region: Region) -> str:
    """Return the name of a Region's poison queue."""
    return f"poison-{region}"


@contextmanager
def deployment(
    regions: Sequence[Region], endpoint: str, queues: Queues, folder: Path, access_key: str
) -> Iterator[Deployment]:
    """Let a Global Table and its functions be deployed for a while: the example policy, in these Regions."""
    policy_file = folder / "policy.toml"
    listed = ", ".join(f'"{region}"' for region in regions)
    policy_file.write_text(POLICY_FILE.read_text().replace(EXAMPLE_REGIONS, f"regions = [{listed}]"))
    policy = Policy.load(policy_file)
    with ExitStack() as stack:
        places = {}
        for region in regions:
            environment = {
                "TABLE_NAME": policy.name,
                "POLICY_FILE": str(policy_file),
                "POISON_QUEUE_URL": queues.url(queue_of(region)),
                "AWS_REGION": region,
                "AWS_ENDPOINT_URL_DYNAMODB": endpoint,
                "AWS_ENDPOINT_URL_SQS": queues.endpoint,
                "AWS_ACCESS_KEY_ID": access_key,
                "AWS_SECRET_ACCESS_KEY": "testing",
                "AWS_CONFIG_FILE": os.devnull,
                "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
            }
            process = stack.enter_context(region_process(environment))
            places[region] = _place(region, process, endpoint, access_key, policy)
        yield Deployment(places, policy, queues)


def _place(region: Region, process: RegionProcess, endpoint: str, access_key: str, policy: Policy) -> Place:
    client = partial(
        boto3.client,
        region_name=region,
        endpoint_url=endpoint,
        aws_access_key_id=access_key,
        aws_secret_access_key="testing",  # noqa: S106 - the engine takes any
    )
    dynamodb = client("dynamodb")
    stream = StreamReader(client("dynamodbstreams"), create_table(dynamodb, policy.name), region)
    return Place(region, process, dynamodb, DynamoDBReplica(dynamodb, policy.name, stream), Trigger(process.stream))
