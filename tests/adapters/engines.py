"""The engines that the contract suite runs over: each is a context that yields an empty table with the key Id, At."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from typing import TYPE_CHECKING

import boto3
from moto import mock_aws

from reconciler.adapters.dynamodb import DynamoDBTable
from reconciler.adapters.memory import MemoryTable
from reconciler.ports import Table

if TYPE_CHECKING:
    from types_boto3_dynamodb.client import DynamoDBClient

NAME = "GlobalEventTable"
REGION = "eu-west-1"


def create_table(client: "DynamoDBClient") -> None:
    """Make an empty table with a text partition key and a binary sort key."""
    client.create_table(
        TableName=NAME,
        KeySchema=[{"AttributeName": "Id", "KeyType": "HASH"}, {"AttributeName": "At", "KeyType": "RANGE"}],
        AttributeDefinitions=[
            {"AttributeName": "Id", "AttributeType": "S"},
            {"AttributeName": "At", "AttributeType": "B"},
        ],
        BillingMode="PAY_PER_REQUEST",
    )


@contextmanager
def memory() -> Iterator[Table]:
    """Yield a table in memory."""
    yield MemoryTable()


@contextmanager
def moto() -> Iterator[Table]:
    """Yield a table in moto."""
    with mock_aws():
        client = boto3.client("dynamodb", region_name=REGION)
        create_table(client)
        yield DynamoDBTable(client, NAME)


ENGINES: Mapping[str, Callable[[], AbstractContextManager[Table]]] = {
    "memory": memory,
    "moto": moto,
}
