"""The table of what can happen to a connection: what happens, what the user sees, what is lost (nothing)."""

from dataclasses import dataclass

from tests.faults.faulty_server import Fault
from tests.faults.strikes import (
    SQS,
    dropped_after,
    garbled,
    halved,
    paged,
    refused,
    refused_after,
    reset_after,
    reset_before,
    slow,
    stalled,
    stalled_after,
)

REFUSES = "the poison queue .* refuses: "


@dataclass(frozen=True, slots=True)
class Row:
    """What happens to one exchange; `log_says` names the reason where the fault does not end ("": nothing is seen)."""

    happens: str
    fault: Fault
    log_says: str = "."
    once_is_seen: bool = False

    def __str__(self) -> str:
        """The row's name in a test's name."""
        return self.happens.replace(" ", "-")


ENGINE = (
    Row("throttled", refused("ProvisionedThroughputExceededException"), "ProvisionedThroughputExceededException: "),
    Row("throttled by the account", refused("RequestLimitExceeded"), "RequestLimitExceeded: "),
    Row("throttled for this key", refused("ThrottlingException"), "ThrottlingException: "),
    Row("internal error", refused("InternalServerError", 500), "InternalServerError: "),
    Row("internal error after the commit", refused_after("InternalServerError"), "InternalServerError: "),
    Row("unavailable", refused("ServiceUnavailable", 503), "ServiceUnavailable: "),
    Row("a gateway's error page", paged),
    Row("credentials expired", refused("ExpiredTokenException"), "ExpiredTokenException: ", once_is_seen=True),
    Row("connection reset before the request", reset_before),
    Row("connection reset after the commit", reset_after),
    Row("connection closed after the commit", dropped_after),
    Row("no answer and no commit", stalled),
    Row("no answer after the commit", stalled_after),
    Row("slow answers", slow(0.3), ""),
)

QUEUE = (
    Row("refused", refused("AccessDenied", 403, SQS), "AccessDenied", once_is_seen=True),
    Row("no such queue", refused("QueueDoesNotExist", 400, SQS), "QueueDoesNotExist", once_is_seen=True),
    Row("throttled", refused("RequestThrottled", 403, SQS), "RequestThrottled"),
    Row("unavailable", refused("ServiceUnavailable", 503, SQS), "ServiceUnavailable"),
    Row("stored and then an error", refused_after("InternalError", 500, SQS), "InternalError"),
    Row("stored and then reset", reset_after),
    Row("connection reset", reset_before),
    Row("no answer", stalled),
    Row("stored and no answer", stalled_after),
    Row("slow", slow(0.3), ""),
)

DAMAGED = (Row("half an answer", halved), Row("an answer that is no JSON", garbled))
"""The engine has committed, and said so by the answer's status."""
