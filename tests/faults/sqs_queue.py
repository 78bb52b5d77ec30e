"""A queue that speaks enough of SQS for the poison queue: SendMessage in AWS's JSON 1.0, with SQS's limit of size.

https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_SendMessage.html
"""

import json
from collections.abc import Mapping
from hashlib import md5
from threading import Lock
from typing import Any

from reconciler.poison import MAX_BYTES, PoisonMessage, parse
from tests.faults.faulty_server import Answer, Request
from tests.faults.strikes import SQS, error


class SqsQueue:
    """Keeps what was sent; an upstream of a faulty server."""

    def __init__(self) -> None:
        """Start empty."""
        self.bodies: list[str] = []
        self._lock = Lock()

    def __call__(self, request: Request) -> Answer:
        """Answer one request."""
        if request.action != "SendMessage":
            return error("UnsupportedOperation", "no such action here", 400, SQS)
        sent = json.loads(request.body)
        if size_of(sent) > MAX_BYTES:
            return error("InvalidParameterValue", f"One or more parameters are invalid. {size_of(sent)}", 400, SQS)
        with self._lock:
            self.bodies.append(sent["MessageBody"])
            number = len(self.bodies)
        digest = md5(sent["MessageBody"].encode(), usedforsecurity=False).hexdigest()
        return Answer(200, json.dumps({"MessageId": str(number), "MD5OfMessageBody": digest}).encode())

    @property
    def messages(self) -> list[PoisonMessage]:
        """Every message of which all parts came, once for its id."""
        by_id: dict[str, dict[str, str]] = {}
        with self._lock:
            bodies = list(self.bodies)
        for body in bodies:
            head = json.loads(body)
            by_id.setdefault(head["id"], {})[head["part"]] = body
        return [parse(list(parts.values())) for parts in by_id.values() if _is_whole(parts)]


def size_of(sent: Mapping[str, Any]) -> int:
    """Return what SQS counts: the body, and names, types and values of the attributes."""
    attributes = sent.get("MessageAttributes", {}).items()
    return len(sent["MessageBody"].encode()) + sum(
        len(name) + len(value["DataType"]) + len(value["StringValue"].encode()) for name, value in attributes
    )


def _is_whole(parts: Mapping[str, str]) -> bool:
    return len(parts) == int(next(iter(parts)).rpartition("/")[2])
