"""The engines that the contract suite runs over: each is a context that yields an empty table with the key Id, At."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from itertools import count
from typing import TYPE_CHECKING

import boto3
from moto import mock_aws

from reconciler.adapters.dynamodb import DynamoDBTable
from reconciler.adapters.memory import MemoryTable
from reconciler.ports import Table

if TYPE_CHECKING:
    from types_boto3_dynamodb.client import DynamoDBClient

Endpoint = Callable[[], str]
"""Starts DynamoDB Local where it does not run yet, and returns its endpoint."""

Engine = Callable[[Endpoint], AbstractContextManager[Table]]

NAME = "GlobalEventTable"
REGION = "eu-west-1"
_NUMBERS = count(1)


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
def memory(_endpoint: Endpoint) -> Iterator[Table]:
    """Yield a table in memory."""
    yield MemoryTable()


@contextmanager
def moto(_endpoint: Endpoint) -> Iterator[Table]:
    """Yield a table in moto."""
    with mock_aws():
        client = boto3.client("dynamodb", region_name=REGION)
        create_table(client)
        yield DynamoDBTable(client, NAME)


@contextmanager
def dynamodb_local(endpoint: Endpoint) -> Iterator[Table]:
    """Yield a table in DynamoDB Local, in a database that no other test knows the access key of."""
    client = boto3.client(
        "dynamodb",
        region_name=REGION,
        endpoint_url=endpoint(),
        aws_access_key_id=f"engine{next(_NUMBERS)}",
        aws_secret_access_key="testing",  # noqa: S106 - the engine takes any
    )
    create_table(client)
    yield DynamoDBTable(client, NAME)


ENGINES: Mapping[str, Engine] = {
    "memory": memory,
    "moto": moto,
    "dynamodb-local": dynamodb_local,
}

DIFFERENCES: Mapping[str, Mapping[str, str]] = {
    "memory": {
        "a_key_without_its_sort_key": "it has no key schema",
        "a_key_of_another_type": "it has no key schema",
        "reading_by_half_a_key": "it has no key schema",
        "reading_by_a_key_of_another_type": "it has no key schema",
        "an_element_twice_in_a_set": "a set is a set to it, however it is spelled",
        "an_element_twice_in_another_spelling": "a set is a set to it, however it is spelled",
        "more_than_32_levels": "it takes any depth",
    },
    "moto": {
        "a_number_of_39_digits": "a number is text to it",
        "a_number_beyond_the_range": "a number is text to it, at the upper end of the range",
        "an_empty_set": "it takes one in a transaction",
        "two_types_in_one_value": "it takes one of them",
        "an_element_twice_in_a_set": "it takes a set as it is",
        "an_element_twice_in_another_spelling": "it takes a set as it is",
        "more_than_32_levels": "it takes any depth in a put",
        "reading_by_half_a_key": "its message does not say what is wrong",
        "reading_by_a_key_of_another_type": "it finds nothing",
        "test_a_token_makes_a_transaction_once": "it ignores the token",
        "test_a_token_is_of_one_transaction": "it ignores the token",
        "test_an_item_of_just_400_kb_is_stored": "it counts more than DynamoDB does",
    },
    "dynamodb-local": {
        "test_a_transaction_names_an_item_once": "it makes one change after the other",
    },
}
"""Where an engine is known to differ from DynamoDB, by the case, or else the test, that shows it; the test fails there,
and fails the suite once it does not."""
