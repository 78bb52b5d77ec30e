"""No state of the workflow holds more than Step Functions takes, whatever the event and the fault say."""

import json
from typing import Any

import pytest

from reconciler.execution import MAX_INPUT_BYTES, MAX_STATE_BYTES, execution_of
from reconciler.request_fields import MAX_IDEMPOTENCY_KEY_BYTES
from tests.workflow.world import DEFINITION

STATES: Any = json.loads(DEFINITION.read_text(encoding="utf-8"))["States"]
NAME_LENGTH, ERROR_LENGTH, CAUSE_LENGTH = 80, 256, 32_768
METADATA = {"SdkHttpMetadata": "m" * 1_500, "SdkResponseMetadata": "r" * 500}
ARN = f"arn:aws-us-gov:states:us-gov-west-1:111122223333:execution:{'m' * NAME_LENGTH}:{'e' * NAME_LENGTH}"
URL = f"https://sqs.us-gov-west-1.amazonaws.com/111122223333/{'q' * NAME_LENGTH}"
CONTROL = "\x01"
WORST = ["x", "\u00fc", "\u4e16", "\U0001f600", '"', "\\", "\n", CONTROL]
WORST_CAUSES = ["x", "\u00fc", "\u4e16", '"', "\\", "\n"]


def largest(character: str, key: str = "k") -> Any:
    """Return the largest event of one character that the starter takes."""
    empty = execution_of({"eventId": key, "event": ""}, 1_800_000_000).input
    room = MAX_INPUT_BYTES - size(empty)
    event = character * (room // (size(json.dumps(character, ensure_ascii=False)) - 6))
    return json.loads(execution_of({"eventId": key, "event": event}, 1_800_000_000).input)


def size(document: Any) -> int:
    """Return how many bytes a document has as JSON."""
    return len(json.dumps(document, separators=(",", ":"), ensure_ascii=False).encode())


def filled(template: Any, context: Any, state: Any) -> Any:
    """Return what a state's Parameters give: each name that ends so is a path, into the context or the state."""
    if not isinstance(template, dict):
        return template
    return {
        name.removesuffix(".$"): found(value, context, state) if name.endswith(".$") else filled(value, context, state)
        for name, value in template.items()
    }


def found(path: str, context: Any, state: Any) -> Any:
    """Return what stands at a path."""
    value = context if path.startswith("$$.") else state
    for name in path.removeprefix("$$.").removeprefix("$.").split("."):
        value = value[name]
    return value


def context_of(event: Any) -> Any:
    """Return what an execution knows of itself."""
    began = "2026-01-01T00:00:00.000Z"
    return {"Execution": {"Id": ARN, "Name": "e" * NAME_LENGTH, "StartTime": began, "Input": event}}


def claim_of(key: str) -> Any:
    """Return what GetItem answers."""
    item = {"IdempotencyKey": {"S": key}, "Execution": {"S": "e" * NAME_LENGTH}, "Outcome": {"S": "version_conflict"}}
    times = {"ClaimedAt": {"S": "2026-01-01T00:00:00.000Z"}, "ExpiresAt": {"N": "1800000000"}}
    return {"Item": {**item, **times, "Version": {"N": "9" * 38}}, **METADATA}


@pytest.mark.parametrize("cause", WORST_CAUSES)
@pytest.mark.parametrize("character", WORST)
def test_the_message_to_the_poison_queue_fits(character: str, cause: str) -> None:
    """With its body as the text that it becomes."""
    event = largest(character)
    fault = {"Error": "E" * ERROR_LENGTH, "Cause": cause * CAUSE_LENGTH}
    given = filled(STATES["SendToPoisonQueue"]["Parameters"], context_of(event), {**event, "fault": fault})
    given["QueueUrl"] = URL
    assert given["MessageBody"]["event"] == event
    given["MessageBody"] = json.dumps(given["MessageBody"], separators=(",", ":"), ensure_ascii=False)
    assert size(given) <= MAX_STATE_BYTES


@pytest.mark.parametrize("cause", WORST_CAUSES)
@pytest.mark.parametrize("key", ["k", CONTROL * MAX_IDEMPOTENCY_KEY_BYTES])
def test_what_stands_in_every_other_state_fits(cause: str, key: str) -> None:
    """The event with its claim, and the fault that comes after it."""
    fault = {"Error": "E" * ERROR_LENGTH, "Cause": cause * CAUSE_LENGTH}
    result = {"status": "version_conflict", "version": 10**38, "token": "t" * 16}
    for character in WORST:
        event = largest(character, key)
        assert size({**event, "claim": claim_of(key), "result": result, "fault": fault}) <= MAX_STATE_BYTES
        payload = filled(STATES["Apply"]["Parameters"], context_of(event), event)
        assert size({**payload, "FunctionName": ARN}) <= MAX_STATE_BYTES


def test_a_message_that_is_counted_so_can_come_near_the_limit() -> None:
    """The bound is not a guess that is far too small: with the worst of both, little is left."""
    event = largest('"')
    fault = {"Error": "E" * ERROR_LENGTH, "Cause": '"' * CAUSE_LENGTH}
    given = filled(STATES["SendToPoisonQueue"]["Parameters"], context_of(event), {**event, "fault": fault})
    given["MessageBody"] = json.dumps(given["MessageBody"], separators=(",", ":"), ensure_ascii=False)
    assert size(given) > MAX_STATE_BYTES * 15 // 16 - 1_024
