"""Messages out of an SQS queue, into the hands of a redrive, and back as they were."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from reconciler.errors import TransientError
from reconciler.redrive_run import Received

if TYPE_CHECKING:
    from types_boto3_sqs.client import SQSClient

BATCH = 10  # of every batch operation of SQS
WAIT_S = 1  # long enough that every server of the queue is asked
MAX_HOLD_S = 43_200
CONNECT_SECONDS, READ_SECONDS, ATTEMPTS = 1, 2.5, 2  # longer than a message is waited for
VALUE = ("DataType", "StringValue", "BinaryValue")


def poison_messages(url: str, region: str) -> "SqsMessages":
    """Return the poison queue of one Region, to take from; AWS_ENDPOINT_URL_SQS chooses another endpoint."""
    retries: Any = {"mode": "standard", "total_max_attempts": ATTEMPTS}
    config = Config(connect_timeout=CONNECT_SECONDS, read_timeout=READ_SECONDS, retries=retries)
    return SqsMessages(boto3.client("sqs", region_name=region, config=config), url)


class SqsMessages:
    """A queue behind a boto3 client. Any refusal is transient: what is in the queue stays in it."""

    def __init__(self, client: "SQSClient", queue_url: str) -> None:
        """Take from the queue at `queue_url`."""
        self._client = client
        self._queue_url = queue_url

    def receive(self, most: int, hold_s: int) -> list[Received]:
        """Return up to `most` messages, at most 10, hidden from other readers for `hold_s` seconds."""
        with self._refusals():
            answer = self._client.receive_message(
                QueueUrl=self._queue_url,
                MaxNumberOfMessages=most,
                VisibilityTimeout=min(hold_s, MAX_HOLD_S),
                WaitTimeSeconds=WAIT_S,
                MessageAttributeNames=["All"],
                MessageSystemAttributeNames=["ApproximateReceiveCount", "SentTimestamp"],
            )
        return [_received(message) for message in answer.get("Messages", ())]

    def delete(self, messages: Sequence[Received]) -> None:
        """Delete messages, parts of one message with one request wherever it has room for them."""
        for entries in _entries(messages):
            with self._refusals():
                answer = self._client.delete_message_batch(
                    QueueUrl=self._queue_url,
                    Entries=[{"Id": number, "ReceiptHandle": message.receipt} for number, message in entries],
                )
                self._refuse_failed(answer)

    def send(self, message: Received) -> None:
        """Send a message with the same body and attributes."""
        attributes: Any = message.attributes
        with self._refusals():
            self._client.send_message(QueueUrl=self._queue_url, MessageBody=message.body, MessageAttributes=attributes)

    def release(self, messages: Sequence[Received]) -> None:
        """Let other readers see the messages again."""
        for entries in _entries(messages):
            with self._refusals():
                answer = self._client.change_message_visibility_batch(
                    QueueUrl=self._queue_url,
                    Entries=[
                        {"Id": number, "ReceiptHandle": message.receipt, "VisibilityTimeout": 0}
                        for number, message in entries
                    ],
                )
                self._refuse_failed(answer)

    @contextmanager
    def _refusals(self) -> Iterator[None]:
        try:
            yield
        except (BotoCoreError, ClientError) as error:
            raise TransientError(f"the poison queue {self._queue_url} refuses: {error}") from error

    def _refuse_failed(self, answer: Mapping[str, Any]) -> None:
        """Raise where some of a batch were refused."""
        codes = sorted({failed["Code"] for failed in answer.get("Failed", ())})
        if codes:
            raise TransientError(f"the poison queue {self._queue_url} refuses: {', '.join(codes)}")


def _entries(messages: Sequence[Received]) -> Iterator[list[tuple[str, Received]]]:
    for start in range(0, len(messages), BATCH):
        yield [(str(number), message) for number, message in enumerate(messages[start : start + BATCH])]


def _received(message: Mapping[str, Any]) -> Received:
    told = message["Attributes"]
    attributes = {
        name: {field: value[field] for field in VALUE if field in value}
        for name, value in message.get("MessageAttributes", {}).items()
    }
    return Received(
        message_id=message["MessageId"],
        receipt=message["ReceiptHandle"],
        body=message["Body"],
        attributes=attributes,
        receives=int(told["ApproximateReceiveCount"]),
        sent_ms=int(told["SentTimestamp"]),
    )
