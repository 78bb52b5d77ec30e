"""SQS as far as the worker needs it, on loopback: SendMessage, and what was sent.

DynamoDB Local has no queues. https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_SendMessage.html
"""

import json
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from hashlib import md5
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

from reconciler.poison import PoisonMessage, parse

ACCOUNT = "000000000000"


class Queues(ThreadingHTTPServer):
    """Queues by URL, which exist once something is sent to them."""

    daemon_threads = True

    def __init__(self) -> None:
        """Take a free port."""
        super().__init__(("127.0.0.1", 0), _Calls)
        self._parts: dict[str, dict[str, list[str]]] = defaultdict(lambda: defaultdict(list))

    @property
    def endpoint(self) -> str:
        """Where it listens."""
        return f"http://127.0.0.1:{self.server_port}"

    def url(self, name: str) -> str:
        """Return the URL of a queue."""
        return f"{self.endpoint}/{ACCOUNT}/{name}"

    def messages(self, name: str) -> list[PoisonMessage]:
        """Return every poison message that was sent to a queue, each once."""
        return [parse(bodies) for bodies in self._parts[self.url(name)].values()]

    def take(self, call: dict[str, Any]) -> dict[str, str]:
        """Store one body, and return what SQS answers."""
        parts = self._parts[call["QueueUrl"]][call["MessageAttributes"]["id"]["StringValue"]]
        if call["MessageBody"] not in parts:
            parts.append(call["MessageBody"])
        digest = md5(call["MessageBody"].encode(), usedforsecurity=False).hexdigest()
        return {"MessageId": str(len(parts)), "MD5OfMessageBody": digest}


class _Calls(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Queues

    def do_POST(self) -> None:
        """Answer SendMessage."""
        assert self.headers["X-Amz-Target"] == "AmazonSQS.SendMessage"
        call = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        body = json.dumps(self.server.take(call)).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/x-amz-json-1.0")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class's name
        """Say nothing."""


@contextmanager
def running_queues() -> Iterator[Queues]:
    """Let the queues be there for a while."""
    with Queues() as queues:
        thread = Thread(target=queues.serve_forever, args=(0.05,), daemon=True)
        thread.start()
        try:
            yield queues
        finally:
            queues.shutdown()
            thread.join()
