"""Failed requests: what the workflow (infra/workflow.asl.json) could not apply, as it stands in the poison queue.

    {"schema": "global-table-reconciler/workflow-poison/1", "execution": its ARN, "startedAt": when it began,
     "fault": {"Error", "Cause"}, "event": the whole input, a TMF688 event}

It is executed again under its own key, so that the ledger counts it once, and as of when it was first asked for, so
that it takes nothing from whoever wrote since: where a newer value stands, it comes out as superseded.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any

from reconciler.errors import RequestError
from reconciler.policy import Policy
from reconciler.request_fields import event_time
from reconciler.requests import WriteEvent, parse_request

SCHEMA = "global-table-reconciler/workflow-poison/1"


@dataclass(frozen=True, slots=True)
class FailedRequest:
    """One request, with the time at which its execution began (milliseconds since 1970), where that is known."""

    event: Mapping[str, Any]
    execution: str
    started_ms: int | None


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
    return FailedRequest(event, str(document.get("execution", "")), started_ms)


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
