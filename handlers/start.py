"""The workflow's starter: a TMF688 event in, one execution for its idempotency key."""

from functools import cache
from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from handlers.bootstrap import Handler
from handlers.bootstrap_start import start_handler


@cache
def handler() -> Handler:
    """Put the function together at its first event: a wrong setting fails the invocation, not the import."""
    return start_handler()


def lambda_handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Start the workflow for an event, once for its eventId.

    Returns ``{"status": "started" | "exists", "execution": name}``. `exists` means that there is nothing left for the
    client to do, and no more: the event was applied, is being applied, or is in an execution that failed, timed out or
    was aborted (docs/workflow.md): after a failure it waits in the poison queue, else in the execution, and an alarm
    was raised for either. A wrong event raises RequestError, which names the field; TransientError may be retried: the
    name is the same.
    """
    return handler()(event, context)
