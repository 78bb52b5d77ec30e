"""A Region's process, as those who invoke its functions know it."""

import json
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from queue import Empty, SimpleQueue
from tempfile import TemporaryFile
from threading import Lock, Thread
from typing import IO, Any

from reconciler.errors import TransientError

ROOT = Path(__file__).parents[2]
ANSWER_SECONDS = 60
STOP_SECONDS = 10


class InvocationError(AssertionError):
    """A function failed, and would fail again; or its process died."""


class RegionProcess:
    """Invokes the functions that live in a process of their own; any thread may."""

    def __init__(self, process: subprocess.Popen[str], said: IO[str]) -> None:
        """Talk to `process`, which logs to `said`."""
        self._process = process
        self._said = said
        self._writing = Lock()
        self._turns = {"write": Lock(), "stream": Lock()}
        self._answers: dict[str, SimpleQueue[list[Any]]] = {name: SimpleQueue() for name in self._turns}
        Thread(target=self._read, daemon=True).start()

    def write(self, event: Mapping[str, Any], _context: object = None) -> dict[str, Any]:
        """Invoke the write function; TransientError where its caller should try again."""
        return self._invoke("write", event)

    def stream(self, event: Mapping[str, Any], _context: object = None) -> dict[str, Any]:
        """Invoke the stream function."""
        return self._invoke("stream", event)

    def log(self) -> list[dict[str, Any]]:
        """Return the lines that the functions have logged."""
        self._said.seek(0)
        lines = [line for line in self._said.read().splitlines() if line.startswith("{")]
        return [told for told in map(json.loads, lines) if "event" in told]

    def stop(self) -> None:
        """End the process, and wait for its end."""
        assert self._process.stdin is not None
        self._process.stdin.close()
        try:
            self._process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

    def _invoke(self, name: str, event: Mapping[str, Any]) -> dict[str, Any]:
        with self._turns[name]:
            self._send([name, event])
            try:
                _, answer, fault = self._answers[name].get(timeout=ANSWER_SECONDS)
            except Empty as error:
                raise InvocationError(f"{name} did not answer: {self._last_words()}") from error
        if fault is None:
            return dict(answer)
        kind, message, is_retryable = fault
        if is_retryable:
            raise TransientError(message)
        raise InvocationError(f"{name}: {kind}: {message}: {self._last_words()}")

    def _send(self, call: list[Any]) -> None:
        assert self._process.stdin is not None
        with self._writing:
            self._process.stdin.write(f"{json.dumps(call)}\n")
            self._process.stdin.flush()

    def _read(self) -> None:
        assert self._process.stdout is not None
        with self._process.stdout as answers:
            for line in answers:
                answer = json.loads(line)
                self._answers[answer[0]].put(answer)

    def _last_words(self) -> str:
        self._said.seek(0)
        return self._said.read()[-2_000:]


@contextmanager
def region_process(environment: Mapping[str, str]) -> Iterator[RegionProcess]:
    """Let a Region's process live for a while, with this environment and no other."""
    with TemporaryFile("w+") as said:
        process = subprocess.Popen(
            [sys.executable, "-m", "tests.dynamodb_local.region_main"],
            cwd=ROOT,
            env=dict(environment),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=said,
            text=True,
        )
        region = RegionProcess(process, said)
        try:
            yield region
        finally:
            region.stop()
