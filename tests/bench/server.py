"""A server on loopback that answers as DynamoDB would, at once and always the same, and counts what it is asked.

It is a process of its own, so that its processor time is nobody's; it ends when its standard input does.
Protocol: JSON 1.0 over HTTP/1.1 with keep-alive; the operation is the end of X-Amz-Target.
"""

import asyncio
import json
import re
import sys
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.client import HTTPConnection
from subprocess import PIPE, Popen
from typing import Any

HOST = "127.0.0.1"
CONTROL = "Bench."
_LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)
_TARGET = re.compile(rb"\r\nx-amz-target: *([\w.]+)", re.IGNORECASE)
_HEAD_END = b"\r\n\r\n"


class _Answers:
    """What the server says, and what it was asked."""

    def __init__(self) -> None:
        self._item: Any = None
        self._asked: Counter[str] = Counter()

    def answer(self, target: str, body: bytes) -> bytes:
        """Return the body of the answer to one request."""
        operation = target.rpartition(".")[2]
        if target.startswith(CONTROL):
            return json.dumps(self._control(operation, json.loads(body))).encode()
        self._asked[operation] += 1
        return json.dumps({"Item": self._item}).encode() if operation == "GetItem" and self._item else b"{}"

    def _control(self, operation: str, argument: Any) -> dict[str, int]:
        if operation == "Hold":
            self._item = argument
            return {}
        asked, self._asked = self._asked, Counter()
        return dict(asked)


class _Connection(asyncio.Protocol):
    """One connection: requests in, answers out, in order."""

    def __init__(self, answers: _Answers) -> None:
        self._answers = answers
        self._received = bytearray()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep what to answer on."""
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        """Answer every request that has come in whole."""
        self._received += data
        while (end := self._received.find(_HEAD_END)) >= 0:
            head = bytes(self._received[:end])
            start, length = end + len(_HEAD_END), _LENGTH.search(head)
            stop = start + int(length[1] if length else 0)
            if len(self._received) < stop:
                return
            body = bytes(self._received[start:stop])
            del self._received[:stop]
            target = _TARGET.search(head)
            self._send(self._answers.answer(target[1].decode() if target else "", body))

    def _send(self, body: bytes) -> None:
        head = f"HTTP/1.1 200 OK\r\nContent-Type: application/x-amz-json-1.0\r\nContent-Length: {len(body)}\r\n\r\n"
        self._transport.write(head.encode() + body)


class Server:
    """The server as its user sees it."""

    def __init__(self, port: int) -> None:
        """Speak to the server at `port`."""
        self.endpoint = f"http://{HOST}:{port}"
        self._connection = HTTPConnection(HOST, port)

    def hold(self, item: Mapping[str, Any] | None) -> None:
        """Let every GetItem answer with `item`, in wire form; None: there is none."""
        self._ask("Hold", item)

    def asked(self) -> Counter[str]:
        """Return how often each operation was asked for since this was last called."""
        return Counter(self._ask("Asked", None))

    def _ask(self, operation: str, argument: object) -> dict[str, int]:
        headers = {"X-Amz-Target": CONTROL + operation}
        self._connection.request("POST", "/", json.dumps(argument), headers)
        answer: dict[str, int] = json.loads(self._connection.getresponse().read())
        return answer

    def close(self) -> None:
        """Let go of the connection."""
        self._connection.close()


@contextmanager
def serving() -> Iterator[Server]:
    """Run the server in a process of its own."""
    with Popen([sys.executable, "-m", __name__], stdin=PIPE, stdout=PIPE) as process:  # noqa: S603 - ourselves
        assert process.stdout
        server = Server(int(process.stdout.readline()))
        try:
            yield server
        finally:
            server.close()
            process.kill()


async def _serve() -> None:
    loop, answers = asyncio.get_running_loop(), _Answers()
    server = await loop.create_server(lambda: _Connection(answers), HOST, 0)
    sys.stdout.write(f"{server.sockets[0].getsockname()[1]}\n")
    sys.stdout.flush()
    await loop.run_in_executor(None, sys.stdin.read)
    server.close()


if __name__ == "__main__":
    asyncio.run(_serve())
