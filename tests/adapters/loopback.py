"""A server on loopback that answers as it is told: whole answers, broken ones, late ones, or none."""

import json
import socket
import struct
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from socketserver import StreamRequestHandler, ThreadingTCPServer
from ssl import SSLContext
from threading import Event, Semaphore, Thread
from typing import Any
from zlib import crc32

GIVE_UP_SECONDS = 10


@dataclass(frozen=True)
class Request:
    """What arrived; headers are named in small letters."""

    start: str
    headers: Mapping[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        """The body as JSON."""
        return json.loads(self.body)


class Last(bytes):
    """An answer after which the connection is closed."""

    __slots__ = ()


Reply = Callable[[Request], bytes]
"""Makes the bytes of an answer; what it raises as ConnectionError resets the connection."""


def whole(content: Any, status: int = 200, **headers: str) -> bytes:
    """Return an answer as DynamoDB gives it."""
    body = content if isinstance(content, bytes) else json.dumps(content).encode()
    told = {"Content-Length": str(len(body)), "X-Amz-Crc32": str(crc32(body)), **headers}
    lines = "".join(f"{name.replace('_', '-')}: {value}\r\n" for name, value in told.items())
    return f"HTTP/1.1 {status} Told\r\n{lines}\r\n".encode() + body


def error(code: str, message: str = "the reason", status: int = 400, **members: Any) -> bytes:
    """Return an error as DynamoDB gives it."""
    return whole({"__type": f"com.amazonaws.dynamodb.v20120810#{code}", "message": message, **members}, status)


@dataclass
class Loopback:
    """What arrived, and what is answered next: once the list is empty, `{}`."""

    replies: list[bytes | Reply] = field(default_factory=list)
    requests: list[Request] = field(default_factory=list)
    connections: int = 0
    ended: Semaphore = field(default_factory=lambda: Semaphore(0))
    """Released once for every connection that was closed."""
    let_go: Event = field(default_factory=Event)
    url: str = ""
    always: Reply | None = None

    def answer(self, request: Request) -> bytes:
        """Return the next answer."""
        self.requests.append(request)
        reply = self.always or (self.replies.pop(0) if self.replies else whole({}))
        return reply if isinstance(reply, bytes) else reply(request)

    def stall(self, _request: Request) -> bytes:
        """Answer nothing until the test is over."""
        self.let_go.wait(GIVE_UP_SECONDS)
        return Last()


def reset(_request: Request) -> bytes:
    """Break the connection without a word."""
    raise ConnectionError


@contextmanager
def loopback(tls: SSLContext | None = None) -> Iterator[Loopback]:
    """Yield a server that runs, behind TLS where a context is given."""
    said = Loopback()

    class Handler(StreamRequestHandler):
        def handle(self) -> None:
            said.connections += 1
            while request := read_request(self.rfile):
                try:
                    answer = said.answer(request)
                except ConnectionError:
                    self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                    self.connection.close()
                    return
                self.wfile.write(answer)
                if isinstance(answer, Last):
                    return

        def finish(self) -> None:
            """Leave the streams to the socket's end: a client may have gone first."""

    class Server(ThreadingTCPServer):
        daemon_threads = True

        def get_request(self) -> tuple[socket.socket, Any]:
            accepted, address = super().get_request()
            return (tls.wrap_socket(accepted, server_side=True) if tls else accepted), address

        def shutdown_request(self, request: Any) -> None:
            super().shutdown_request(request)
            said.ended.release()

        def handle_error(self, request: Any, client_address: Any) -> None:
            """Say nothing of a client that has gone."""

    with Server(("127.0.0.1", 0), Handler) as server:
        said.url = f"{'https' if tls else 'http'}://127.0.0.1:{server.server_address[1]}/"
        thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield said
        finally:
            said.let_go.set()
            server.shutdown()
            thread.join(GIVE_UP_SECONDS)


def read_request(stream: Any) -> Request | None:
    """Read one request; None where the client has closed."""
    try:
        start = stream.readline().decode().strip()
        headers = {}
        while line := stream.readline().decode().strip():
            name, _, value = line.partition(":")
            headers[name.lower()] = value.strip()
        return Request(start, headers, stream.read(int(headers["content-length"]))) if start else None
    except (ConnectionError, ValueError):
        return None
