"""What DynamoDB answers, in the project's words: the deployment is wrong, the item is, or trying again may help.

A code that is in no table is taken as transient: a record that is retried is late, one that is refused may be lost.
Codes: https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Programming.Errors.html
"""

import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from reconciler.errors import (
    ConfigurationError,
    ItemError,
    KeySchemaError,
    ReconcilerError,
    TooLargeError,
    TransientError,
)

Fault = Callable[[str], ReconcilerError]


def item_error(problem: str) -> ItemError:
    """Return the fault of an item as a whole."""
    return ItemError("item", problem)


def _too_large(problem: str) -> TooLargeError:
    return TooLargeError("item", problem)


def _by_message(problem: str) -> ReconcilerError:
    for phrase, fault in _VALIDATIONS.items():
        if phrase in problem:
            return fault(problem)
    return item_error(_without_values(problem))


def _by_time(problem: str) -> ReconcilerError:
    """Return whether the signature came at the wrong time, which the next one may not, or is wrong altogether."""
    return (TransientError if is_out_of_time(problem) else ConfigurationError)(problem)


def is_out_of_time(problem: str) -> bool:
    """Say whether a signature was refused for its time: a clock is wrong, or the process slept before it was sent."""
    return "Signature expired" in problem or "Signature not yet current" in problem


_VALIDATIONS: Mapping[str, Fault] = {
    "maximum allowed size": _too_large,
    "Nesting Levels have exceeded": _too_large,
    "does not match the schema": KeySchemaError,
    "Missing the key": KeySchemaError,
    # DynamoDB Local's words for either of the two above, in a write and in a read.
    "required keys was not given": KeySchemaError,
    "number of conditions on the keys is invalid": KeySchemaError,
    "Type mismatch for key": KeySchemaError,
}

_CODES: Mapping[str, Fault] = {
    **dict.fromkeys(("ValidationException", "ValidationError", "SerializationException"), _by_message),
    **dict.fromkeys(("ItemCollectionSizeLimitExceededException", "ItemCollectionSizeLimitExceeded"), _too_large),
    "InvalidSignatureException": _by_time,
    **dict.fromkeys(
        (
            "AccessDeniedException",
            "IncompleteSignatureException",
            "InvalidClientTokenId",
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


def fault_of_code(code: str, message: str, where: str) -> ReconcilerError:
    """Return the fault that an error code of AWS means; `where` names the action and the resource."""
    return _CODES.get(code, TransientError)(f"{where}: {code}: {message}")


def fault_of_reasons(reasons: Iterable[Mapping[str, Any]], where: str) -> ReconcilerError:
    """Return the fault that cancelled a transaction: what no retry can mend goes before what one can."""
    causes = [
        fault_of_code(reason.get("Code", ""), reason.get("Message", ""), where)
        for reason in reasons
        if reason.get("Code") != "None"
    ]
    permanent = [fault for fault in causes if not fault.retryable]
    return (permanent + causes + [TransientError(f"{where}: was cancelled without a reason")])[0]
