"""The server is there for whoever needs it, on loopback only, and for no longer."""

import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from infra.e2e import server
from infra.e2e.server import ministack
from replay_tools.child_server import StartError
from tests.e2e.world import eventually

pytestmark = pytest.mark.e2e

HOLD = """
import sys
from infra.e2e.server import ministack
with ministack() as endpoint:
    print(endpoint, flush=True)
    sys.stdin.read()
"""


def answers(endpoint):
    """Say whether somebody listens there."""
    port = int(endpoint.rpartition(":")[2])
    with socket.socket() as client:
        return client.connect_ex(("127.0.0.1", port)) == 0


def listening_addresses(port):
    """Return the addresses on which somebody listens at a port, as Linux writes them."""
    lines = [line.split() for line in Path("/proc/net/tcp").read_text().splitlines()[1:]]
    listen = "0A"
    return {line[1].split(":")[0] for line in lines if line[3] == listen and int(line[1].split(":")[1], 16) == port}


def test_it_ends_with_the_block():
    """It answers inside, on 127.0.0.1 alone; afterwards nobody listens, even if the block failed."""
    seen = []

    def fail():
        with ministack() as endpoint:
            seen.append(endpoint)
            assert answers(endpoint)
            assert listening_addresses(int(endpoint.rpartition(":")[2])) == {"0100007F"}
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    assert not answers(*seen)


def test_it_ends_with_the_process_that_needs_it():
    """Killed without a chance to clean up, the process takes the server with it."""
    with subprocess.Popen(  # noqa: S603 - our own code
        [sys.executable, "-c", HOLD], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as holder:
        endpoint = holder.stdout.readline().strip()
        assert answers(endpoint)
        holder.send_signal(signal.SIGKILL)
    eventually(lambda: not answers(endpoint))


def test_without_its_environment_it_says_how_to_get_it(monkeypatch, tmp_path):
    """One line names the target that makes it."""
    monkeypatch.setattr(server, "PYTHON", tmp_path / "python")
    with pytest.raises(StartError, match="make e2e makes it"), ministack():
        pass


def test_a_server_that_does_not_start_is_quoted(monkeypatch):
    """What it said last is in the error."""
    monkeypatch.setattr(server, "LAUNCHER", Path("/no/launcher.py"))
    with pytest.raises(StartError, match=r"can't open file '/no/launcher\.py'"), ministack():
        pass
