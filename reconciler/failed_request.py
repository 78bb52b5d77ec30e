"""Failed requests: what the workflow (infra/workflow.asl.json) could not apply, as it stands in the poison queue.

    {"schema": "global-table-reconciler/workflow-poison/1", "execution": its ARN, "startedAt": when it began,
     "fault": {"Error", "Cause"}, "event": the whole input, a TMF688 event}

It is executed again under its own key, and as of when it was first asked for, so that it takes nothing from whoever
wrote since: where a newer value stands, it comes out as superseded.

It may have been executed before, though its answer was lost. The ledger then counts it once, as long as it remembers:

    first asked ---- executed? ---- horizon ----> now      too late: what was folded has no names
    first asked ---- horizon ---- executed? ----> now      its key would be named

and an item that was deleted takes its ledger along once its tombstone expires.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any

from reconciler.attempt import Found
from reconciler.errors import ConfigurationError, KeySchemaError, PolicyFileError, RequestError
from reconciler.policy import Policy
from reconciler.request_fields import event_time
from reconciler.requests import WriteEvent, parse_request
from reconciler.stamps import NEVER, ms_of

SCHEMA = "global-table-reconciler/workflow-poison/1"
NOTHING_WRITTEN = frozenset(
    {"NotAnEvent", *(fault.__name__ for fault in (RequestError, ConfigurationError, KeySchemaError, PolicyFileError))}
)
"""The workflow's names for faults after which nothing was written: the write function's are its exceptions' names."""


@dataclass(frozen=True, slots=True)
class FailedRequest:
    """One request, with the time at which its execution began (milliseconds since 1970), where that is known."""

    event: Mapping[str, Any]
    execution: str
    started_ms: int | None
    fault: str = ""
    """The name of what it failed with."""


def parse_failed_request(body: str) -> FailedRequest:
    """Return the request in a message's body; ValueError names the field that is wrong."""
    document = json.loads(body, parse_float=Decimal)
    event = document.get("event")
    if not isinstance(event, Mapping):
        raise ValueError("event: a mapping was expected")  # noqa: TRY004 - one error type for whatever is wrong
    try:
        started_ms = event_time(document.get("startedAt"))
    except RequestError:
        raise ValueError("startedAt: a time was expected") from None
    fault = document.get("fault")
    name = str(fault.get("Error", "")) if isinstance(fault, Mapping) else ""
    return FailedRequest(event, str(document.get("execution", "")), started_ms, name)


def request_of(failed: FailedRequest, policy: Policy, asked_ms: int) -> WriteEvent:
    """Return the request, as of `asked_ms` where it has no time of its own; RequestError names what is wrong.

    A bare request is none of the workflow's: without an eventId, a redrive that is repeated would count twice.
    A Delete has no time that could let it lose: so late, only one that says which state it means is executed.
    """
    if "event" not in failed.event or "eventId" not in failed.event:
        raise RequestError("eventId", "is missing, or event is; both were expected")
    request = parse_request(failed.event, policy)
    if request.deletes and request.expected_version is None and request.expected_token is None:
        raise RequestError("Delete", "came too late to be executed without ExpectedVersion or ExpectedToken")
    return request if request.timestamp_ms is not None else replace(request, timestamp_ms=asked_ms)


def is_forgotten(failed: FailedRequest, request: WriteEvent, found: Found, policy: Policy, now_ms: int) -> bool:
    """Say whether the request may have been executed before in a way that the item found would no longer show.

    Asked of an item whose ledger does not name the key. A token is of one exact state, which no execution leaves; a
    version above 0 is of one that this ledger never comes back to.
    """
    if failed.fault in NOTHING_WRITTEN or request.expected_token is not None:
        return False
    earliest_ms = first_asked_ms(failed, request) - policy.max_clock_skew_ms
    if _began_ms(found, now_ms) >= earliest_ms + policy.tombstone_ttl_ms:
        return True  # a delete in between, its tombstone, and the ledger with it may be gone
    horizon = found.item.ledger.horizon
    return horizon > NEVER and ms_of(horizon) >= earliest_ms and not request.expected_version


def first_asked_ms(failed: FailedRequest, request: WriteEvent) -> int:
    """Return when the request can have been executed first, by the clock of whoever asked; 0 where nothing says so.

    SQS's own time says nothing: it is that of the newest copy.
    """
    told_ms = None if failed.event.get("eventTime") is None else request.timestamp_ms
    return min((time for time in (failed.started_ms, told_ms) if time is not None), default=0)


def _began_ms(found: Found, now_ms: int) -> int:
    """Return since when the item's ledger knows what was executed: for an absent one, since now."""
    ledger = found.item.ledger
    oldest = ledger.horizon or min(ledger.stamps(), default=NEVER)
    return ms_of(oldest) if oldest else now_ms
