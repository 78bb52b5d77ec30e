"""The poison queue in SQS: whole messages, and no refusal that loses one."""

import json
import random
from base64 import b64encode
from collections.abc import Iterator
from typing import TYPE_CHECKING

import boto3
import pytest
from botocore.exceptions import EndpointConnectionError
from botocore.stub import Stubber
from moto import mock_aws

from reconciler.adapters.sqs import SqsPoisonQueue
from reconciler.errors import TransientError
from reconciler.poison import SCHEMA, PoisonMessage, parse

if TYPE_CHECKING:
    from types_boto3_sqs.client import SQSClient

URL = "https://sqs.eu-west-1.amazonaws.com/123456789012/poison"
MESSAGE = PoisonMessage(
    "malformed", "Causality: is not a map", "eu-west-1", "T", {"Id": {"S": "a"}}, "7", None, {"Id": {"S": "a"}}
)


def incompressible(size: int) -> PoisonMessage:
    """Return a message with two different images that hardly compress."""
    source = random.Random(7)  # noqa: S311 - a test's data
    old, new = ({"Data": {"B": b64encode(source.randbytes(size)).decode()}} for _ in range(2))
    return PoisonMessage("too_large", "", "eu-west-1", "T", {"Id": {"S": "a"}}, "7", old, new)


@pytest.fixture
def sqs() -> Iterator["SQSClient"]:
    """A client of an SQS in this process."""
    with mock_aws():
        yield boto3.client("sqs", region_name="eu-west-1")


def received(sqs: "SQSClient", url: str) -> list[str]:
    """Return all bodies in the queue."""
    found: list[str] = []
    while messages := sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages"):
        found += [message["Body"] for message in messages]
    return found


def test_a_message_arrives_whole(sqs: "SQSClient") -> None:
    """What was sent is what a reader of the queue parses."""
    url = sqs.create_queue(QueueName="poison")["QueueUrl"]
    SqsPoisonQueue(sqs, url).send(MESSAGE)
    assert parse(received(sqs, url)) == MESSAGE


def test_reason_id_and_schema_are_attributes(sqs: "SQSClient") -> None:
    """A reader can sort messages without opening them."""
    url = sqs.create_queue(QueueName="poison")["QueueUrl"]
    SqsPoisonQueue(sqs, url).send(MESSAGE)
    (message,) = sqs.receive_message(QueueUrl=url, MessageAttributeNames=["All"])["Messages"]
    attributes = {name: value["StringValue"] for name, value in message["MessageAttributes"].items()}
    assert attributes == {"reason": "malformed", "id": MESSAGE.id, "schema": SCHEMA}


def test_two_images_of_400_kb_arrive_in_two_parts(sqs: "SQSClient") -> None:
    """What passes the queue's limit travels in parts with one id."""
    url = sqs.create_queue(QueueName="poison")["QueueUrl"]
    message = incompressible(400 << 10)
    SqsPoisonQueue(sqs, url).send(message)
    bodies = received(sqs, url)
    assert {json.loads(body)["part"] for body in bodies} == {"1/2", "2/2"}
    assert parse(bodies) == message


def test_a_queue_with_a_smaller_limit_is_respected(sqs: "SQSClient") -> None:
    """A queue of 256 KiB, as older ones are, gets more parts."""
    limit = 256 << 10
    url = sqs.create_queue(QueueName="poison", Attributes={"MaximumMessageSize": str(limit)})["QueueUrl"]
    message = incompressible(300 << 10)
    SqsPoisonQueue(sqs, url, limit).send(message)
    bodies = received(sqs, url)
    assert max(map(len, bodies)) < limit
    assert parse(bodies) == message


def test_a_missing_queue_is_worth_a_retry(sqs: "SQSClient") -> None:
    """The record stays in the stream until someone mends the queue; the message names the queue."""
    with pytest.raises(TransientError, match=r"123456789012/poison refuses: .*NonExistentQueue"):
        SqsPoisonQueue(sqs, URL).send(MESSAGE)


def test_a_missing_permission_is_worth_a_retry() -> None:
    """A wrong policy loses no record."""
    sqs = boto3.client("sqs", region_name="eu-west-1")
    with Stubber(sqs) as stub:
        stub.add_client_error("send_message", "AccessDenied", "no sqs:SendMessage", 403)
        with pytest.raises(TransientError, match="no sqs:SendMessage"):
            SqsPoisonQueue(sqs, URL).send(MESSAGE)


def test_an_unreachable_queue_is_worth_a_retry() -> None:
    """A network that is down loses no record."""
    sqs = boto3.client("sqs", region_name="eu-west-1")

    def cut(**_: object) -> None:
        raise EndpointConnectionError(endpoint_url=URL)

    sqs.meta.events.register("before-call.sqs", cut)
    with pytest.raises(TransientError, match="Could not connect"):
        SqsPoisonQueue(sqs, URL).send(MESSAGE)
