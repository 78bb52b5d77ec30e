"""The demo's composition root: what stands for DynamoDB and SQS; no network, no account.

moto             both, in this process
dynamodb-local   DynamoDB Local for tables and streams, on loopback; moto for the queues, which it lacks
"""

import json
import os
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from random import Random
from threading import Event, Lock
from typing import TYPE_CHECKING, Any, cast
from unittest.mock import patch

import boto3
from botocore.config import Config
from moto import mock_aws

from reconciler.adapters import system
from replay_tools.dynamodb_local.server import dynamodb_local

if TYPE_CHECKING:
    from types_boto3_dynamodb.client import DynamoDBClient
    from types_boto3_dynamodbstreams.client import DynamoDBStreamsClient
    from types_boto3_sqs.client import SQSClient

INFRA = Path(__file__).parents[2] / "infra"
POLICY_FILE = INFRA / "policy.toml"
TABLE_FILE = INFRA / "table.json"

# moto answers 404 where an ARN's account chooses the endpoint.
_CONFIG = Config(account_id_endpoint_mode="disabled")

clock_ms = system.clock_ms


def draws(seed: int) -> Callable[[int], int]:
    """Return a function that draws a whole number from 0 to below its argument: the same numbers for the same seed."""
    return Random(seed).randrange  # noqa: S311 - nothing secret is drawn


class Turns:
    """A lock that is given in the order in which it was asked for: nobody starves."""

    def __init__(self) -> None:
        """Start free."""
        self._lock = Lock()
        self._queue: deque[Event] = deque()

    def __enter__(self) -> None:
        """Wait for all who came before."""
        mine = Event()
        with self._lock:
            self._queue.append(mine)
            first = self._queue[0]
        if first is not mine:
            mine.wait()

    def __exit__(self, *_: object) -> None:
        """Let the next one in."""
        with self._lock:
            self._queue.popleft()
            if self._queue:
                self._queue[0].set()


class OneAtATime:
    """A client whose calls take turns with those of every other client: moto is not thread-safe."""

    def __init__(self, client: Any, turn: Turns) -> None:  # noqa: ANN401 - any boto3 client
        """Call `client`, each time when it is its turn."""
        self._client = client
        self._turn = turn

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 - any member of any boto3 client
        """Return the client's own member; a method takes its turn."""
        member = getattr(self._client, name)
        return self._taking_turns(member) if callable(member) else member

    def _taking_turns(self, method: Callable[..., Any]) -> Callable[..., Any]:
        def call(*arguments: Any, **parameters: Any) -> Any:  # noqa: ANN401 - any method of any boto3 client
            with self._turn:
                return method(*arguments, **parameters)

        return call


def create_table(client: "DynamoDBClient", name: str) -> str:
    """Create the table of infra/table.json under a name, and return its stream's ARN."""
    arguments = json.loads(TABLE_FILE.read_text())
    return client.create_table(**{**arguments, "TableName": name})["TableDescription"]["LatestStreamArn"]


class Engine:
    """Tables, streams and queues, by Region."""

    def __init__(self, endpoint: str | None = None) -> None:
        """Start with nothing; tables and streams are those of the server at `endpoint`, where there is one."""
        self._endpoint = endpoint
        self._turn = Turns()
        self._clients: dict[tuple[str, str], Any] = {}

    def dynamodb(self, region: str) -> "DynamoDBClient":
        """Return a client of one Region's tables."""
        return cast("DynamoDBClient", self._client("dynamodb", region))

    def streams(self, region: str) -> "DynamoDBStreamsClient":
        """Return a client of one Region's streams."""
        return cast("DynamoDBStreamsClient", self._client("dynamodbstreams", region))

    def sqs(self, region: str) -> "SQSClient":
        """Return a client of one Region's queues."""
        return cast("SQSClient", self._client("sqs", region))

    def create_table(self, region: str, name: str) -> str:
        """Create the table of infra/table.json under a name, and return its stream's ARN."""
        return create_table(self.dynamodb(region), name)

    def create_queue(self, region: str, name: str) -> str:
        """Create a queue and return its URL."""
        return self.sqs(region).create_queue(QueueName=name)["QueueUrl"]

    def _client(self, service: str, region: str) -> Any:  # noqa: ANN401 - boto3's types name each service
        if (service, region) not in self._clients:
            self._clients[service, region] = self._new_client(service, region)
        return self._clients[service, region]

    def _new_client(self, service: Any, region: str) -> Any:  # noqa: ANN401 - as above
        if self._endpoint is not None and service != "sqs":
            return boto3.client(service, region_name=region, endpoint_url=self._endpoint)
        return OneAtATime(boto3.client(service, region_name=region, config=_CONFIG), self._turn)


@contextmanager
def embedded_engine() -> Iterator[Engine]:
    """Let an engine live for a while; nothing leaves this process."""
    with _nothing_of_aws():
        yield Engine()


@contextmanager
def local_engine() -> Iterator[Engine]:
    """Let an engine and its DynamoDB Local live for a while; nothing leaves this machine.

    MissingError where Java or the jars are missing.
    """
    with _nothing_of_aws(), dynamodb_local() as endpoint:
        yield Engine(endpoint)


ENGINES: Mapping[str, Callable[[], AbstractContextManager[Engine]]] = {
    "moto": embedded_engine,
    "dynamodb-local": local_engine,
}


@contextmanager
def _nothing_of_aws() -> Iterator[None]:
    """Let moto answer for AWS for a while, whatever environment and files say of it."""
    with patch.dict(os.environ):
        for name in [name for name in os.environ if name.startswith("AWS_")]:
            del os.environ[name]
        os.environ.update(AWS_CONFIG_FILE=os.devnull, AWS_SHARED_CREDENTIALS_FILE=os.devnull)
        with mock_aws():
            yield
