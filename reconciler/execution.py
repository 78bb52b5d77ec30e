"""Executions: one run of the workflow for one event, named so that Step Functions starts it once.

The name is the write id of the event's key: 16 characters that a name may hold, whatever the key holds.
Step Functions keeps a name for 90 days in one Region and account; beyond both, the ledger knows the key.
(https://docs.aws.amazon.com/step-functions/latest/apireference/API_StartExecution.html)

No state of the workflow may hold more than Step Functions takes, for that is a fault which no `Catch` of the workflow's
is given (States.DataLimitExceeded), and the event would neither be applied nor be in the poison queue. The largest is
the message to that queue:

    {QueueUrl, MessageBody: {schema, execution, fault {Error, Cause}, event}, MessageAttributes}

The body is counted as the text that it becomes: JSON in JSON, where each quote and backslash takes two bytes.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass

from reconciler.errors import RequestError
from reconciler.request_fields import type_name
from reconciler.stamps import write_id

MAX_STATE_BYTES = 262_144  # https://docs.aws.amazon.com/step-functions/latest/dg/service-quotas.html
# 32,768 characters as the API's LambdaFunctionFailedEventDetails says,
# of which a quote takes four bytes where JSON stands in JSON; Lambda's Cause is JSON, where no character takes more.
MAX_CAUSE_BYTES = 4 * 32_768
MAX_WRAPPING_BYTES = 16 << 10  # what else stands in a state: the claim with its key, the queue's URL, names, metadata
MAX_INPUT_BYTES = MAX_STATE_BYTES - MAX_CAUSE_BYTES - MAX_WRAPPING_BYTES
EXPIRY = "claimExpiresAt"


@dataclass(frozen=True, slots=True)
class Execution:
    """What is to be started: its name, and its input as JSON."""

    name: str
    input: str


def execution_of(event: object, claim_expires_at: int) -> Execution:
    """Return the execution of a TMF688 event whose claim ends then (seconds since 1970); RequestError names the field.

    The event has at most `MAX_INPUT_BYTES` (112 KiB) as JSON in JSON. The write function judges the request in it:
    what that refuses goes to the poison queue, whole.
    """
    if not isinstance(event, Mapping):
        raise RequestError("request", f"is {type_name(event)}; a TMF688 event was expected")
    key = event.get("eventId")
    if not isinstance(key, str) or not key:
        raise RequestError("eventId", f"is {type_name(key)} or empty; text was expected")
    if "event" not in event:
        raise RequestError("event", "is missing; a request was expected")
    return Execution(write_id(key), _input({**event, EXPIRY: claim_expires_at}))


def _input(event: Mapping[str, object]) -> str:
    try:
        text = json.dumps(event, separators=(",", ":"), ensure_ascii=False, allow_nan=False)
        size = len(json.dumps(text, ensure_ascii=False).encode())
    except (TypeError, ValueError, RecursionError):
        raise RequestError("request", "holds what JSON does not; numbers, text, lists and maps were expected") from None
    if size > MAX_INPUT_BYTES:
        raise RequestError("request", f"has {size} bytes as JSON in JSON; an execution takes at most {MAX_INPUT_BYTES}")
    return text
