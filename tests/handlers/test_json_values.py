"""JSON and exact values."""

import json
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from handlers.json_values import exact_numbers, json_ready


@pytest.mark.parametrize(
    ("parsed", "exact"),
    [
        (0.1, Decimal("0.1")),
        (1e30, Decimal("1e30")),
        (3, 3),
        (True, True),
        ({"a": [1.5, {"b": 2.5}], "t": (0.5,)}, {"a": [Decimal("1.5"), {"b": Decimal("2.5")}], "t": [Decimal("0.5")]}),
        ("1.5", "1.5"),
        (None, None),
    ],
)
def test_a_float_becomes_the_decimal_that_its_text_said(parsed, exact):
    """What a client typed as 0.1 is 0.1, not 0.1000000000000000055."""
    assert exact_numbers(parsed) == exact


@pytest.mark.parametrize(
    ("value", "ready"),
    [
        (Decimal(42), 42),
        (Decimal("4.20"), 4.2),
        (Decimal("0.1234567890123456789012"), "0.1234567890123456789012"),
        (Decimal("1e37"), 10**37),
        (b"\x00\xff", "AP8="),
        ({"b", "a"}, ["a", "b"]),
        ({Decimal(2), Decimal(1)}, [1, 2]),
        ([{"a": None}], [{"a": None}]),
        ("text", "text"),
        (True, True),
    ],
)
def test_what_json_cannot_hold_becomes_what_it_can(value, ready):
    """No digit is lost: a decimal that a float would round is text."""
    assert json_ready(value) == ready
    assert json.loads(json.dumps(json_ready(value))) == ready


@given(st.decimals(allow_nan=False, allow_infinity=False, places=3, min_value=-(10**9), max_value=10**9))
def test_a_number_comes_back_as_it_went(number):
    """Out through JSON and in again: the same number."""
    assert exact_numbers(json.loads(json.dumps(json_ready(number)))) == number
