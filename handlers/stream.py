"""The stream function: a DynamoDB Streams event in, the records to be delivered again out."""

from functools import cache
from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from handlers.bootstrap import Handler, stream_handler


@cache
def _handler() -> Handler:
    """Put the function together at its first event: a wrong setting is an error of the invocation, not of the import."""
    return stream_handler()


def lambda_handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Return ``{"batchItemFailures": [{"itemIdentifier": sequence number}, ...]}``; raise where the deployment is wrong."""
    return _handler()(event, context)
