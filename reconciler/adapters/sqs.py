"""The poison queue in SQS."""

from typing import TYPE_CHECKING

from botocore.exceptions import BotoCoreError, ClientError

from reconciler.errors import TransientError
from reconciler.poison import MAX_BYTES, SCHEMA, PoisonMessage, bodies

if TYPE_CHECKING:
    from types_boto3_sqs.client import SQSClient
    from types_boto3_sqs.type_defs import MessageAttributeValueTypeDef


class SqsPoisonQueue:
    """A queue behind a boto3 client; its messages carry reason, id and schema as attributes too."""

    def __init__(self, client: "SQSClient", queue_url: str, max_bytes: int = MAX_BYTES) -> None:
        """Send to the queue at `queue_url`, whose MaximumMessageSize is `max_bytes`."""
        self._client = client
        self._queue_url = queue_url
        self._max_bytes = max_bytes

    def send(self, message: PoisonMessage) -> None:
        """Store the message whole.

        Any refusal is transient, a missing queue or permission included: the record is then reported as failed and
        comes again, until the queue is mended; parts that were stored come again too, with the same id.
        """
        attributes = {name: _text(value) for name, value in _attributes(message).items()}
        try:
            for body in bodies(message, self._max_bytes):
                self._client.send_message(QueueUrl=self._queue_url, MessageBody=body, MessageAttributes=attributes)
        except (BotoCoreError, ClientError) as error:
            raise TransientError(f"the poison queue {self._queue_url} refuses: {error}") from error


def _attributes(message: PoisonMessage) -> dict[str, str]:
    return {"reason": message.reason, "id": message.id, "schema": SCHEMA}


def _text(value: str) -> "MessageAttributeValueTypeDef":
    return {"DataType": "String", "StringValue": value}
