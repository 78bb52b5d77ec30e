"""Regions on DynamoDB Local: the deployed functions reach it through a faulty server, all else directly."""

import gc
import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import boto3

from handlers.bootstrap import Handler, stream_handler, write_handler
from handlers.settings import Settings
from reconciler.adapters.binary import from_boto
from reconciler.adapters.streams import StreamReader
from reconciler.poison import PoisonMessage
from reconciler.policy import Policy, Region
from reconciler.records import RawRecord
from reconciler.wire import Image, canonical_image
from replay_tools.replica import DynamoDBReplica
from tests.faults.faulty_server import FaultyServer
from tests.faults.site import EAST, WEST, Context, Telemetry, failed_numbers, policy
from tests.faults.sqs_queue import SqsQueue
from tests.faults.world import World

QUEUE_PATH = "/000000000000/poison"
ACCESS_KEY = "faults"  # has databases of its own, one for each Region
_SESSION = boto3.Session()  # a session remembers the models of the services: the first client is the slow one


@dataclass(frozen=True, slots=True)
class Engine:
    """DynamoDB Local and a queue, each behind a faulty server."""

    endpoint: str
    dynamodb: FaultyServer
    sqs: FaultyServer
    queue: SqsQueue

    def client(self, service: Any, region: str) -> Any:
        """Return a client that no fault strikes."""
        return _SESSION.client(
            service,
            region_name=region,
            endpoint_url=self.endpoint,
            aws_access_key_id=ACCESS_KEY,
            aws_secret_access_key="testing",  # noqa: S106 - DynamoDB Local knows no secrets
        )

    @property
    def requests(self) -> int:
        """How many requests the functions have made."""
        return len(self.dynamodb.actions) + len(self.sqs.actions)

    def environment(self) -> dict[str, str]:
        """Return the environment in which the deployed functions find the faulty servers."""
        return {
            "AWS_ACCESS_KEY_ID": ACCESS_KEY,
            "AWS_SECRET_ACCESS_KEY": "testing",
            "AWS_ENDPOINT_URL_DYNAMODB": self.dynamodb.url,
            "AWS_ENDPOINT_URL_SQS": self.sqs.url,
            "POISON_QUEUE_URL": self.sqs.url + QUEUE_PATH,
        }


class EngineSite:
    """A Region on DynamoDB Local."""

    def __init__(self, engine: Engine, region: Region, by: Policy) -> None:
        """Create its table."""
        self.engine, self.region, self.policy = engine, region, by
        self.telemetry = Telemetry()
        self.context: Any = Context()
        self.lanes = 4
        self.invoke: Callable[[Any], Any] = lambda event: self.stream_function(event, self.context)
        self._client = engine.client("dynamodb", region)
        self._streams = engine.client("dynamodbstreams", region)
        self._arn = create_table(self._client, by)
        self.replica = DynamoDBReplica(self._client, by.name, self._reader())
        self._trigger = self._reader()

    def _reader(self) -> StreamReader:
        return StreamReader(self._streams, self._arn, self.region)

    def close(self) -> None:
        """Delete the table, which the next test makes anew, and forget the functions."""
        self._client.delete_table(TableName=self.policy.name)
        for client in (self._client, self._streams):
            client.close()
        self.__dict__.pop("write_function", None)
        self.restart()

    def records(self) -> list[RawRecord]:
        """Return what the trigger has not delivered yet."""
        return list(self._trigger.poll())

    def items(self) -> list[Image]:
        """Return everything that stands in the table."""
        pages = self._client.get_paginator("scan").paginate(TableName=self.policy.name, ConsistentRead=True)
        return [canonical_image(from_boto(item)) for page in pages for item in page["Items"]]

    def messages(self) -> list[PoisonMessage]:
        """Return everything that the poison queue has, once for each message id."""
        return self.engine.queue.messages

    @property
    def _settings(self) -> Settings:
        return Settings(self.policy.name, "", self.region, self.engine.sqs.url + QUEUE_PATH, lanes=self.lanes)

    def restart(self) -> None:
        """Build the stream function anew, from the environment as it is now."""
        self.__dict__.pop("stream_function", None)

    @cached_property
    def stream_function(self) -> Handler:
        """The stream function, as deployed: its table and its queue are those of the environment."""
        return stream_handler(self._settings, policy=self.policy, recorder=self.telemetry, emit=lambda counts: None)

    @cached_property
    def write_function(self) -> Handler:
        """The write function, as deployed."""
        return write_handler(self._settings, policy=self.policy, emit=lambda counts: None)

    def write(self, request: Mapping[str, Any]) -> dict[str, Any]:
        """Execute a request by the deployed function."""
        return self.write_function(dict(request), None)

    def work(self, records: Sequence[RawRecord]) -> list[str]:
        """Let the deployed function process a batch; return the numbers of what failed."""
        return failed_numbers(self.invoke({"Records": list(records)}))


class EngineWorld(World[EngineSite]):
    """A world on DynamoDB Local."""

    @property
    def east(self) -> EngineSite:
        """The first Region."""
        return self.sites[EAST]

    @property
    def engine(self) -> Engine:
        """What both Regions run on."""
        return self.east.engine


def engine_world(engine: Engine) -> EngineWorld:
    """Return two Regions on one server."""
    by = policy()
    return EngineWorld({region: EngineSite(engine, region, by) for region in (EAST, WEST)})


def close(world: EngineWorld) -> None:
    """End a world; a Lambda function's connections end with its process, and here without a warning."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ResourceWarning)
        for site in world.sites.values():
            site.close()
        gc.collect()


def create_table(client: Any, by: Policy) -> str:
    """Make an empty table with a stream of both images; return the stream's ARN."""
    created = client.create_table(
        TableName=by.name,
        KeySchema=[{"AttributeName": by.partition_key, "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": by.partition_key, "AttributeType": "S"}],
        BillingMode="PAY_PER_REQUEST",
        StreamSpecification={"StreamEnabled": True, "StreamViewType": "NEW_AND_OLD_IMAGES"},
    )
    return str(created["TableDescription"]["LatestStreamArn"])
