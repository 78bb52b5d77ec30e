"""The write function: one request, or one transaction, in; what became of it out."""

from functools import cache
from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from handlers.bootstrap import Handler, write_handler


@cache
def handler() -> Handler:
    """Put the function together at its first event: a wrong setting fails the invocation, not the import."""
    return write_handler()


def lambda_handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Execute a request, or ``{"Transaction": {"IdempotencyKey", "Timestamp", "Events"}}``.

    Returns the writer's result as JSON holds it; to a TMF688 event without the `item`, which may be larger than what
    Step Functions takes of a task (262,144 bytes). A wrong request raises RequestError, which names the field; what may
    succeed later raises TransientError: both fail the invocation, and nothing was changed.
    """
    return handler()(event, context)
