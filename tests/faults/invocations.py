"""Invocations that can be killed: the test's side of a fork server."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryFile
from typing import IO, Any

STOP_SECONDS = 10


class Function:
    """One Region's function, of which each invocation is a process of its own."""

    def __init__(self, process: "subprocess.Popen[str]") -> None:
        """Speak to a fork server."""
        self._process = process
        self.kills = 0
        """How many invocations were dead before they could answer."""

    def _ask(self, line: str) -> Any:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(line + "\n")
        self._process.stdin.flush()
        return json.loads(self._process.stdout.readline())

    def start(self, event: Any) -> int:
        """Start an invocation; return its process id."""
        return int(self._ask(json.dumps(event)))

    def reap(self) -> dict[str, Any]:
        """Wait for the invocation: its "answer", or the "error" that it raised, or neither where it was killed."""
        end: dict[str, Any] = self._ask("")
        self.kills += end["status"] == signal.SIGKILL
        return end

    def kill(self, process_id: int) -> dict[str, Any]:
        """Kill the invocation (SIGKILL), and wait for it; it may have been quicker."""
        os.kill(process_id, signal.SIGKILL)  # not reaped yet: the id is still its own
        return self.reap()

    def invoke(self, event: Any) -> Any:
        """Run an invocation to its end; return its answer."""
        self.start(event)
        return self.reap()["answer"]


@contextmanager
def function(name: str, environment: Mapping[str, str]) -> Iterator[Function]:
    """Let one Region's function live for a while."""
    with TemporaryFile("w+") as said, _server(name, environment, said) as process:
        yield Function(process)


@contextmanager
def _server(name: str, environment: Mapping[str, str], said: IO[str]) -> "Iterator[subprocess.Popen[str]]":
    process = subprocess.Popen(  # noqa: S603 - this project's own fork server
        [sys.executable, "-m", "tests.faults.fork_server", name],
        env={**os.environ, **environment},
        cwd=Path(__file__).parents[2],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=said,
        text=True,
    )
    with process:
        yield process
        assert process.stdin is not None
        process.stdin.close()
        process.wait(STOP_SECONDS)
