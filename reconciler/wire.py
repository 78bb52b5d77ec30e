"""Wire values: DynamoDB's typed JSON, kept as it came, made canonical only where bytes are compared.

    {"S": "x"}   {"N": "1.5"}   {"B": "base64"}   {"NULL": true}   {"BOOL": false}
    {"SS": [...]}   {"NS": [...]}   {"BS": [...]}   {"M": {...}}   {"L": [...]}

Binary is base64 text here, as in a Lambda event; the DynamoDB adapter turns it into bytes and back.
Numbers are exact to DynamoDB's 38 digits
(https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/HowItWorks.NamingRulesDataTypes.html).
"""

import json
import re
from base64 import b64decode, b64encode
from binascii import Error as Base64Error
from collections.abc import Callable, Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from decimal import Context, Decimal, DecimalException, DivisionByZero, Inexact, InvalidOperation, Overflow
from functools import lru_cache
from hashlib import blake2b
from typing import Any

Value = Mapping[str, Any]
Image = Mapping[str, Value]

MAX_DIGITS = 38
MAX_EXPONENT, MIN_EXPONENT = 125, -130
MAX_DEPTH = 32
_DEEPEST = MAX_DEPTH + 4  # room for what an image is wrapped in before it is hashed
# Wide enough for any sum of DynamoDB numbers: what a sum may hold is judged on the result, so that order has no say.
EXACT = Context(prec=600, Emin=-9999, Emax=9999, traps=[Inexact, InvalidOperation, DivisionByZero, Overflow])
_DIGEST_BYTES = 16
stable_json = json.JSONEncoder(sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode
"""Writes equal values as equal texts."""
# The concrete type first: an abstract one alone is asked many times as slowly.
MAPPING, _SEQUENCE = (dict, Mapping), (list, Sequence)
_NOT_OF_NUMBERS = re.compile(r"[^!-~]|_")  # blanks, underscores and other scripts' digits, which Decimal reads
SET_TYPES = {"SS": "S", "NS": "N", "BS": "B"}
SCALARS = frozenset({"S", "N", "B", "BOOL", "NULL"})


def number_text(number: Decimal) -> str:
    """Write a number as DynamoDB keeps it, without an exponent; ValueError where it cannot hold it."""
    if not number.is_finite():
        raise ValueError("not a finite number")
    if not number:
        return "0"
    text = str(number)
    if text.lstrip("-").isdigit() and len(text) <= MAX_DIGITS:
        return text
    if not MIN_EXPONENT <= number.adjusted() <= MAX_EXPONENT:  # first: the text of 1E+999999999 has a gigabyte
        raise ValueError("beyond DynamoDB's range of numbers")
    text = f"{number:f}"
    if "." in text:
        text = text.rstrip("0").rstrip(".")
    significant = text.lstrip("-").replace(".", "").strip("0")
    if len(significant) > MAX_DIGITS:
        raise ValueError("more than 38 digits")
    return text


def canonical_number(text: str) -> str:
    """Normalise a number's text; ValueError where it is none that DynamoDB can hold."""
    if text.isascii() and text.isdigit() and len(text) <= MAX_DIGITS and (text[0] != "0" or text == "0"):
        return text
    if _NOT_OF_NUMBERS.search(text):
        raise ValueError("not a number")
    try:
        return number_text(Decimal(text))
    except DecimalException:
        raise ValueError("not a number") from None


def _text(content: Any) -> str:  # noqa: ANN401 - whatever the wire held
    if not isinstance(content, str):
        raise ValueError("not text")  # noqa: TRY004 - one error type for every unreadable value
    return content


def _base64(content: Any) -> str:  # noqa: ANN401 - whatever the wire held
    try:
        return b64encode(b64decode(_text(content), validate=True)).decode()
    except Base64Error:
        raise ValueError("not base64") from None


def _boolean(content: Any) -> bool:  # noqa: ANN401 - whatever the wire held
    if not isinstance(content, bool):
        raise ValueError("not a boolean")  # noqa: TRY004 - one error type for every unreadable value
    return content


def _set_of(scalar: Callable[[Any], str], order: Callable[[str], Any]) -> Callable[[Any], list[str]]:
    def canonical_set(content: Any) -> list[str]:  # noqa: ANN401 - whatever the wire held
        if not isinstance(content, _SEQUENCE) or isinstance(content, str) or not content:
            raise ValueError("not a list of set elements")
        return sorted({scalar(element) for element in content}, key=order)

    return canonical_set


def _list(content: Any, depth: int) -> list[Value]:  # noqa: ANN401 - whatever the wire held
    if not isinstance(content, list):
        raise ValueError("not a list")  # noqa: TRY004 - one error type for every unreadable value
    return [canonical(value, depth) for value in content]


def _map(content: Any, depth: int) -> dict[str, Value]:  # noqa: ANN401 - whatever the wire held
    if not isinstance(content, MAPPING):
        raise ValueError("not a map")  # noqa: TRY004 - one error type for every unreadable value
    for name in content:
        _text(name)
    return {name: canonical(content[name], depth) for name in sorted(content)}


def _number(content: Any) -> str:  # noqa: ANN401 - whatever the wire held
    return canonical_number(_text(content))


_NESTED: dict[str, Callable[[Any, int], Any]] = {"L": _list, "M": _map}
_CANONICAL: dict[str, Callable[[Any], Any]] = {
    "S": _text,
    "N": _number,
    "B": _base64,
    "BOOL": _boolean,
    "NULL": _boolean,
    "SS": _set_of(_text, str),
    "NS": _set_of(_number, Decimal),
    "BS": _set_of(_base64, b64decode),
}


def canonical(value: Value, depth: int = _DEEPEST) -> Value:
    """Return the one form that every equal value has; ValueError where it is no wire value.

    DynamoDB Local shows an empty map as ``{}`` without a type letter: read as an empty map.
    """
    if not isinstance(value, MAPPING) or len(value) > 1:
        raise ValueError("not a value with one type letter")
    for letter, content in value.items():
        scalar = _CANONICAL.get(letter)
        if scalar:
            form = scalar(content)
            return value if form is content else {letter: form}  # as it came, where that is canonical
        if letter not in _NESTED:
            raise ValueError("not a value with one type letter")
        if not depth:
            raise ValueError(f"nested deeper than {MAX_DEPTH} levels")
        return {letter: _NESTED[letter](content, depth - 1)}
    return {"M": {}}


def canonical_image(image: Image) -> Image:
    """Return the image with every value canonical and its attributes sorted."""
    return {name: canonical(image[name]) for name in sorted(image)}


def canonical_text(value: Value) -> str:
    """Serialise a value so that equal values have equal bytes."""
    return stable_json(canonical(value))


def members_of(value: Value | None) -> Mapping[str, Value] | None:
    """Return a map's members, as they came; None where the value is no map."""
    members = value.get("M", None if value else {}) if isinstance(value, MAPPING) else None
    return members if isinstance(members, MAPPING) else None


def whole(value: Value | None) -> int | None:
    """Return a whole number; None where it is none, or where one more could pass 38 digits."""
    try:
        text = canonical_number(value["N"])  # type: ignore[index]  # what has no number raises
    except (KeyError, TypeError, AttributeError, ValueError):
        return None
    return int(text) if "." not in text and len(text) < MAX_DIGITS else None


def same(left: Value | None, right: Value | None) -> bool:
    """Say whether two values are equal to DynamoDB, whatever their spelling; a broken one is equal to itself alone."""
    if left == right:
        return True
    if left is None or right is None or _differ(left, right):
        return False
    try:
        return canonical(left) == canonical(right)
    except ValueError:
        return False


def _differ(left: Any, right: Any) -> bool:  # noqa: ANN401 - whatever the wire held
    """Say whether two values differ at first sight, however spelt: by type, by a text, or by a map's names."""
    if not (isinstance(left, MAPPING) and isinstance(right, MAPPING)):
        return False
    if left.keys() != right.keys():
        return bool(left and right)  # `{}` is an empty map
    if "S" in left:
        return bool(left["S"] != right["S"])
    ours, theirs = left.get("M"), right.get("M")
    if not (isinstance(ours, MAPPING) and isinstance(theirs, MAPPING)):
        return False
    return ours.keys() != theirs.keys() or any(_differ(ours[name], theirs[name]) for name in ours)


def digest(image: Image) -> str:
    """Return a short digest of an image or key: what logs may show of it."""
    text = canonical_text({"M": image})
    return blake2b(text.encode("utf-8", "surrogatepass"), digest_size=_DIGEST_BYTES).hexdigest()


def plain(value: Value) -> Any:  # noqa: ANN401 - any Python value
    """Return the value as boto3's resources give it: str, Decimal, bytes, set, list, dict, bool, None."""
    for letter, content in value.items():
        return _PLAIN[letter](content)
    return {}


_decimal = lru_cache(maxsize=4096)(Decimal)  # ledgers name the same stamps, over and over
_PLAIN: dict[str, Callable[[Any], Any]] = {
    "S": str,
    "N": Decimal,
    "B": b64decode,
    "BOOL": bool,
    "NULL": lambda _: None,
    "SS": set,
    "NS": lambda content: set(map(_decimal, content)),
    "BS": lambda content: set(map(b64decode, content)),
    "L": lambda content: list(map(plain, content)),
    "M": lambda content: {name: plain(member) for name, member in content.items()},
}


def plain_image(image: Image) -> dict[str, Any]:
    """Return an item as boto3's resources give it."""
    return {name: plain(value) for name, value in image.items()}


def from_plain(value: Any) -> Value:  # noqa: ANN401 - any Python value
    """Return a boto3-style value in canonical wire form; ValueError says why DynamoDB cannot hold it."""
    typed = _typed(value, MAX_DEPTH)
    return typed if typed.keys() <= SCALARS else canonical(typed)


def _typed(value: Any, depth: int) -> Value:  # noqa: ANN401, C901, PLR0911 - as in `plain`
    if depth < 0:
        raise ValueError(f"nested deeper than {MAX_DEPTH} levels")
    match value:
        case str():
            return {"S": _encodable(value)}
        case None:
            return {"NULL": True}
        case bool():
            return {"BOOL": value}
        case int() | Decimal():
            return {"N": number_text(Decimal(value))}
        case float():
            raise ValueError("a float is not exact; use int or Decimal")
        case bytes() | bytearray():
            return {"B": b64encode(value).decode()}
        case list() | tuple():
            return {"L": [_typed(element, depth - 1) for element in value]}
        case Mapping():
            return {"M": {attribute_name(name): _typed(element, depth - 1) for name, element in value.items()}}
        case AbstractSet():
            return typed_set(value, depth)
        case _ if isinstance(getattr(value, "value", None), bytes):  # boto3's Binary
            return {"B": b64encode(value.value).decode()}
        case _:
            raise ValueError(f"DynamoDB has no type for {type(value).__name__}")


def attribute_name(name: object) -> str:
    """Return the name; ValueError where no attribute or map member can have it."""
    if not isinstance(name, str):
        raise ValueError("names are text")  # noqa: TRY004 - one error type for every value DynamoDB cannot hold
    return _encodable(name)


def _encodable(text: str) -> str:
    try:
        text.encode()
    except UnicodeEncodeError:
        raise ValueError("text that UTF-8 cannot encode") from None
    return text


def typed_set(elements: Iterable[Any], depth: int = MAX_DEPTH) -> Value:
    """Return a set in wire form; ValueError where it is empty or its elements are not all S, all N or all B."""
    scalars = [_typed(element, depth - 1) for element in elements]
    letters = {letter for scalar in scalars for letter in scalar}
    if not scalars:
        raise ValueError("a set is never empty")
    if len(letters) > 1 or not letters <= set(SET_TYPES.values()):
        raise ValueError("a set holds only text, only numbers or only binary")
    letter = letters.pop()
    return {f"{letter}S": [scalar[letter] for scalar in scalars]}
