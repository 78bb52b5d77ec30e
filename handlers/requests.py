"""Requests as Lambda gets them: one, or a transaction of several; and the word that a client needs of a fault."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from reconciler.errors import RequestError, TransientError
from reconciler.policy import IDEMPOTENCY_KEY, TIMESTAMP, Policy
from reconciler.writer import Result, Writer

TRANSACTION_FIELDS = ("Events", IDEMPOTENCY_KEY, TIMESTAMP)


def execute(writer: Writer, event: Any, policy: Policy) -> Result:  # noqa: ANN401 - the writer names what is wrong
    """Execute a request, or a transaction of several; what has the table's key is a request, whatever else it holds."""
    if not isinstance(event, Mapping) or "Transaction" not in event or policy.partition_key in event:
        return writer.process_event(event)
    transaction = event["Transaction"]
    if not isinstance(transaction, Mapping) or len(event) > 1:
        given = type(transaction).__name__
        raise RequestError("Transaction", f"is {given}; a mapping was expected, alone in the request")
    for name in transaction:
        if name not in TRANSACTION_FIELDS:
            expected = ", ".join(TRANSACTION_FIELDS)
            raise RequestError(f"Transaction.{name}", f"is no field of a transaction; expected {expected}")
    return writer.process_transaction(
        transaction.get("Events", ()), transaction.get(IDEMPOTENCY_KEY), transaction.get(TIMESTAMP)
    )


def is_envelope(event: Any, policy: Policy) -> bool:  # noqa: ANN401 - what is none is no envelope
    """Say whether a request is a TMF688 event, as the writer does."""
    return isinstance(event, Mapping) and "event" in event and ("eventId" in event or policy.partition_key not in event)


@contextmanager
def made_key_told(event: dict[str, Any]) -> Iterator[None]:
    """Let a fault that may pass say the key that was made for the request: a retry with it counts once."""
    try:
        yield
    except TransientError as error:
        sources = [source for source in (event, event.get("Transaction")) if isinstance(source, Mapping)]
        given = [source.get(name) for source in sources for name in (IDEMPOTENCY_KEY, "eventId")]
        if error.idempotency_key not in given:
            error.args = (f"{error}; retry with {IDEMPOTENCY_KEY} {error.idempotency_key!r}",)
        raise
