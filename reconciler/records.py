"""Stream records, as a Lambda trigger delivers them.

https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_streams_Record.html
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from math import isfinite
from typing import Any, NewType

from reconciler.errors import ConfigurationError, ItemError
from reconciler.policy import Policy
from reconciler.wire import MAPPING, Image

SequenceNumber = NewType("SequenceNumber", str)
RawRecord = Mapping[str, Any]
KeyId = tuple[Any, ...]

SOURCE = "aws:dynamodb"
VIEW = "NEW_AND_OLD_IMAGES"
KEY_TYPES = ("S", "N", "B")
OPERATIONS = ("INSERT", "MODIFY", "REMOVE")


@dataclass(frozen=True, slots=True)
class StreamRecord:
    """One change that one replica saw: a local write, a replicated one, or a delete."""

    operation: str
    key: Image
    old: Image | None
    new: Image | None
    sequence_number: SequenceNumber
    at_ms: int | None
    """ApproximateCreationDateTime: rounded, never an order."""


def parse_record(record: object) -> StreamRecord:
    """Return the record as a value; ItemError names the member that is missing or impossible."""
    raw = _mapping(record, "record")
    body = _mapping(raw.get("dynamodb"), "dynamodb")
    operation = raw.get("eventName")
    if operation not in OPERATIONS:
        raise ItemError("eventName", "is not INSERT, MODIFY or REMOVE")
    return StreamRecord(
        operation,
        _keys(body),
        None if operation == "INSERT" else _image(body, "OldImage"),
        None if operation == "REMOVE" else _image(body, "NewImage"),
        sequence_number_of(raw),
        _milliseconds(body.get("ApproximateCreationDateTime")),
    )


def sequence_number_of(raw: object) -> SequenceNumber:
    """Return what a failed record is reported by; empty where it has none."""
    body = raw.get("dynamodb") if isinstance(raw, MAPPING) else None
    number = body.get("SequenceNumber") if isinstance(body, MAPPING) else None
    return SequenceNumber(number if isinstance(number, str) else "")


def key_id(keys: Image, names: Iterable[str]) -> KeyId:
    """Return a hashable identity of a key, cheaply."""
    return tuple(content for name in names for content in keys[name].items())


def refuse_misconfiguration(records: Iterable[object], policy: Policy) -> None:
    """Raise ConfigurationError where even one record shows a fault that every record would share."""
    names = set(policy.key_names)
    for raw in records:
        if isinstance(raw, MAPPING):
            _refuse_source(raw)
            body = raw.get("dynamodb")
            if isinstance(body, MAPPING):
                _refuse_stream(body, names)


def _refuse_source(raw: RawRecord) -> None:
    if raw.get("eventSource", SOURCE) != SOURCE:
        raise ConfigurationError(f"a record of {raw['eventSource']!r}; this function reads DynamoDB Streams only")


def _refuse_stream(body: Mapping[str, Any], names: set[str]) -> None:
    if body.get("StreamViewType", VIEW) != VIEW:
        raise ConfigurationError(f"the stream's view type is {body['StreamViewType']!r}; it must be {VIEW}")
    keys = body.get("Keys")
    if isinstance(keys, MAPPING) and keys and keys.keys() != names:
        raise ConfigurationError(
            f"the records' key is {sorted(map(str, keys))}, the policy's {sorted(names)}: "
            "another table's stream, or another table's policy"
        )


def _mapping(value: object, place: str) -> Mapping[str, Any]:
    if not isinstance(value, MAPPING) or not value:
        raise ItemError(place, "is missing or not a map")
    return value


def _keys(body: Mapping[str, Any]) -> Image:
    keys = _mapping(body.get("Keys"), "dynamodb.Keys")
    for name, value in keys.items():
        if not _is_key(value):
            raise ItemError(f"dynamodb.Keys.{name}", "is not text, a number or binary")
    return keys


def _is_key(value: object) -> bool:
    if not isinstance(value, MAPPING) or len(value) != 1:
        return False
    letter, content = next(iter(value.items()))
    return letter in KEY_TYPES and isinstance(content, str)


def _image(body: Mapping[str, Any], name: str) -> Image:
    image = _mapping(body.get(name), f"dynamodb.{name}")
    for attribute, value in image.items():
        if not isinstance(value, MAPPING):
            raise ItemError(f"dynamodb.{name}.{attribute}", "is not a value with a type letter")
    return image


def _milliseconds(seconds: object) -> int | None:
    if not isinstance(seconds, int | float) or (isinstance(seconds, float) and not isfinite(seconds)):
        return None
    return int(seconds * 1000)
