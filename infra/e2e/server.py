"""The server: ministack on a free port of 127.0.0.1; stopped, with its functions, whatever happens.

    this process --- pipe ---> launcher.py --- pipes ---> the functions

Nothing is ever written to the first pipe. The kernel closes it with this process, however that dies.
"""

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from queue import Empty, SimpleQueue
from tempfile import TemporaryFile
from threading import Thread
from typing import IO
from urllib.error import URLError
from urllib.request import urlopen

from reconciler.errors import ReconcilerError

ROOT = Path(__file__).parents[2]
PYTHON = ROOT / ".venv-e2e/bin/python"
LAUNCHER = Path(__file__).with_name("launcher.py")
START_SECONDS, STOP_SECONDS = 60, 10
LAST_WORDS = 2_000
SERVICES = "cloudformation,cloudwatch,dynamodb,dynamodbstreams,events,iam,lambda,logs,s3,sqs,sts,stepfunctions"
# The whole environment of server and functions, beside what each function is given: no profile, no real credentials.
ENVIRONMENT = {
    "AWS_ACCESS_KEY_ID": "testing",
    "AWS_SECRET_ACCESS_KEY": "testing",
    "AWS_CONFIG_FILE": os.devnull,
    "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
    "IOT_MTLS_ENABLED": "0",
    "MINISTACK_HOST": "127.0.0.1",
    "PATH": os.defpath,
    "PYTHONDONTWRITEBYTECODE": "1",
    "SERVICES": SERVICES,
    "SFTP_ENABLED": "0",
}


class StartError(ReconcilerError):
    """ministack cannot run here, or did not start; says why."""


@contextmanager
def ministack() -> Iterator[str]:
    """Let a server live for a while; yield its endpoint. StartError where it is missing, or does not answer in time."""
    if not PYTHON.is_file():
        raise StartError(f"{PYTHON} is missing; make e2e makes it")
    with TemporaryFile("w+") as said:
        process = _start(said)
        try:
            endpoint = f"http://127.0.0.1:{_port(process, said)}"
            _await_answer(endpoint, said)
            yield endpoint
        finally:
            _stop(process)


def _start(said: IO[str]) -> subprocess.Popen[str]:
    """Start the launcher in a session of its own: a Ctrl-C of the terminal reaches whoever still needs the server."""
    return subprocess.Popen(  # noqa: S603 - our own launcher
        [str(PYTHON), "-I", str(LAUNCHER)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=said,
        text=True,
        start_new_session=True,
        env=ENVIRONMENT,
    )


def _port(process: subprocess.Popen[str], said: IO[str]) -> int:
    answers: SimpleQueue[str] = SimpleQueue()
    Thread(target=_read_answer, args=(process, answers), daemon=True).start()
    try:
        return int(answers.get(timeout=START_SECONDS))
    except (Empty, ValueError) as error:
        raise _failure(said) from error


def _read_answer(process: subprocess.Popen[str], answers: SimpleQueue[str]) -> None:
    assert process.stdout is not None  # noqa: S101 - a pipe was asked for
    answers.put(process.stdout.readline())


def _await_answer(endpoint: str, said: IO[str]) -> None:
    """Wait for the first answer: the port is open before, and whoever asks is served once the server is ready."""
    try:
        with urlopen(f"{endpoint}/_ministack/health", timeout=START_SECONDS) as answer:  # noqa: S310 - http on loopback
            answer.read()
    except (URLError, TimeoutError) as error:
        raise _failure(said) from error


def _failure(said: IO[str]) -> StartError:
    said.seek(0)
    return StartError(f"ministack did not start: {said.read()[-LAST_WORDS:].strip()}")


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
