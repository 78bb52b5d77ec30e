"""Binary values: base64 text on the core's wire, bytes in boto3's clients; everything else is the same in both.

What holds no binary is passed on as it is, not copied.
"""

from base64 import b64decode, b64encode
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from reconciler.errors import ItemError
from reconciler.wire import Image


def to_boto(image: Image) -> dict[str, Any]:
    """Return the image as boto3's clients take it; ItemError names the attribute that is no wire value."""
    return {name: to_boto_value(name, value) for name, value in image.items()}


def to_boto_value(name: str, value: Any) -> Any:  # noqa: ANN401 - boto3's own types are unions of everything
    """Return one attribute's value as boto3's clients take it."""
    try:
        return _converted(value, _bytes)
    except (AttributeError, TypeError, ValueError):
        raise ItemError(name, "is not a value that DynamoDB knows") from None


def from_boto(item: Mapping[str, Any]) -> Image:
    """Return an item of a boto3 client on the core's wire."""
    return {name: _converted(value, _text) for name, value in item.items()}


_THE_SAME = frozenset({"S", "N", "BOOL", "NULL", "SS", "NS"})
_bytes = partial(b64decode, validate=True)


def _text(content: bytes) -> str:
    return b64encode(content).decode()


def _converted(value: Mapping[str, Any], scalar: Callable[[Any], Any]) -> Mapping[str, Any]:
    for letter, content in value.items():
        match letter:
            case "B":
                return {letter: scalar(content)}
            case "BS":
                return {letter: [scalar(element) for element in content]}
            case "M":
                changed = {
                    name: new
                    for name, member in content.items()
                    if not _is_the_same(member) and (new := _converted(member, scalar)) is not member
                }
                return {letter: {**content, **changed}} if changed else value
            case "L":
                elements = [_converted(element, scalar) for element in content]
                return {letter: elements} if any(map(_differ, elements, content)) else value
            case _:
                return value
    return {"M": {}}  # DynamoDB Local's streams show an empty map so


def _is_the_same(value: object) -> bool:
    """Say at first sight that a value is one that both write alike."""
    return type(value) is dict and len(value) == 1 and _THE_SAME.issuperset(value)


def _differ(left: object, right: object) -> bool:
    return left is not right
