"""A faulty server: HTTP between a client and an engine, where each exchange can be struck by a fault.

    client --- request ---> [ before ] --- request ---> engine
           <-- answer ----- [ after  ] <-- answer -----

A fault is a function of the exchange: it forwards the request or does not, and answers, waits, hangs up or resets.
What none strikes is passed on. The server binds to loopback only.
"""

import http.client
import socket
import struct
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Event, Lock, Thread
from typing import Any
from urllib.parse import urlsplit

LONGEST_HOLD_SECONDS = 30.0
FORWARDED = ("content-type", "x-amz-target", "x-amz-date", "authorization", "x-amz-security-token")


@dataclass(frozen=True, slots=True)
class Request:
    """One request: its action, for example PutItem, and what was sent."""

    action: str
    headers: dict[str, str]
    body: bytes


@dataclass(frozen=True, slots=True)
class Answer:
    """One answer."""

    status: int
    body: bytes
    headers: dict[str, str] = field(default_factory=dict)


class HangUp(Exception):  # noqa: N818 - what happens, and no error
    """The connection ends without an answer."""


class Reset(Exception):  # noqa: N818 - as above
    """The connection is reset."""


Upstream = Callable[[Request], Answer]


@dataclass(frozen=True, slots=True)
class Exchange:
    """One request on its way."""

    request: Request
    forward: Callable[[], Answer]
    over: Event
    """Set once the server stops: whoever waits, waits no longer."""


Fault = Callable[[Exchange], Answer]


def passed(exchange: Exchange) -> Answer:
    """Let nothing happen."""
    return exchange.forward()


# The server


class FaultyServer:
    """Passes requests on to `upstream`, one thread for each connection; faults strike by action, in their order."""

    def __init__(self, upstream: Upstream) -> None:
        """Let nothing happen yet."""
        self._upstream = upstream
        self._lock = Lock()
        self._planned: dict[str, deque[Fault]] = {}
        self._always: dict[str, Fault] = {}
        self._over = Event()
        self.actions: list[str] = []
        """Every action that a client has asked for, in order."""
        self.url = ""

    def plan(self, action: str, *faults: Fault) -> None:
        """Strike the next requests of this action, one fault for each."""
        with self._lock:
            self._planned.setdefault(action, deque()).extend(faults)

    def always(self, action: str, fault: Fault) -> None:
        """Strike every request of this action (any: "*") until all is well again."""
        with self._lock:
            self._always[action] = fault

    def mend(self) -> None:
        """Let nothing happen any more."""
        with self._lock:
            self._planned.clear()
            self._always.clear()
        self._over.set()
        self._over = Event()

    def answer(self, request: Request) -> Answer:
        """Answer one request, as its fault says."""
        with self._lock:
            self.actions.append(request.action)
            planned = self._planned.get(request.action) or self._planned.get("*")
            always = self._always.get(request.action) or self._always.get("*", passed)
            fault = planned.popleft() if planned else always
            over = self._over
        return fault(Exchange(request, lambda: self._upstream(request), over))

    @contextmanager
    def running(self) -> Iterator["FaultyServer"]:
        """Serve for a while, on a free port of loopback."""
        server = _Server(("127.0.0.1", 0), _handler(self))
        self.url = f"http://127.0.0.1:{server.server_address[1]}"
        thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
        thread.start()
        try:
            yield self
        finally:
            self._over.set()
            server.shutdown()
            server.server_close()
            thread.join()


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Let clients die in peace: that is what they are here for."""


def _handler(faulty: FaultyServer) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True

        def do_POST(self) -> None:
            headers = {name.lower(): value for name, value in self.headers.items()}
            body = self.rfile.read(int(headers.get("content-length", 0)))
            action = headers.get("x-amz-target", "").rpartition(".")[2]
            try:
                self._send(faulty.answer(Request(action, headers, body)))
            except HangUp:
                self.close_connection = True
            except Reset:
                self.close_connection = True
                self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                socket.close(self.connection.detach())

        def _send(self, answer: Answer) -> None:
            headers = {"Content-Type": "application/x-amz-json-1.0", "Content-Length": str(len(answer.body))}
            headers |= answer.headers
            self.send_response_only(answer.status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(answer.body)
            self.close_connection |= int(headers["Content-Length"]) != len(answer.body)

        def log_message(self, *_: Any) -> None:
            """Log nothing."""

    return Handler


def forwarded_to(url: str) -> Upstream:
    """Return the engine at `url` as an upstream."""
    place = urlsplit(url)

    def upstream(request: Request) -> Answer:
        connection = http.client.HTTPConnection(place.hostname or "", place.port, timeout=LONGEST_HOLD_SECONDS)
        try:
            headers = {name: request.headers[name] for name in FORWARDED if name in request.headers}
            connection.request("POST", "/", request.body, headers)
            response = connection.getresponse()
            checksum = response.getheader("x-amz-crc32")
            headers = {"x-amz-crc32": checksum} if checksum else {}
            return Answer(response.status, response.read(), headers)
        finally:
            connection.close()

    return upstream
