"""Connections are kept while they are good, and what is no whole answer is never taken for one."""

import ssl
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from gc import collect
from http.client import HTTPSConnection
from io import BufferedReader, BytesIO
from ipaddress import ip_address
from pathlib import Path
from threading import Barrier

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

from reconciler.adapters import connections as module
from reconciler.adapters.connections import BrokenAnswerError, Connections, Endpoint, HttpAnswer, read_answer
from reconciler.adapters.surroundings import botocores_bundle
from tests.adapters.loopback import GIVE_UP_SECONDS, Last, Loopback, Request, loopback, reset, whole

HEADERS = {"x-amz-target": "T.GetItem"}


@pytest.fixture
def server() -> Iterator[Loopback]:
    """A server that answers as it is told."""
    with loopback() as running:
        yield running


def connected(
    url: str, *, seconds: float = 5, read_seconds: float = 5, idle: int = 4, proxy: str | None = None
) -> Connections:
    """Return connections to `url`, which are opened within `seconds`."""
    endpoint = Endpoint(url, botocores_bundle(), proxy, {"Proxy-Authorization": "Basic x"} if proxy else None)
    return Connections(endpoint, connect_seconds=seconds, read_seconds=read_seconds, idle=idle)


@pytest.fixture
def connections(server: Loopback) -> Iterator[Connections]:
    """Connections to the server."""
    pool = connected(server.url)
    yield pool
    pool.close()


def post(connections: Connections, *, fresh: bool = False) -> HttpAnswer:
    """Exchange something."""
    return connections.post(HEADERS, b"body", fresh=fresh)


# Keeping


def test_a_request_arrives_as_it_was_sent(server, connections):
    """Start line, host, headers and body are one HTTP/1.1 request."""
    server.replies.append(whole({"a": 1}, X_More="yes"))
    answer = post(connections)
    assert (answer.status, answer.body, answer.headers["x-more"]) == (200, b'{"a": 1}', "yes")
    (request,) = server.requests
    assert request.start == "POST / HTTP/1.1"
    assert request.headers == {
        "host": server.url.removeprefix("http://").rstrip("/"),
        "content-length": "4",
        "x-amz-target": "T.GetItem",
    }
    assert request.body == b"body"


def test_many_exchanges_need_one_connection(server, connections):
    """A connection is kept alive."""
    for _ in range(20):
        post(connections)
    assert (server.connections, len(server.requests)) == (1, 20)


def test_threads_never_share_a_connection_at_a_time(server, connections):
    """Four lanes at once need four connections, get their own answers, and need no more later."""
    together = Barrier(4, timeout=10)

    def echo(request: Request) -> bytes:
        together.wait()
        return whole(request.body)

    server.always = echo
    with ThreadPoolExecutor(4) as pool:
        sent = [b"%d" % number for number in range(40)]
        answers = pool.map(lambda body: connections.post(HEADERS, body, fresh=False), sent)
        assert [answer.body for answer in answers] == sent
    assert server.connections == 4


def test_no_more_connections_are_kept_than_wanted(server):
    """What is given back beyond the limit is closed."""
    together = Barrier(3, timeout=10)
    connections = connected(server.url, idle=1)
    server.replies[:] = [lambda _: bytes(together.wait() * 0) + whole({})] * 3
    with ThreadPoolExecutor(3) as pool:
        list(pool.map(lambda _: post(connections), range(3)))
    for _ in range(2):
        assert server.ended.acquire(timeout=GIVE_UP_SECONDS)
    post(connections)
    assert server.connections == 3
    connections.close()


def test_a_connection_that_the_server_closed_is_not_used_again(server, connections):
    """Whether the server said so, or only did so."""
    server.replies[:] = [whole({}, Connection="close"), Last(whole({})), whole({})]
    for closed in (True, True, False):
        assert post(connections).body == b"{}"
        assert not closed or server.ended.acquire(timeout=GIVE_UP_SECONDS)
    assert server.connections == 3


def test_a_fresh_exchange_trusts_no_idle_connection(server, connections):
    """All that was idle is closed: what broke one connection has often broken all."""
    post(connections)
    post(connections, fresh=True)
    assert server.connections == 2


def test_what_is_open_goes_with_its_last_user(server):
    """Nobody has to close connections that nobody can use any more."""
    post(connected(server.url))
    collect()
    assert server.ended.acquire(timeout=GIVE_UP_SECONDS)


# Breaking


@pytest.mark.parametrize(
    "broken",
    [
        b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nshort",
        b"HTTP/1.1 200 OK\r\nContent-Le",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nab",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: much\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 99999999999\r\n\r\n",
        b"HTTP/1.1 OK\r\n\r\n",
        b"SSH-2.0-OpenSSH\r\n\r\n",
        b"HTTP/1.1 100 Continue\r\n\r\n" * 10 + whole({}),
        b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 101 + b"\r\n",
        b"HTTP/1.1 200 OK\r\nX: " + b"y" * 70_000 + b"\r\n\r\n",
        b"",
    ],
    ids=lambda broken: repr(broken[:60]),
)
def test_what_is_no_whole_answer_is_a_fault_and_ends_the_connection(server, connections, broken):
    """The next exchange begins on a new connection, and is not mixed with what was left in the old one."""
    server.replies[:] = [Last(broken), whole({"a": 1})]
    with pytest.raises((BrokenAnswerError, OSError)):
        post(connections)
    assert post(connections).body == b'{"a": 1}'
    assert server.connections == 2


def test_a_connection_that_is_reset_is_a_fault(server, connections):
    """Nothing came, and nobody knows what was done."""
    server.replies.append(reset)
    with pytest.raises(ConnectionResetError):
        post(connections)


def test_a_server_that_stalls_is_given_up(server):
    """The time-out is the one that was set, and the connection is not used again."""
    connections = connected(server.url, seconds=60, read_seconds=0.1)
    server.replies.append(server.stall)
    with pytest.raises(TimeoutError):
        post(connections)
    assert post(connections).status == 200
    assert server.connections == 2
    connections.close()


def test_a_server_that_cannot_be_reached_is_a_fault():
    """Nobody listens there."""
    with loopback() as gone:
        url = gone.url
    with pytest.raises(OSError, match="refused"):
        post(connected(url))


def test_a_host_that_does_not_accept_is_given_up(monkeypatch):
    """The time-out of connecting is its own, and is passed to the socket."""
    asked = []

    def create_connection(address, timeout, _source):
        asked.append((address, timeout))
        raise TimeoutError

    monkeypatch.setattr("http.client.socket.create_connection", create_connection)
    with pytest.raises(TimeoutError):
        post(connected("http://127.0.0.1:9/", seconds=0.25))
    assert asked == [(("127.0.0.1", 9), 0.25)]


# Answers


NEXT = b"HTTP/1.1 200 OK"


def read(content: bytes) -> tuple[HttpAnswer, bool]:
    """Read an answer from bytes."""
    return read_answer(BufferedReader(BytesIO(content)))


@pytest.mark.parametrize(
    ("content", "body", "is_reusable"),
    [
        (b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok", b"ok", True),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: Keep-Alive\r\n\r\nok", b"ok", True),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: Close\r\n\r\nok", b"ok", False),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\no\r\n1;x=y\r\nk\r\n0\r\n\r\n", b"ok", True),
        (
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: Chunked\r\n\r\nA\r\n0123456789\r\n0\r\nX: y\r\n\r\n",
            b"0123456789",
            True,
        ),
        (b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok", b"ok", True),
        (b"HTTP/1.1 200 OK\r\n\r\nok", b"ok", False),
        (b"HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nok", b"ok", False),
        (b"HTTP/1.0 200 OK\r\nContent-Length: 2\r\nConnection: keep-alive\r\n\r\nok", b"ok", True),
        (b"HTTP/1.1 200\nContent-Length: 2\n\nok", b"ok", True),
    ],
    ids=range(10),
)
def test_answers_end_where_they_say(content, body, is_reusable):
    """By length, by chunks, or by closing; and another may follow where the server waits for it."""
    stream = BufferedReader(BytesIO(content + NEXT * is_reusable))
    answer, found = read_answer(stream)
    assert (answer.status, answer.body, found) == (200, body, is_reusable)
    assert stream.read() == NEXT * is_reusable


def test_an_answer_in_chunks_has_a_limit(monkeypatch):
    """No server can fill the memory."""
    monkeypatch.setattr(module, "MAX_BODY_BYTES", 3)
    with pytest.raises(BrokenAnswerError, match="too great"):
        read(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n2\r\nab\r\n0\r\n\r\n")


# TLS


class Opened(Exception):  # noqa: N818 - a stop on the way, not an error
    """A connection would be opened now."""


def opening(monkeypatch: pytest.MonkeyPatch, connections: Connections) -> HTTPSConnection:
    """Return the connection that would be opened."""
    seen: list[HTTPSConnection] = []

    def connect(http: HTTPSConnection) -> None:
        seen.append(http)
        raise Opened

    monkeypatch.setattr(HTTPSConnection, "connect", connect)
    with pytest.raises(Opened):
        post(connections)
    return seen[0]


def test_tls_trusts_the_given_certificates_only(monkeypatch):
    """Names and certificates are checked against the bundle."""
    http = opening(monkeypatch, connected("https://dynamodb.eu-west-1.amazonaws.com/", seconds=0.5))
    assert (http.host, http.port, http.timeout) == ("dynamodb.eu-west-1.amazonaws.com", 443, 0.5)
    context = http._context  # noqa: SLF001 - what it checks with
    assert (context.verify_mode, context.check_hostname) == (ssl.CERT_REQUIRED, True)
    assert context.cert_store_stats()["x509_ca"] > 50


@pytest.fixture
def certified(tmp_path: Path) -> tuple[Path, ssl.SSLContext]:
    """A certificate of 127.0.0.1 that only its own file vouches for, and a server's side of it."""
    key, now = ec.generate_private_key(ec.SECP256R1()), datetime.now(UTC)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "loopback")])
    certificate = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False)
        .sign(key, hashes.SHA256())
    )
    file, bundle = tmp_path / "server.pem", tmp_path / "ca.pem"
    bundle.write_bytes(certificate.public_bytes(Encoding.PEM))
    file.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()) + bundle.read_bytes())
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(file)
    return bundle, context


def test_exchanges_are_encrypted_and_kept_alive(certified):
    """A server that the bundle vouches for is spoken to, over one connection."""
    bundle, context = certified
    with loopback(context) as server:
        pool = Connections(Endpoint(server.url, str(bundle)), connect_seconds=5, read_seconds=5, idle=1)
        assert [post(pool).body for _ in range(3)] == [b"{}"] * 3
        assert server.connections == 1
        pool.close()


def test_a_server_that_nobody_vouches_for_is_told_nothing(certified):
    """Not one request is sent to it."""
    with loopback(certified[1]) as server:
        with pytest.raises(ssl.SSLCertVerificationError):
            post(connected(server.url))
        assert server.requests == []


def test_tls_goes_through_a_tunnel(monkeypatch):
    """A proxy is asked for the endpoint, and sees nothing of what follows."""
    url = "https://dynamodb.eu-west-1.amazonaws.com/"
    http = opening(monkeypatch, connected(url, proxy="http://proxy:3128"))
    assert (http.host, http.port) == ("proxy", 3128)
    assert (http._tunnel_host, http._tunnel_port) == ("dynamodb.eu-west-1.amazonaws.com", 443)  # noqa: SLF001 - to where
    assert http._tunnel_headers["Proxy-Authorization"] == "Basic x"  # noqa: SLF001 - as whom


def test_certificates_that_cannot_be_read_are_a_fault(tmp_path):
    """A bundle of nothing trusts nobody: better to say so at start."""
    bundle = tmp_path / "bundle.pem"
    bundle.write_text("nothing")
    with pytest.raises(OSError, match="NO_CERTIFICATE"):
        Connections(Endpoint("https://x/", str(bundle)), connect_seconds=1, read_seconds=1, idle=1)
