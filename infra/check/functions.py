"""What must hold of functions: each can begin its work, in time, and sends where it means to."""

from collections.abc import Collection, Iterator

from handlers.settings import Settings
from infra.check.queues import QUEUE
from infra.check.stack import Finding, Resource, Stack

LAMBDAS_TIMEOUT = 3
"""The seconds that a function has where nothing is said."""
VARIABLES = ("Environment", "Variables")


def function_rules(stack: Stack) -> Iterator[Finding]:
    """Yield what is wrong with functions."""
    queues = {queue.name for queue in stack.of_type(QUEUE)}
    for function in stack.functions():
        variables = function.properties["Environment"]["Variables"]
        yield from _time(function, int(variables.get("RESERVE_MS", Settings.reserve_ms)))
        if function.properties.get("ReservedConcurrentExecutions") == 0:
            yield function.finding("concurrency", "never runs", "ReservedConcurrentExecutions")
        for name, value in variables.items():
            if name.endswith("_URL") and not _is_url(value, queues):
                yield function.finding("queue-url", f"{name} is no queue's URL (!Ref QUEUE)", *VARIABLES, name)


def _time(function: Resource, reserve_ms: int) -> Iterator[Finding]:
    """Yield where no write would ever be begun: the reserve is never left."""
    if 1000 * int(function.properties.get("Timeout", LAMBDAS_TIMEOUT)) <= reserve_ms:
        yield function.finding("timeout", f"begins no write with {reserve_ms} ms left, and has no more", "Timeout")


def _is_url(value: object, queues: Collection[str]) -> bool:
    """Return whether a variable is a queue of the stack by its Ref, or text from elsewhere that may be one."""
    match value:
        case {"Ref": str(name)}:
            return name in queues
        case str(text):
            return text.startswith(("https://", "<")) or text.strip("${}") in queues
        case _:
            return False
