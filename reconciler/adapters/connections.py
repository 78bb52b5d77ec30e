"""Keep-alive connections to one endpoint: a request out in one piece, its answer in, over HTTP/1.1.

http.client opens connections (names, TLS, proxies, time-outs); its requests and answers, which are made of e-mail
messages, cost more processor time than the exchange itself, so what goes over the wire is written and read here.
After anything but a whole answer a connection is closed, never used again.
"""

import ssl
from collections import deque
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPSConnection
from io import BufferedReader
from select import select
from urllib.parse import urlsplit
from weakref import finalize

from reconciler.adapters.sigv4 import DEFAULT_PORTS, host_of

MAX_LINE_BYTES, MAX_HEADERS, MAX_INTERIM = 65_536, 100, 10
MAX_BODY_BYTES = 64 << 20  # a cancelled transaction shows at most 100 items of 400 KB
CUT_SHORT = "the connection was closed inside an answer"


class BrokenAnswerError(Exception):
    """What came is no answer, or not all of one."""


@dataclass(frozen=True, slots=True)
class HttpAnswer:
    """Status, headers (named in small letters) and body."""

    status: int
    headers: Mapping[str, str]
    body: bytes


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Where requests go, and through what."""

    url: str
    ca_bundle: str
    """A file of certificates to trust."""
    proxy: str | None = None
    """The URL of an HTTP proxy through which TLS connections are tunnelled."""
    proxy_headers: Mapping[str, str] | None = None


class Connections:
    """Connections to one endpoint, each used by one thread at a time."""

    def __init__(self, endpoint: Endpoint, *, connect_seconds: float, read_seconds: float, idle: int) -> None:
        """Keep at most `idle` connections open while nobody uses them; OSError where `ca_bundle` cannot be read."""
        parts = urlsplit(endpoint.url)
        self._endpoint = endpoint
        self._address = (parts.hostname or "", parts.port or DEFAULT_PORTS[parts.scheme])
        self._start = f"POST {parts.path or '/'} HTTP/1.1\r\nhost: {host_of(endpoint.url)}\r\n"
        self._tls = ssl.create_default_context(cafile=endpoint.ca_bundle) if parts.scheme == "https" else None
        self._connect_seconds, self._read_seconds = connect_seconds, read_seconds
        self._idle: deque[_Connection] = deque()
        self._most_idle = idle
        finalize(self, _close, self._idle)  # with the last user goes what is still open

    def post(self, headers: Mapping[str, str], body: bytes, *, fresh: bool) -> HttpAnswer:
        """Return the answer; OSError or BrokenAnswerError where there is none.

        A fresh exchange trusts no idle connection: what broke one has often broken all.
        """
        if fresh:
            self.close()
        lines = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
        request = f"{self._start}{lines}content-length: {len(body)}\r\n\r\n".encode("latin-1") + body
        connection = self._idle_one() or self._opened()
        try:
            answer, is_reusable = connection.exchange(request)
        except BaseException:
            connection.close()
            raise
        self._give_back(connection, is_reusable=is_reusable)
        return answer

    def close(self) -> None:
        """Close what is idle."""
        _close(self._idle)

    def _idle_one(self) -> "_Connection | None":
        while connection := _popped(self._idle):
            if not connection.is_dropped():
                return connection
            connection.close()
        return None

    def _give_back(self, connection: "_Connection", *, is_reusable: bool) -> None:
        if is_reusable and len(self._idle) < self._most_idle:
            self._idle.append(connection)
        else:
            connection.close()

    def _opened(self) -> "_Connection":
        http = self._http()
        try:
            http.connect()
            http.sock.settimeout(self._read_seconds)
            return _Connection(http)
        except BaseException:
            http.close()
            raise

    def _http(self) -> HTTPConnection:
        host, port = self._address
        if self._tls is None:
            return HTTPConnection(host, port, timeout=self._connect_seconds)
        if self._endpoint.proxy is None:
            return HTTPSConnection(host, port, timeout=self._connect_seconds, context=self._tls)
        proxy = urlsplit(self._endpoint.proxy)
        http = HTTPSConnection(proxy.hostname or "", proxy.port, timeout=self._connect_seconds, context=self._tls)
        http.set_tunnel(host, port, dict(self._endpoint.proxy_headers or {}))
        return http


def _popped(idle: "deque[_Connection]") -> "_Connection | None":
    try:
        return idle.pop()  # the last one given back: the least likely to have been closed meanwhile
    except IndexError:
        return None


def _close(idle: "deque[_Connection]") -> None:
    while connection := _popped(idle):
        connection.close()


class _Connection:
    """One open connection, and what is read from it."""

    def __init__(self, http: HTTPConnection) -> None:
        self._http = http
        self._answers: BufferedReader = http.sock.makefile("rb")

    def exchange(self, request: bytes) -> tuple[HttpAnswer, bool]:
        """Return the answer, and whether the connection can be used again."""
        self._http.sock.sendall(request)
        return read_answer(self._answers)

    def is_dropped(self) -> bool:
        """Say whether an idle connection was closed: nothing is owed to it, so nothing is there to be read."""
        return bool(select([self._http.sock], [], [], 0)[0])

    def close(self) -> None:
        """Close it."""
        self._answers.close()
        self._http.close()


def read_answer(stream: BufferedReader) -> tuple[HttpAnswer, bool]:
    """Read one answer, and say whether another may follow; BrokenAnswerError where it is none, or cut short.

    https://www.rfc-editor.org/rfc/rfc9112
    """
    for _ in range(MAX_INTERIM):
        version, status = _status(_line(stream))
        headers = dict(_headers(stream))
        if status >= 200:  # noqa: PLR2004 - below it, the answer itself is still to come
            body, is_delimited = _body(stream, headers)
            wishes = headers.get("connection", "keep-alive" if version == b"HTTP/1.1" else "close").lower()
            return HttpAnswer(status, headers, body), is_delimited and wishes == "keep-alive"
    raise BrokenAnswerError("too many interim answers")


def _line(stream: BufferedReader) -> bytes:
    line = stream.readline(MAX_LINE_BYTES)
    if not line.endswith(b"\n"):
        raise BrokenAnswerError(CUT_SHORT if len(line) < MAX_LINE_BYTES else "a line of an answer is too long")
    return line.rstrip(b"\r\n")


def _status(line: bytes) -> tuple[bytes, int]:
    version, _, rest = line.partition(b" ")
    if not version.startswith(b"HTTP/1.") or not rest[:3].isdigit():
        raise BrokenAnswerError("what came is not HTTP/1.1")
    return version, int(rest[:3])


def _headers(stream: BufferedReader) -> Iterator[tuple[str, str]]:
    for _ in range(MAX_HEADERS):
        line = _line(stream)
        if not line:
            return
        name, _, value = line.decode("latin-1").partition(":")
        yield name.lower(), value.strip()
    raise BrokenAnswerError("an answer has too many headers")


def _body(stream: BufferedReader, headers: Mapping[str, str]) -> tuple[bytes, bool]:
    """Return the body, and whether its end was told in another way than by closing the connection."""
    if headers.get("transfer-encoding", "").lower() == "chunked":
        return b"".join(_chunks(stream)), True
    if "content-length" in headers:
        return _exactly(stream, _number(headers["content-length"], 10)), True
    return stream.read(MAX_BODY_BYTES), False


def _chunks(stream: BufferedReader) -> Iterator[bytes]:
    left = MAX_BODY_BYTES
    while size := _number(_line(stream).partition(b";")[0].decode("latin-1"), 16, left):
        left -= size
        yield _exactly(stream, size)
        _line(stream)
    dict(_headers(stream))  # trailers, which say nothing


def _exactly(stream: BufferedReader, size: int) -> bytes:
    content = stream.read(size)
    if len(content) < size:
        raise BrokenAnswerError(CUT_SHORT)
    return content


def _number(text: str, base: int, most: int = MAX_BODY_BYTES) -> int:
    try:
        number = int(text, base)
    except ValueError:
        number = -1
    if not 0 <= number <= most:
        raise BrokenAnswerError("an answer's length is no length, or too great")
    return number
