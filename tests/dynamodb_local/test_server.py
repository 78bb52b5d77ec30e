"""The server is on loopback only, and ends with whoever started it, however that ends."""

import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Event
from urllib.parse import urlsplit

import pytest

from replay_tools.dynamodb_local.server import dynamodb_local
from tests.dynamodb_local.region_process import ROOT

pytestmark = pytest.mark.dynamodb_local

ENDS = [signal.SIGKILL, signal.SIGTERM, signal.SIGINT, signal.SIGABRT]
WAIT_SECONDS, POLL_SECONDS = 20, 0.05
USER = """
import signal
signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell's background jobs start with it ignored
from replay_tools.dynamodb_local.server import dynamodb_local
with dynamodb_local() as endpoint:
    print(endpoint, flush=True)
    input()
"""


def answers(endpoint: str, host: str = "127.0.0.1") -> bool:
    """Whether anything listens at the endpoint's port on an address of this machine."""
    try:
        socket.create_connection((host, urlsplit(endpoint).port or 0), timeout=1).close()
    except OSError:
        return False
    return True


def is_soon_gone(endpoint: str) -> bool:
    """Whether the server ends within a bounded time."""
    pause = Event()
    for _ in range(int(WAIT_SECONDS / POLL_SECONDS)):
        if not answers(endpoint):
            return True
        pause.wait(POLL_SECONDS)
    return False


@contextmanager
def another_user() -> Iterator[tuple[subprocess.Popen[str], str]]:
    """Let another process use a server of its own; yield it, and the endpoint."""
    command = [sys.executable, "-c", USER]
    with subprocess.Popen(  # noqa: S603 - the lines above
        command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, stderr=subprocess.DEVNULL
    ) as user:
        try:
            assert user.stdout is not None
            yield user, user.stdout.readline().strip()
        finally:
            user.kill()


def test_it_listens_on_loopback_and_nowhere_else(dynamodb_local_endpoint: str) -> None:
    """127.0.0.2 is this machine too: a server on every interface would answer there."""
    assert answers(dynamodb_local_endpoint)
    assert not answers(dynamodb_local_endpoint, "127.0.0.2")


def test_it_is_gone_when_the_block_is_left() -> None:
    """It answers within the block, and an exception that leaves it leaves no server."""
    with pytest.raises(RuntimeError, match="of the test"), dynamodb_local() as endpoint:  # noqa: PT012 - the block is what is tested
        assert answers(endpoint)
        raise RuntimeError("of the test")
    assert not answers(endpoint)


@pytest.mark.parametrize(
    "end", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT, signal.SIGABRT], ids=lambda end: end.name
)
def test_it_ends_with_the_process_that_started_it(end: signal.Signals) -> None:
    """Whatever ends that process, and however little it could do about it."""
    with another_user() as (user, endpoint):
        assert answers(endpoint)
        user.send_signal(end)
        assert user.wait(WAIT_SECONDS) != 0
        assert is_soon_gone(endpoint)
