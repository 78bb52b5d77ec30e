"""A server for a while, as a child of this process: stopped whatever happens.

    this process --- pipe ---> server       names its port on its output once it listens
                               reads to the end of the pipe, then ends

Nothing is ever written to the pipe. The kernel closes its end with this process, however that dies: by leaving the
block, by an exception, by SIGKILL.
"""

import subprocess
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from queue import Empty, SimpleQueue
from tempfile import TemporaryFile
from threading import Thread
from typing import IO

from reconciler.errors import ReconcilerError

START_SECONDS, STOP_SECONDS = 60, 10
LAST_WORDS = 2_000


class StartError(ReconcilerError):
    """A server did not start; says what it said last."""


@dataclass(frozen=True, slots=True)
class ChildServer:
    """A server that listens, on a port of loopback that it chose."""

    name: str
    port: int
    said: IO[str]

    def failure(self) -> StartError:
        """Return the error that says what the server said last."""
        return _failure(self.name, self.said)


@contextmanager
def child_server(
    name: str, command: Sequence[str], environment: Mapping[str, str] | None = None
) -> Iterator[ChildServer]:
    """Let `command` serve for a while. StartError where it names no port within a minute."""
    with TemporaryFile("w+") as said:
        process = _started(command, environment, said)
        try:
            yield ChildServer(name, _port(name, process, said), said)
        finally:
            _stop(process)


def _started(command: Sequence[str], environment: Mapping[str, str] | None, said: IO[str]) -> subprocess.Popen[str]:
    """Start it in a session of its own: a Ctrl-C of the terminal reaches whoever still needs the server, not it."""
    return subprocess.Popen(  # noqa: S603 - our own launchers
        command,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=said,
        text=True,
        start_new_session=True,
        env=environment,
    )


def _port(name: str, process: subprocess.Popen[str], said: IO[str]) -> int:
    answers: SimpleQueue[str] = SimpleQueue()
    Thread(target=_read_answer, args=(process, answers), daemon=True).start()
    try:
        return int(answers.get(timeout=START_SECONDS))
    except (Empty, ValueError) as error:
        raise _failure(name, said) from error


def _read_answer(process: subprocess.Popen[str], answers: SimpleQueue[str]) -> None:
    assert process.stdout is not None  # noqa: S101 - a pipe was asked for
    answers.put(process.stdout.readline())


def _failure(name: str, said: IO[str]) -> StartError:
    said.seek(0)
    return StartError(f"{name} did not start: {said.read()[-LAST_WORDS:].strip()}")


def _stop(process: subprocess.Popen[str]) -> None:
    """End the server, and wait for its end: by the pipe, else by force."""
    assert process.stdin is not None  # noqa: S101 - pipes were asked for
    assert process.stdout is not None  # noqa: S101 - as above
    process.stdin.close()
    try:
        process.wait(STOP_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
    process.stdout.close()  # last: whoever still reads there holds it until the process ends
