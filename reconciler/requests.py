"""Requests: what a client asks for, checked against the policy before anything is touched.

    {"Id": "sub-1", "IdempotencyKey": "k-17", "Timestamp": 1700000000000,
     "Set": {...}, "Remove": [...], "Add": {...}, "AddToSet": {...}, "RemoveFromSet": {...},
     "ExpectedVersion": 4, "ExpectedToken": "..."}            or            {"Id": "sub-1", "Delete": true}

A flat request (``{"Id", "Data", ...}``) means `Set` of what is not a reserved name. A TM Forum TMF688 v4 Event is accepted
too: eventId is the IdempotencyKey, eventTime the Timestamp, event the request
(https://www.tmforum.org/resources/specification/tmf688-event-management-api-user-guide-v4-0-0/).
"""

from collections.abc import Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any

from reconciler.codec import elements_of, misfit
from reconciler.errors import RequestError
from reconciler.policy import (
    IDEMPOTENCY_KEY,
    LATEST,
    REGISTERS,
    SEMILATTICES,
    TIMESTAMP,
    AttributePolicy,
    Kind,
    Policy,
    escape,
    split_path,
)
from reconciler.stamps import MAX_MS, MIN_MS
from reconciler.wire import Image, Value, canonical, from_plain, typed_set

OPERATIONS = ("Set", "Remove", "Add", "AddToSet", "RemoveFromSet", "Delete")
EXPECTATIONS = ("ExpectedVersion", "ExpectedToken")
MAX_KEY_BYTES = 2048  # the key is an index's partition key

Elements = Mapping[str, tuple[str, ...]]


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


def parse_request(request: "Mapping[str, Any] | WriteEvent", policy: Policy) -> WriteEvent:
    """Return the request as a value; RequestError names the field that is wrong."""
    if isinstance(request, WriteEvent):
        return request
    if not isinstance(request, Mapping):
        raise RequestError("request", f"is {_type(request)}; a mapping was expected")
    if policy.partition_key not in request and "event" in request:
        request = _opened(request)
    return _Parser(request, policy).parse()


def parse_shared(idempotency_key: object, timestamp: object) -> WriteEvent:
    """Return what belongs to a whole transaction, as a request for no item."""
    return WriteEvent({}, _idempotency_key(idempotency_key), _timestamp(timestamp))


def _opened(envelope: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return the request in a TMF688 event, with the envelope's id and time."""
    inner = envelope["event"]
    if not isinstance(inner, Mapping):
        raise RequestError("event", f"is {_type(inner)}; a mapping was expected")
    for name, outer in ((IDEMPOTENCY_KEY, "eventId"), (TIMESTAMP, "eventTime")):
        if name in inner:
            raise RequestError(f"event.{name}", f"the envelope's {outer} says it")
    if "eventId" not in envelope:
        raise RequestError("eventId", "is missing")
    opened = {**inner, IDEMPOTENCY_KEY: envelope["eventId"]}
    if envelope.get("eventTime") is not None:
        opened[TIMESTAMP] = _event_time_ms(envelope["eventTime"])
    return opened


def _event_time_ms(text: object) -> int:
    try:
        moment = datetime.fromisoformat(text)  # type: ignore[arg-type]
    except (TypeError, ValueError):
        raise RequestError("eventTime", f"is {_type(text)}; an ISO 8601 time was expected") from None
    if moment.tzinfo is None:
        raise RequestError("eventTime", "has no time zone")
    return round(moment.timestamp() * 1000)


class _Parser:
    """Reads one request, field by field."""

    def __init__(self, request: Mapping[str, Any], policy: Policy) -> None:
        self._request = request
        self._policy = policy
        self._named: dict[str, str] = {}
        self._removed_maps: set[str] = set()
        self._sets: dict[str, Value] = {}

    def parse(self) -> WriteEvent:
        request, policy = self._request, self._policy
        self._refuse_unknown_fields()
        deletes = self._deletes()
        self._read_sets()
        removes = self._removes()
        added, removed = self._elements("AddToSet"), self._elements("RemoveFromSet")
        event = WriteEvent(
            key={name: self._key(name) for name in policy.key_names},
            idempotency_key=_idempotency_key(request.get(IDEMPOTENCY_KEY)),
            timestamp_ms=_timestamp(request.get(TIMESTAMP)),
            removes=tuple(path for path in removes if path not in self._removed_maps),
            removed_maps=tuple(path for path in removes if path in self._removed_maps),
            adds=self._adds(),
            sets=self._sets,
            elements_added=added,
            elements_removed=removed,
            deletes=deletes,
            expected_version=_expected_version(request.get("ExpectedVersion")),
            expected_token=_expected_token(request.get("ExpectedToken")),
        )
        _refuse_both(added, removed)
        if not (deletes or self._named):
            raise RequestError("Set", "the request asks for nothing; give Set, Remove, Add, AddToSet, RemoveFromSet or Delete")
        return event

    @property
    def _is_flat(self) -> bool:
        return not any(name in self._request for name in OPERATIONS)

    def _refuse_unknown_fields(self) -> None:
        known = {*OPERATIONS, *EXPECTATIONS, *self._policy.key_names, IDEMPOTENCY_KEY, TIMESTAMP}
        for name in self._request:
            if not isinstance(name, str):
                raise RequestError(repr(name), f"is {_type(name)}; field names are text")
            if name not in known and not self._is_flat:
                raise RequestError(name, f"is no field of a request; expected {', '.join((*OPERATIONS, *EXPECTATIONS))}")

    def _key(self, name: str) -> Value:
        if name not in self._request:
            raise RequestError(name, "the key attribute is missing")
        value = _wire(name, self._request[name])
        letter, content = next(iter(value.items()))
        if letter not in {"S", "N", "B"}:
            raise RequestError(name, f"is {_type(self._request[name])}; a key is text, a number or binary")
        if not content:
            raise RequestError(name, "a key is never empty")
        return value

    def _deletes(self) -> bool:
        deletes = self._request.get("Delete", False)
        if not isinstance(deletes, bool):
            raise RequestError("Delete", f"is {_type(deletes)}; true was expected")
        others = [name for name in OPERATIONS if name in self._request and name != "Delete"]
        if deletes and others:
            raise RequestError("Delete", f"stands alone, without {', '.join(others)}")
        return deletes

    def _read_sets(self) -> None:
        if self._is_flat:
            skipped = {*self._policy.reserved, *EXPECTATIONS}
            attributes = {name: value for name, value in self._request.items() if name not in skipped}
        else:
            attributes = self._operation("Set")
        for name, value in attributes.items():
            place = name if self._is_flat else f"Set.{name}"
            path, policy = self._resolve(place, name)
            self._set(place, path, policy, _wire(place, value))

    def _set(self, place: str, path: str, policy: AttributePolicy, value: Value) -> None:
        """Set a leaf, or the members that a map names."""
        if policy.kind is Kind.MAP:
            if "M" not in value:
                raise RequestError(place, f"is {next(iter(value))}, but its policy is map, which wants M")
            for name, member in value["M"].items():
                member_path = f"{path if '/' in path else escape(path)}/{escape(name)}"
                self._set(f"{place}/{name}", member_path, policy.members.get(name, LATEST), member)
            return
        if policy.kind not in REGISTERS | SEMILATTICES:
            instead = "Add" if policy.kind is Kind.COUNTER else "AddToSet and RemoveFromSet"
            raise RequestError(place, f"its policy is {policy.kind.value}: use {instead}")
        problem = misfit(value, policy)
        if problem:
            raise RequestError(place, problem)
        self._name(place, path)
        self._sets[path] = value

    def _removes(self) -> tuple[str, ...]:
        names = self._request.get("Remove", [])
        if not isinstance(names, Sequence | AbstractSet) or isinstance(names, str | bytes):
            raise RequestError("Remove", f"is {_type(names)}; a list of attribute names was expected")
        return tuple(self._remove(name) for name in names)

    def _remove(self, name: object) -> str:
        if not isinstance(name, str):
            raise RequestError("Remove", f"holds {_type(name)}; attribute names are text")
        place = f"Remove.{name}"
        path, policy = self._resolve(place, name)
        is_map = policy.kind is Kind.MAP
        if not _is_removable(policy):
            raise RequestError(place, f"its policy is {policy.kind.value}; only registers (latest, manual) can be removed")
        path = escape(path) if is_map and "/" not in path else path
        self._name(place, path, is_map=is_map)
        return path

    def _adds(self) -> dict[str, Decimal]:
        adds = {}
        for name, number in self._operation("Add").items():
            place = f"Add.{name}"
            path, policy = self._resolve(place, name)
            if policy.kind is not Kind.COUNTER:
                raise RequestError(place, f"its policy is {policy.kind.value}; Add wants a counter")
            value = _wire(place, number)
            if "N" not in value:
                raise RequestError(place, f"is {_type(number)}; a number was expected")
            self._name(place, path)
            adds[path] = Decimal(value["N"])
        return adds

    def _elements(self, operation: str) -> dict[str, tuple[str, ...]]:
        elements = {}
        wanted = {Kind.SET, Kind.UNION} if operation == "AddToSet" else {Kind.SET}
        for name, members in self._operation(operation).items():
            place = f"{operation}.{name}"
            path, policy = self._resolve(place, name)
            if policy.kind not in wanted:
                raise RequestError(place, f"its policy is {policy.kind.value}; {operation} wants a set")
            value = _wire_set(place, members)
            if policy.kind is Kind.UNION:
                self._set(place, path, policy, value)
            else:
                self._named.setdefault(path, operation)
                elements[path] = tuple(elements_of(value))
        return elements

    def _operation(self, name: str) -> Mapping[str, Any]:
        attributes = self._request.get(name, {})
        if not isinstance(attributes, Mapping):
            raise RequestError(name, f"is {_type(attributes)}; a mapping from attribute names was expected")
        return attributes

    def _resolve(self, place: str, name: object) -> tuple[str, AttributePolicy]:
        """Return the path in its one spelling, and its policy."""
        if not isinstance(name, str) or not name:
            raise RequestError(place, "attribute names are text and not empty")
        segments = split_path(name)
        top = self._policy.attributes.get(segments[0], LATEST)
        if len(segments) == 1 or top.kind is not Kind.MAP:
            if not self._policy.is_users(name):
                raise RequestError(place, "the name is reserved")
            return name, self._policy.attributes.get(name, LATEST)
        self._refuse_paths_into_values(place, segments, top)
        path = "/".join(map(escape, segments))
        return path, self._policy.of(path)

    def _refuse_paths_into_values(self, place: str, segments: list[str], policy: AttributePolicy) -> None:
        for segment in segments[1:]:
            if policy.kind is not Kind.MAP:
                raise RequestError(place, f"the path leads into a value whose policy is {policy.kind.value}, not map")
            if not segment:
                raise RequestError(place, "the path has an empty segment")
            policy = policy.members.get(segment, LATEST)

    def _name(self, place: str, path: str, *, is_map: bool = False) -> None:
        """Refuse what two operations, or two spellings, name; a map that is removed names its members too."""
        twice = [named for named in self._removed_maps if path.startswith(f"{named}/")]
        twice += [path] if path in self._named else []
        twice += [named for named in self._named if is_map and named.startswith(f"{path}/")]
        if twice:
            raise RequestError(place, f"is named twice, here and as {self._named[twice[0]]}")
        self._named[path] = place
        if is_map:
            self._removed_maps.add(path)


def _is_removable(policy: AttributePolicy) -> bool:
    if policy.kind is Kind.MAP:
        return all(_is_removable(member) for member in policy.members.values())
    return policy.kind in REGISTERS


def _refuse_both(added: Elements, removed: Elements) -> None:
    for path in added.keys() & removed.keys():
        if set(added[path]) & set(removed[path]):
            raise RequestError(f"AddToSet.{path}", "an element is both added and removed")
        if {element[0] for element in added[path]} != {element[0] for element in removed[path]}:
            raise RequestError(f"RemoveFromSet.{path}", "its elements are of another type than those added")


def _wire(place: str, value: object) -> Value:
    try:
        return from_plain(value)
    except ValueError as error:
        raise RequestError(place, f"is {_type(value)}: {error}") from None


def _wire_set(place: str, elements: object) -> Value:
    if not isinstance(elements, Iterable) or isinstance(elements, str | bytes | Mapping):
        raise RequestError(place, f"is {_type(elements)}; a list of elements was expected")
    try:
        return canonical(typed_set(elements))
    except ValueError as error:
        raise RequestError(place, str(error)) from None


def _idempotency_key(key: object) -> str | None:
    if key is None:
        return None
    if not isinstance(key, str):
        raise RequestError(IDEMPOTENCY_KEY, f"is {_type(key)}; text was expected")
    size = len(key.encode("utf-8", "surrogatepass"))
    if not 1 <= size <= MAX_KEY_BYTES:
        raise RequestError(IDEMPOTENCY_KEY, f"has {size} bytes; 1 to {MAX_KEY_BYTES} were expected")
    _wire(IDEMPOTENCY_KEY, key)
    return key


def _timestamp(time: object) -> int | None:
    if time is None:
        return None
    number = _whole(TIMESTAMP, time, "milliseconds since 1970")
    if not MIN_MS <= number <= MAX_MS:
        raise RequestError(TIMESTAMP, f"is {number}; milliseconds since 1970 have 13 digits (seconds 10, microseconds 16)")
    return number


def _expected_version(version: object) -> int | None:
    if version is None:
        return None
    number = _whole("ExpectedVersion", version, "a version")
    if number < 0:
        raise RequestError("ExpectedVersion", f"is {number}; 0 (must not exist) or more was expected")
    return number


def _expected_token(token: object) -> str | None:
    if token is not None and not isinstance(token, str):
        raise RequestError("ExpectedToken", f"is {_type(token)}; text was expected")
    return token


def _whole(place: str, number: object, meaning: str) -> int:
    is_number = isinstance(number, int | Decimal) and not isinstance(number, bool)
    if not is_number or not Decimal(number).is_finite() or Decimal(number) % 1:  # type: ignore[arg-type]
        raise RequestError(place, f"is {_type(number)}; a whole number ({meaning}) was expected")
    return int(number)  # type: ignore[call-overload,no-any-return]


def _type(value: object) -> str:
    return type(value).__name__
