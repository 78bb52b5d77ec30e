"""The redrive function: poison messages judged again, a bounded number at each invocation.

It is invoked when a team wants it (a policy was changed, a fault was mended), or by a schedule (EventBridge Scheduler,
at most every few minutes).
Never by an event source mapping: what stays unsettled would come again at once, without end.
"""

from functools import cache
from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from handlers.bootstrap import Handler
from handlers.bootstrap_redrive import redrive_handler


@cache
def handler() -> Handler:
    """Put the function together at its first event: a wrong setting fails the invocation, not the import."""
    return redrive_handler()


def lambda_handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Redrive; whatever the event says.

    Returns ``{"received": n, "settled": {why: n}, "put_back": {why: n}, "faults": n, "unrecorded": n}``: how many of
    the queue's messages; effects on the queue that failed; conflicts that could not be recorded.
    Raises ConfigurationError where every message would fail, and TransientError where the queue cannot be read: nothing
    is lost then, nor where the function dies.
    """
    return handler()(event, context)
