"""A fork server: one Region's function, warm, of which each invocation is a child that can be killed.

    parent  imports and builds the function, once; single-threaded
    child   one invocation; whoever asked for it may kill it at any microsecond

``python -m tests.faults.fork_server stream|write``, with the function's environment. It reads lines from standard
input and answers each with one line on standard output:

    an event as JSON    the child's process id
    empty               the child is reaped: its wait status, and its answer, null where it was killed before
"""

import json
import os
import sys
import traceback
from collections.abc import Callable
from typing import Any

import boto3

from handlers import stream, write

HANDLERS = {"stream": stream, "write": write}


def invoke(function: Callable[[Any, Any], Any], event: Any, answers: int) -> None:
    """Let this process be one invocation, and end."""
    try:
        answer = {"answer": function(event, None)}
    except Exception as error:  # noqa: BLE001 - whatever fails the invocation is its answer
        traceback.print_exc()
        answer = {"error": f"{type(error).__name__}: {error}"}
    sys.stdout.flush()
    with os.fdopen(answers, "w") as pipe:
        json.dump(answer, pipe)


def started(function: Callable[[Any, Any], Any], event: Any) -> tuple[int, int]:
    """Start an invocation in a child; return its process id, and where its answer will stand."""
    reading, writing = os.pipe()
    child = os.fork()
    if child:
        os.close(writing)
        return child, reading
    try:
        os.close(reading)
        invoke(function, event, writing)
    finally:
        os._exit(0)


def reaped(child: int, answers: int) -> dict[str, Any]:
    """Wait for a child; return its wait status and its answer."""
    with os.fdopen(answers) as pipe:
        text = pipe.read()
    _, status = os.waitpid(child, 0)
    try:
        return {"status": status, **json.loads(text)}
    except ValueError:
        return {"status": status}


def main(name: str) -> None:
    """Serve until standard input ends."""
    protocol = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # logs and metrics go where errors go
    module = HANDLERS[name]
    module.handler()
    boto3.client(
        "sqs", os.environ["AWS_REGION"]
    )  # the queue's client is made at need: what it loads is warm in every child
    running: tuple[int, int] | None = None
    for line in sys.stdin:
        if running:
            reply: Any = reaped(*running)
            running = None
        else:
            running = started(module.lambda_handler, json.loads(line))
            reply = running[0]
        print(json.dumps(reply), file=protocol, flush=True)


if __name__ == "__main__":
    main(sys.argv[1])
