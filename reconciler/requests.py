"""Requests: what a client asks for, checked against the policy before anything is touched.

    {"Id": "sub-1", "IdempotencyKey": "k-17", "Timestamp": 1700000000000,
     "Set": {...}, "Remove": [...], "Add": {...}, "AddToSet": {...}, "RemoveFromSet": {...},
     "ExpectedVersion": 4, "ExpectedToken": "..."}            or            {"Id": "sub-1", "Delete": true}

A flat request (``{"Id", "Data", ...}``) means `Set` of what is not a reserved name. A TM Forum TMF688 v4 Event is
accepted too: eventId is the IdempotencyKey, eventTime the Timestamp, event the request
(https://www.tmforum.org/resources/specification/tmf688-event-management-api-user-guide-v4-0-0/).
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import Any, NoReturn

from reconciler import request_fields as fields
from reconciler.errors import RequestError
from reconciler.policy import IDEMPOTENCY_KEY, TIMESTAMP, Policy
from reconciler.request_operations import Elements, Operations, names_of
from reconciler.wire import MAPPING, Image, Value

OPERATIONS = ("Set", "Remove", "Add", "AddToSet", "RemoveFromSet", "Delete")
EXPECTATIONS = ("ExpectedVersion", "ExpectedToken")
FIELDS = frozenset({*OPERATIONS, *EXPECTATIONS, IDEMPOTENCY_KEY, TIMESTAMP})


@dataclass(frozen=True, slots=True)
class WriteEvent:
    """A request that fits the policy; attributes and map members by path, values canonical."""

    key: Image
    idempotency_key: str | None = None
    timestamp_ms: int | None = None
    sets: Mapping[str, Value] = field(default_factory=dict)
    removes: tuple[str, ...] = ()
    removed_maps: tuple[str, ...] = ()
    adds: Mapping[str, Decimal] = field(default_factory=dict)
    elements_added: Elements = field(default_factory=dict)
    elements_removed: Elements = field(default_factory=dict)
    deletes: bool = False
    expected_version: int | None = None
    expected_token: str | None = None


def parse_request(request: object, policy: Policy) -> WriteEvent:
    """Return a request (a mapping, or a `WriteEvent` already) as a value; RequestError names what is wrong."""
    if isinstance(request, WriteEvent):
        return request
    if not isinstance(request, MAPPING):
        raise RequestError("request", f"is {fields.type_name(request)}; a mapping was expected")
    if "event" in request and (policy.partition_key not in request or "eventId" in request):
        return _parse_envelope(request, policy)
    return _parse(request, policy)


def parse_shared(idempotency_key: object, timestamp: object) -> WriteEvent:
    """Return what belongs to a whole transaction, as a request for no item."""
    return WriteEvent({}, fields.idempotency_key(idempotency_key), fields.timestamp(timestamp))


def parse_within(place: str, request: object, policy: Policy, owner: str) -> WriteEvent:
    """Return a request that stands at `place` in something else, whose `owner` has the key and the time."""
    if not isinstance(request, Mapping | WriteEvent):
        raise RequestError(place, f"is {fields.type_name(request)}; a mapping was expected")
    try:
        event = parse_request(request, policy)
    except RequestError as error:
        raise RequestError(f"{place}.{error.field}", error.problem) from None
    for name, own in ((IDEMPOTENCY_KEY, event.idempotency_key), (TIMESTAMP, event.timestamp_ms)):
        if own is not None:
            raise RequestError(f"{place}.{name}", f"belongs to the {owner}")
    return event


def _parse_envelope(envelope: Mapping[str, Any], policy: Policy) -> WriteEvent:
    """Return the request in a TMF688 event, with the envelope's id and time."""
    key = fields.idempotency_key(envelope.get("eventId"), "eventId")
    if key is None:
        raise RequestError("eventId", "is missing or null; text was expected")
    time = fields.event_time(envelope.get("eventTime"))
    event = parse_within("event", envelope["event"], policy, "envelope (eventId, eventTime)")
    return replace(event, idempotency_key=key, timestamp_ms=time)


def _parse(request: Mapping[str, Any], policy: Policy) -> WriteEvent:
    is_flat = not any(name in request for name in OPERATIONS)
    _refuse_unknown_fields(request, policy, is_flat=is_flat)
    key = {name: _key(name, request, policy) for name in policy.key_names}
    deletes = _deletes(request)
    operations = _flat_operations(request, policy) if is_flat else _operations(request, policy)
    if operations.are_none and not deletes:
        _refuse_nothing(request)
    return WriteEvent(
        key=key,
        idempotency_key=fields.idempotency_key(request.get(IDEMPOTENCY_KEY)),
        timestamp_ms=fields.timestamp(request.get(TIMESTAMP)),
        sets=operations.sets,
        removes=tuple(operations.removes),
        removed_maps=tuple(operations.removed_maps),
        adds=operations.adds,
        elements_added=operations.elements_added,
        elements_removed=operations.elements_removed,
        deletes=deletes,
        expected_version=fields.expected_version(request.get("ExpectedVersion")),
        expected_token=fields.expected_token(request.get("ExpectedToken")),
    )


def _refuse_nothing(request: Mapping[str, Any]) -> NoReturn:
    if "Delete" in request:
        raise RequestError("Delete", "is false, and nothing else is asked for; true was expected")
    raise RequestError("Set", f"the request asks for nothing; one of {', '.join(OPERATIONS)} was expected")


def _refuse_unknown_fields(request: Mapping[str, Any], policy: Policy, *, is_flat: bool) -> None:
    for name in request:
        if not isinstance(name, str) or not name:
            raise RequestError(repr(name), f"is named by {fields.type_name(name)}; names are text and not empty")
        if not (is_flat or name in FIELDS or name in policy.key_names):
            raise RequestError(name, f"is no field of a request; expected {', '.join((*OPERATIONS, *EXPECTATIONS))}")


def _key(name: str, request: Mapping[str, Any], policy: Policy) -> Value:
    if name not in request:
        raise RequestError(name, "the key attribute is missing; text, a number or binary was expected")
    return fields.key_value(name, request[name], policy)


def _deletes(request: Mapping[str, Any]) -> bool:
    deletes = request.get("Delete", False)
    if not isinstance(deletes, bool):
        raise RequestError("Delete", f"is {fields.type_name(deletes)}; true was expected")
    others = [name for name in OPERATIONS if name in request and name != "Delete"]
    if deletes and others:
        raise RequestError("Delete", f"stands alone, without {', '.join(others)}")
    return deletes


def _flat_operations(request: Mapping[str, Any], policy: Policy) -> Operations:
    operations = Operations(policy)
    for name, value in request.items():
        if name not in policy.reserved and name not in EXPECTATIONS:
            operations.set(name, name, value)
    return operations


def _operations(request: Mapping[str, Any], policy: Policy) -> Operations:
    operations = Operations(policy)
    for name in names_of("Remove", request.get("Remove", [])):
        operations.remove(f"Remove.{name}", name)
    readers = {
        "Set": operations.set,
        "Add": operations.add,
        "AddToSet": operations.add_elements,
        "RemoveFromSet": operations.remove_elements,
    }
    for operation, read in readers.items():
        for name, value in _by_name(operation, request.get(operation, {})).items():
            read(f"{operation}.{name}", name, value)
    return operations


def _by_name(operation: str, attributes: object) -> Mapping[Any, Any]:
    if not isinstance(attributes, MAPPING):
        raise RequestError(operation, f"is {fields.type_name(attributes)}; a mapping from attribute names was expected")
    return attributes
