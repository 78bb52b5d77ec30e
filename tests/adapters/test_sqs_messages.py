"""Messages out of SQS: taken, hidden, let go, copied byte for byte, and no refusal that loses one."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import boto3
import pytest
from botocore.exceptions import EndpointConnectionError
from moto import mock_aws

from reconciler.adapters.sqs_messages import SqsMessages, poison_messages
from reconciler.errors import TransientError

if TYPE_CHECKING:
    from types_boto3_sqs.client import SQSClient

ATTRIBUTES: Any = {
    "reason": {"DataType": "String", "StringValue": "malformed"},
    "weight": {"DataType": "Number.gram", "StringValue": "7"},
    "seal": {"DataType": "Binary", "BinaryValue": b"\x00\xff"},
}


@pytest.fixture
def sqs(monkeypatch: pytest.MonkeyPatch) -> Iterator["SQSClient"]:
    """A client of an SQS in this process, which does not wait for messages."""
    monkeypatch.setattr("reconciler.adapters.sqs_messages.WAIT_S", 0)
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "testing")
    with mock_aws():
        yield boto3.client("sqs", region_name="eu-west-1")


@pytest.fixture
def url(sqs: "SQSClient") -> str:
    """A queue."""
    return sqs.create_queue(QueueName="poison")["QueueUrl"]


def test_a_message_is_taken_with_all_that_it_has(sqs: "SQSClient", url: str) -> None:
    """Body, attributes of every type, how often it was received and when it was sent."""
    sqs.send_message(QueueUrl=url, MessageBody="b\u00fcdy", MessageAttributes=ATTRIBUTES)
    (message,) = poison_messages(url, "eu-west-1").receive(10, 30)
    assert (message.body, message.attributes, message.receives) == ("b\u00fcdy", ATTRIBUTES, 1)
    assert message.sent_ms > 1_600_000_000_000


def test_a_message_is_hidden_until_it_is_released(sqs: "SQSClient", url: str) -> None:
    """Nobody else takes it meanwhile; afterwards everyone may, at once."""
    queue = SqsMessages(sqs, url)
    for number in range(12):
        sqs.send_message(QueueUrl=url, MessageBody=str(number))
    taken = [*queue.receive(10, 30), *queue.receive(10, 30)]
    assert (len(taken), queue.receive(10, 30)) == (12, [])
    queue.release(taken)
    assert [len(queue.receive(10, 30)), len(queue.receive(10, 30))] == [10, 2]


def test_a_copy_is_the_same_to_the_byte(sqs: "SQSClient", url: str) -> None:
    """Body and attributes, through any number of copies."""
    queue = SqsMessages(sqs, url)
    sqs.send_message(QueueUrl=url, MessageBody="body", MessageAttributes=ATTRIBUTES)
    for _ in range(3):
        (message,) = queue.receive(1, 30)
        queue.send(message)
        queue.delete([message])
    (last,) = queue.receive(10, 30)
    assert (last.body, last.attributes, last.receives) == ("body", ATTRIBUTES, 1)


def test_what_is_deleted_is_gone(sqs: "SQSClient", url: str) -> None:
    """More than one batch of them, too."""
    queue = SqsMessages(sqs, url)
    for number in range(12):
        sqs.send_message(QueueUrl=url, MessageBody=str(number))
    queue.delete([*queue.receive(10, 30), *queue.receive(10, 30)])
    attributes = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["All"])["Attributes"]
    assert (attributes["ApproximateNumberOfMessages"], attributes["ApproximateNumberOfMessagesNotVisible"]) == (
        "0",
        "0",
    )


def test_a_hold_has_the_queues_limit(sqs: "SQSClient", url: str) -> None:
    """Twelve hours, however long the function may run."""
    sqs.send_message(QueueUrl=url, MessageBody="b")
    assert len(SqsMessages(sqs, url).receive(10, 10**6)) == 1


@pytest.mark.parametrize("operation", ["delete_message_batch", "change_message_visibility_batch"])
def test_a_part_of_a_batch_that_is_refused_is_a_refusal(
    sqs: "SQSClient", url: str, monkeypatch: pytest.MonkeyPatch, operation: str
) -> None:
    """SQS answers a batch with success, and lists what it did not do."""
    answer = {"Successful": [], "Failed": [{"Id": "0", "Code": "InternalError", "SenderFault": False}]}
    monkeypatch.setattr(sqs, operation, lambda **_: answer)
    queue = SqsMessages(sqs, url)
    sqs.send_message(QueueUrl=url, MessageBody="b")
    taken = queue.receive(1, 30)
    act = queue.delete if operation.startswith("delete") else queue.release
    with pytest.raises(TransientError, match=r"poison refuses: InternalError"):
        act(taken)


def test_a_missing_queue_is_named(sqs: "SQSClient") -> None:
    """Whoever reads the fault knows which queue."""
    missing = "https://sqs.eu-west-1.amazonaws.com/123456789012/absent"
    with pytest.raises(TransientError, match=r"123456789012/absent refuses: .*NonExistentQueue"):
        SqsMessages(sqs, missing).receive(10, 30)


def test_an_unreachable_queue_is_transient(sqs: "SQSClient", url: str) -> None:
    """What is in it stays in it."""

    def cut(**_: object) -> None:
        raise EndpointConnectionError(endpoint_url=url)

    sqs.meta.events.register("before-call.sqs", cut)
    with pytest.raises(TransientError, match="Could not connect"):
        SqsMessages(sqs, url).receive(10, 30)
