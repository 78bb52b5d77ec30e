"""The server: DynamoDB Local on a free port of 127.0.0.1, telemetry off, in memory; stopped whatever happens.

    this process --- pipe ---> java Loopback.java
                               reads to the end of the pipe, then halts

Nothing is ever written to the pipe. The kernel closes its end with this process, however that dies: by leaving the
block, by an exception, by SIGKILL.
"""

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from queue import Empty, SimpleQueue
from tempfile import TemporaryFile
from threading import Thread
from typing import IO

from reconciler.errors import ReconcilerError
from replay_tools.dynamodb_local.jars import LAUNCHER, LIB, class_path, find_java

START_SECONDS = 60
STOP_SECONDS = 10
LAST_WORDS = 1_000


class StartError(ReconcilerError):
    """DynamoDB Local did not start; says what it said last."""


@contextmanager
def dynamodb_local() -> Iterator[str]:
    """Let a server live for a while; yield its endpoint.

    Each pair of access key and Region has a database of its own. MissingError where Java or the jars are missing,
    StartError where it does not answer within a minute.
    """
    with TemporaryFile("w+") as said:
        process = _start(said)
        try:
            yield f"http://127.0.0.1:{_port(process, said)}"
        finally:
            _stop(process)


def _start(said: IO[str]) -> subprocess.Popen[str]:
    """Start Java in a session of its own: a Ctrl-C of the terminal reaches whoever still needs the server, not it."""
    command = [find_java(), f"-Djava.library.path={LIB}", "-cp", class_path(), str(LAUNCHER)]
    return subprocess.Popen(  # noqa: S603 - our own launcher, by a java that was found on the PATH
        command,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=said,
        text=True,
        start_new_session=True,
    )


def _port(process: subprocess.Popen[str], said: IO[str]) -> int:
    """Return the port once the server listens: it names it then, and not before."""
    answers: SimpleQueue[str] = SimpleQueue()
    Thread(target=_read_answer, args=(process, answers), daemon=True).start()
    try:
        return int(answers.get(timeout=START_SECONDS))
    except (Empty, ValueError) as error:
        said.seek(0)
        raise StartError(f"DynamoDB Local did not start: {said.read()[-LAST_WORDS:].strip()}") from error


def _read_answer(process: subprocess.Popen[str], answers: SimpleQueue[str]) -> None:
    assert process.stdout is not None  # noqa: S101 - a pipe was asked for
    answers.put(process.stdout.readline())


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
