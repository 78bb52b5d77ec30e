"""The stream function: a DynamoDB Streams event in, the records to be delivered again out."""

from functools import cache
from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from handlers.bootstrap import Handler, stream_handler


@cache
def handler() -> Handler:
    """Put the function together at its first event: a wrong setting fails the invocation, not the import."""
    return stream_handler()


def lambda_handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Return ``{"batchItemFailures": [{"itemIdentifier": sequence number}, ...]}``.

    Raises ConfigurationError where every record would share a fault: the whole batch is delivered again.
    """
    return handler()(event, context)
