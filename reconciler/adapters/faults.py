"""What AWS raises, in the project's words: the deployment is wrong, the item is, or trying again may help.

A code that is in no table is taken as transient: a record that is retried is late, one that is refused may be lost.
A write whose outcome is unknown (a timeout) is transient too: all writes are conditional, so it can be repeated.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    EndpointProviderError,
    InvalidRegionError,
    NoCredentialsError,
    NoRegionError,
    ParamValidationError,
    PartialCredentialsError,
)

from reconciler.errors import (
    ConfigurationError,
    ItemError,
    KeySchemaError,
    ReconcilerError,
    TooLargeError,
    TransientError,
)

Fault = Callable[[str], ReconcilerError]

MISCONFIGURED = (EndpointProviderError, InvalidRegionError, NoCredentialsError, NoRegionError, PartialCredentialsError)


def _item_error(problem: str) -> ItemError:
    return ItemError("item", problem)


def _too_large(problem: str) -> TooLargeError:
    return TooLargeError("item", problem)


def _by_message(problem: str) -> ReconcilerError:
    for phrase, fault in _VALIDATIONS.items():
        if phrase in problem:
            return fault(problem)
    return _item_error(_without_values(problem))


_VALIDATIONS: Mapping[str, Fault] = {
    "maximum allowed size": _too_large,
    "Nesting Levels have exceeded": _too_large,
    "does not match the schema": KeySchemaError,
    "Missing the key": KeySchemaError,
    "required keys was not given": KeySchemaError,  # DynamoDB Local's words for either of the two above
    "Type mismatch for key": KeySchemaError,
}

_CODES: Mapping[str, Fault] = {
    **dict.fromkeys(("ValidationException", "ValidationError", "SerializationException"), _by_message),
    **dict.fromkeys(("ItemCollectionSizeLimitExceededException", "ItemCollectionSizeLimitExceeded"), _too_large),
    **dict.fromkeys(
        (
            "AccessDeniedException",
            "IncompleteSignatureException",
            "InvalidClientTokenId",
            "InvalidSignatureException",
            "MissingAuthenticationToken",
            "MissingAuthenticationTokenException",
            "OptInRequired",
            "ResourceNotFoundException",
            "SignatureDoesNotMatch",
            "TableNotFoundException",
            "UnrecognizedClientException",
        ),
        ConfigurationError,
    ),
}

# Where DynamoDB's messages quote what the item holds.
_QUOTED = re.compile(r"\[.*\]|(?<=numeric value: ).*|(?<=Value ).*(?= at ')", re.DOTALL)


def _without_values(message: str) -> str:
    return _QUOTED.sub("...", message)


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
            return _fault(error.response["Error"], where)
        case ParamValidationError() if action in _WITHOUT_VALUES:
            return ConfigurationError(f"{where}: {'; '.join(error.kwargs['report'].splitlines())}")
        case ParamValidationError():
            return _item_error(f"{where}: a value is none that DynamoDB knows")
        case BotoCoreError() if isinstance(error, MISCONFIGURED):
            return ConfigurationError(f"{where}: {error}")
        case _:
            return TransientError(f"{where}: {error}")


def fault_of_reasons(reasons: Iterable[Mapping[str, Any]], where: str) -> ReconcilerError:
    """Return the fault that cancelled a transaction: what no retry can mend goes before what one can."""
    causes = [_fault(reason, where) for reason in reasons if reason.get("Code") != "None"]
    permanent = [fault for fault in causes if not fault.retryable]
    return (permanent + causes + [TransientError(f"{where}: was cancelled without a reason")])[0]


def _fault(error: Mapping[str, Any], where: str) -> ReconcilerError:
    code = error.get("Code", "")
    return _CODES.get(code, TransientError)(f"{where}: {code}: {error.get('Message', '')}")
