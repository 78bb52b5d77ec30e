"""The fields of a request, one by one: each is read as a value, or refused by name."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from decimal import Decimal

from reconciler.errors import RequestError
from reconciler.policy import IDEMPOTENCY_KEY, TIMESTAMP, Policy
from reconciler.size import value_bytes
from reconciler.stamps import MAX_MS, MIN_MS
from reconciler.wire import Value, canonical, from_plain, typed_set

# https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Constraints.html
MAX_PARTITION_KEY_BYTES, MAX_SORT_KEY_BYTES = 2048, 1024
MAX_IDEMPOTENCY_KEY_BYTES = MAX_PARTITION_KEY_BYTES  # it is an index's partition key


def key_value(name: str, value: object, policy: Policy) -> Value:
    """Return one attribute of an item's key."""
    content = wire(name, value)
    if not content.keys() <= {"S", "N", "B"}:
        raise RequestError(name, f"is {type_name(value)}; a key is text, a number or binary")
    size = value_bytes(content)
    limit = MAX_PARTITION_KEY_BYTES if name == policy.partition_key else MAX_SORT_KEY_BYTES
    if not 1 <= size <= limit:
        raise RequestError(name, f"is {type_name(value)} and has {size} bytes; 1 to {limit} were expected")
    return content


def idempotency_key(key: object, field: str = IDEMPOTENCY_KEY) -> str | None:
    """Return the key, or None where the request has none."""
    if key is None:
        return None
    if not isinstance(key, str):
        raise RequestError(field, f"is {type_name(key)}; text was expected")
    size = len(wire(field, key)["S"].encode())
    if not 1 <= size <= MAX_IDEMPOTENCY_KEY_BYTES:
        raise RequestError(
            field, f"is {type_name(key)} and has {size} bytes; 1 to {MAX_IDEMPOTENCY_KEY_BYTES} were expected"
        )
    return key


def timestamp(time: object) -> int | None:
    """Return a client's time in milliseconds, or None where the request has none."""
    if time is None:
        return None
    number = _whole(TIMESTAMP, time, "milliseconds since 1970")
    if not MIN_MS <= number <= MAX_MS:
        raise RequestError(
            TIMESTAMP,
            f"is {type_name(time)} out of range; milliseconds since 1970 were expected, which have 13 digits "
            "(seconds have 10, microseconds 16)",
        )
    return number


def event_time(text: object) -> int | None:
    """Return a TMF688 ``eventTime`` in milliseconds, or None where the envelope has none."""
    if text is None:
        return None
    try:
        moment = datetime.fromisoformat(text)  # type: ignore[arg-type]  # what is no text raises TypeError
    except (TypeError, ValueError):
        raise RequestError("eventTime", f"is {type_name(text)}; an ISO 8601 time was expected") from None
    if moment.tzinfo is None:
        raise RequestError(
            "eventTime", f"is {type_name(text)} and has no time zone; an ISO 8601 time with one was expected"
        )
    number = round(moment.timestamp() * 1000)
    if not MIN_MS <= number <= MAX_MS:
        raise RequestError(
            "eventTime",
            f"is {type_name(text)} and lies before September 2001 or after 2286; a time between was expected",
        )
    return number


def expected_version(version: object) -> int | None:
    """Return the version that the item must have, 0 where it must not exist."""
    if version is None:
        return None
    number = _whole("ExpectedVersion", version, "a version")
    if number < 0:
        raise RequestError("ExpectedVersion", f"is {number}; 0 (must not exist) or more was expected")
    return number


def expected_token(token: object) -> str | None:
    """Return the token of the state that the item must be in."""
    if token is not None and not isinstance(token, str):
        raise RequestError("ExpectedToken", f"is {type_name(token)}; text was expected")
    return token


def wire(place: str, value: object) -> Value:
    """Return a plain value in canonical wire form."""
    try:
        return from_plain(value)
    except ValueError as error:
        raise RequestError(place, f"is {type_name(value)}: {error}") from None


def wire_set(place: str, elements: object) -> Value:
    """Return elements of one type as a set in canonical wire form."""
    if not isinstance(elements, Iterable) or isinstance(elements, str | bytes | bytearray | Mapping):
        raise RequestError(place, f"is {type_name(elements)}; a list of elements was expected")
    try:
        return canonical(typed_set(elements))
    except ValueError as error:
        raise RequestError(place, f"is {type_name(elements)}: {error}") from None


def type_name(value: object) -> str:
    """Return the name of a value's type: the value itself stays out of messages."""
    return type(value).__name__


def _whole(place: str, number: object, meaning: str) -> int:
    is_number = isinstance(number, int | Decimal) and not isinstance(number, bool)
    digits = wire(place, number)["N"] if is_number else ""
    if not digits or "." in digits:
        raise RequestError(place, f"is {type_name(number)}; a whole number ({meaning}) was expected")
    return int(digits)
