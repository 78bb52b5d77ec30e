"""JSON and exact values: floats that Lambda parsed become decimal; what JSON cannot hold becomes what it can."""

from base64 import b64encode
from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from decimal import Decimal
from typing import Any


def exact_numbers(value: Any) -> Any:  # noqa: ANN401 - any JSON value
    """Return the value with each float as the decimal that its text said: floats hold 15 digits, integers any."""
    match value:
        case float():
            return Decimal(repr(value))
        case Mapping():
            return {name: exact_numbers(member) for name, member in value.items()}
        case list() | tuple():
            return [exact_numbers(member) for member in value]
        case _:
            return value


def json_ready(value: Any) -> Any:  # noqa: ANN401 - any boto3-style value
    """Return the value as JSON holds it: sets as sorted lists, binary as base64, decimals as numbers.

    A decimal that a float would round is text, so that no digit is lost.
    """
    match value:
        case Decimal():
            return _json_number(value)
        case bytes():
            return b64encode(value).decode()
        case Mapping():
            return {name: json_ready(member) for name, member in value.items()}
        case AbstractSet():
            return [json_ready(member) for member in sorted(value)]
        case Sequence() if not isinstance(value, str):
            return [json_ready(member) for member in value]
        case _:
            return value


def _json_number(number: Decimal) -> int | float | str:
    if number == number.to_integral_value():
        return int(number)
    rounded = float(number)
    return rounded if Decimal(repr(rounded)) == number else f"{number:f}"
