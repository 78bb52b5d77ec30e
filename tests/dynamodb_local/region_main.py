"""One Region's process: the deployed functions, with nothing but the environment that a deployment gives them.

A line of JSON in is an invocation, a line of JSON out is what came of it. The two functions run side by side, each one
invocation at a time, as two Lambda functions of concurrency one do. What they log goes to standard error.
"""

import json
import os
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import IO, Any

from handlers import stream, write
from reconciler.errors import ReconcilerError

FUNCTIONS: dict[str, Callable[[Any, Any], dict[str, Any]]] = {
    "write": write.lambda_handler,
    "stream": stream.lambda_handler,
}


def main() -> None:
    """Invoke until standard input ends."""
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    lanes = {name: ThreadPoolExecutor(1, name) for name in FUNCTIONS}
    for line in sys.stdin:
        name, event = json.loads(line)
        lanes[name].submit(invoke, name, event, answers)


def invoke(name: str, event: Any, answers: IO[str]) -> None:
    """Answer ``[function, result, null]``, or ``[function, null, [fault, message, retryable]]``."""
    answer: list[Any]
    try:
        answer = [name, FUNCTIONS[name](event, None), None]
    except ReconcilerError as fault:
        answer = [name, None, [type(fault).__name__, str(fault), fault.retryable]]
    except Exception as fault:  # noqa: BLE001 - whoever waits for the answer is told, as Lambda tells
        answer = [name, None, [type(fault).__name__, str(fault), False]]
    answers.write(f"{json.dumps(answer)}\n")
    answers.flush()


if __name__ == "__main__":
    main()
