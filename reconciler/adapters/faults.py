"""What boto3 raises, in the project's words.

A write whose outcome is unknown (a timeout) is transient: all writes are conditional, so it can be repeated.
"""

from collections.abc import Iterator
from contextlib import contextmanager

from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    ConfigParseError,
    EndpointProviderError,
    InvalidConfigError,
    InvalidRegionError,
    NoCredentialsError,
    NoRegionError,
    ParamValidationError,
    PartialCredentialsError,
    ProfileNotFound,
)

from reconciler.adapters.fault_codes import fault_of_code, item_error
from reconciler.errors import ConfigurationError, ItemError, ReconcilerError, TransientError

MISCONFIGURED = (
    ConfigParseError,
    EndpointProviderError,
    InvalidConfigError,
    InvalidRegionError,
    NoCredentialsError,
    NoRegionError,
    PartialCredentialsError,
    ProfileNotFound,
)

# What boto3 refuses of these is a name or a place, and may be told.
_WITHOUT_VALUES = frozenset({"DescribeStream", "GetRecords", "GetShardIterator", "ListStreams"})


@contextmanager
def faults(action: str, resource: str) -> Iterator[None]:
    """Let what AWS raises within leave as a ReconcilerError that names the action and the resource."""
    try:
        yield
    except (BotoCoreError, ClientError) as error:
        fault = fault_of(error, action, resource)
        # An item's values may stand in what AWS says of the item: it goes no further.
        raise fault from (None if isinstance(fault, ItemError) else error)


def fault_of(error: BotoCoreError | ClientError, action: str, resource: str) -> ReconcilerError:
    """Return the fault that an exception of boto3 means."""
    where = f"{action} on {resource}"
    match error:
        case ClientError():
            found = error.response["Error"]
            return fault_of_code(found.get("Code", ""), found.get("Message", ""), where)
        case ParamValidationError() if action in _WITHOUT_VALUES:
            return ConfigurationError(f"{where}: {'; '.join(error.kwargs['report'].splitlines())}")
        case ParamValidationError():
            return item_error(f"{where}: a value is none that DynamoDB knows")
        case BotoCoreError() if isinstance(error, MISCONFIGURED):
            return ConfigurationError(f"{where}: {error}")
        case _:
            return TransientError(f"{where}: {error}")
