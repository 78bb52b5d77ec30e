"""Wire values: lossless, and of one form wherever bytes are compared."""

from decimal import Decimal, localcontext
from typing import Any

import pytest
from boto3.dynamodb.types import Binary, TypeDeserializer, TypeSerializer
from hypothesis import given, settings
from hypothesis import strategies as st

from reconciler.wire import (
    EXACT,
    MAX_DEPTH,
    canonical,
    canonical_image,
    canonical_number,
    canonical_text,
    digest,
    from_plain,
    members_of,
    number_text,
    plain,
    plain_image,
    same,
    typed_set,
    whole,
)
from tests.core.strategies import NUMBERS, VALUES


def nested(depth: int) -> list[Any]:
    """Return a list in a list, so many times."""
    value: list[Any] = []
    for _ in range(depth - 1):
        value = [value]
    return value


@given(VALUES)
def test_what_python_writes_it_reads_back(value):
    """Text, numbers to 38 digits, binary, sets, null and any nesting come back as they went."""
    assert _typed(plain(from_plain(value))) == _typed(value)


def _typed(value):
    """Tell 1 from True, and Decimal from int no more than DynamoDB does."""
    match value:
        case dict():
            return {name: _typed(member) for name, member in value.items()}
        case list():
            return [_typed(member) for member in value]
        case set() | frozenset():
            return {_typed(member) for member in value}
        case bool() | str() | bytes() | None:
            return type(value), value
        case _:
            return Decimal, Decimal(value)


@given(VALUES)
def test_the_canonical_form_is_a_fixed_point(value):
    """Canonical once is canonical for good, and what Python writes is canonical already."""
    wire = from_plain(value)
    assert canonical(wire) == wire
    assert canonical_text(wire) == canonical_text(canonical(wire))


@given(VALUES)
def test_boto3_reads_and_writes_the_same_values(value):
    """Nothing here differs from boto3's own view of a value, but for binary: base64 here, bytes there."""
    if "BS" not in str(from_plain(value)) and "'B'" not in str(from_plain(value)):
        assert same(from_plain(value), TypeSerializer().serialize(value))
        assert TypeDeserializer().deserialize(from_plain(value)) == plain(from_plain(value))


@given(VALUES, VALUES)
def test_same_is_equality_of_canonical_bytes(left, right):
    """Two values are the same exactly where their canonical texts are."""
    one, other = from_plain(left), from_plain(right)
    assert same(one, other) == (canonical_text(one) == canonical_text(other))


@given(NUMBERS)
@settings(max_examples=300)
def test_a_number_has_one_text(number):
    """Every spelling of a number is written alike, without an exponent, and loses no digit."""
    text = number_text(number)
    assert "e" not in text.lower()
    assert Decimal(text) == number
    assert {canonical_number(spelling) for spelling in (str(number), f"{number:E}", f"{number:f}", text)} == {text}


@pytest.mark.parametrize(
    ("spelling", "text"),
    [
        ("0", "0"),
        ("-0", "0"),
        ("0.00", "0"),
        ("0E+20", "0"),
        ("0E-500", "0"),
        ("007", "7"),
        ("+5", "5"),
        ("1.50", "1.5"),
        ("100", "100"),
        ("1E2", "100"),
        ("1e-3", "0.001"),
        ("-12.0", "-12"),
        ("9" * 38, "9" * 38),
        ("9" * 38 + "0" * 87, "9" * 38 + "0" * 87),
        ("0." + "1" * 38, "0." + "1" * 38),
        ("1E125", "1" + "0" * 125),
        ("1E-130", "0." + "0" * 129 + "1"),
    ],
)
def test_spellings_of_numbers(spelling, text):
    """Signs, zeros and exponents that mean nothing are gone."""
    assert canonical_number(spelling) == text


@pytest.mark.parametrize(
    ("spelling", "problem"),
    [
        ("", "not a number"),
        ("x", "not a number"),
        ("1,5", "not a number"),
        ("0x1", "not a number"),
        ("1_000", "not a number"),
        (" 1", "not a number"),
        ("1\n", "not a number"),
        ("\u0661", "not a number"),
        ("\uff11", "not a number"),
        ("NaN", "not a finite number"),
        ("sNaN", "not a finite number"),
        ("-Infinity", "not a finite number"),
        ("9" * 39, "more than 38 digits"),
        ("1" + "0" * 37 + "1", "more than 38 digits"),
        ("0." + "1" * 39, "more than 38 digits"),
        ("1E126", "beyond DynamoDB's range"),
        ("-1E126", "beyond DynamoDB's range"),
        ("1E-131", "beyond DynamoDB's range"),
        ("1E+999999999", "beyond DynamoDB's range"),
        ("1E-999999999", "beyond DynamoDB's range"),
    ],
)
def test_what_is_no_number_of_dynamodb(spelling, problem):
    """Nothing is rounded or cut, and a huge exponent costs no memory."""
    with pytest.raises(ValueError, match=problem):
        canonical_number(spelling)


def test_numbers_do_not_depend_on_the_callers_context():
    """An application that computes with few digits, and traps nothing, changes no stored number."""
    with localcontext() as context:
        context.prec = 3
        context.clear_traps()
        assert canonical_number("1.2345678901234567890") == "1.234567890123456789"
        assert plain({"N": "12345.678"}) == Decimal("12345.678")
        with pytest.raises(ValueError, match="not a"):
            canonical_number("x")


def test_sums_are_exact_over_the_whole_range():
    """The greatest and the smallest number that DynamoDB holds have an exact sum."""
    total = EXACT.add(Decimal("1E125"), Decimal("1E-130"))
    assert EXACT.subtract(total, Decimal("1E125")) == Decimal("1E-130")


@pytest.mark.parametrize(
    ("left", "right"),
    [
        ({"N": "1.0"}, {"N": "1"}),
        ({"SS": ["b", "a", "a"]}, {"SS": ["a", "b"]}),
        ({"NS": ["10", "9.0"]}, {"NS": ["9", "1E1"]}),
        ({"BS": ["Yg==", "YQ=="]}, {"BS": ["YQ==", "Yg=="]}),
        ({"M": {"b": {"N": "1"}, "a": {}}}, {"M": {"a": {"M": {}}, "b": {"N": "1.0"}}}),
        ({}, {"M": {}}),
        ({"M": {"a": {"S": "x"}, "b": {}}}, {"M": {"b": {"M": {}}, "a": {"S": "x"}}}),
        ({"L": [{"N": "2.0"}]}, {"L": [{"N": "2"}]}),
    ],
)
def test_spellings_of_one_value(left, right):
    """Order inside a set or map, repeats, zeros and a missing letter of an empty map mean nothing."""
    assert canonical_text(left) == canonical_text(right)
    assert same(left, right)
    assert same(right, left)


def test_sets_are_sorted_by_value():
    """Numbers by size, binary by bytes, text by code point."""
    assert canonical({"NS": ["10", "9", "-1"]}) == {"NS": ["-1", "9", "10"]}
    assert canonical({"BS": ["/w==", "AA=="]}) == {"BS": ["AA==", "/w=="]}
    assert canonical({"SS": ["b", "B", "a"]}) == {"SS": ["B", "a", "b"]}


@pytest.mark.parametrize(
    ("value", "problem"),
    [
        (None, "one type letter"),
        ("x", "one type letter"),
        ([], "one type letter"),
        ({"X": "x"}, "one type letter"),
        ({"S": "x", "N": "1"}, "one type letter"),
        ({"S": 1}, "not text"),
        ({"S": None}, "not text"),
        ({"N": 1}, "not text"),
        ({"N": "one"}, "not a number"),
        ({"B": b"x"}, "not text"),
        ({"B": "?"}, "not base64"),
        ({"B": "YQ"}, "not base64"),
        ({"BOOL": "true"}, "not a boolean"),
        ({"NULL": 1}, "not a boolean"),
        ({"SS": []}, "not a list of set elements"),
        ({"SS": "ab"}, "not a list of set elements"),
        ({"SS": {"a"}}, "not a list of set elements"),
        ({"SS": [1]}, "not text"),
        ({"NS": ["x"]}, "not a number"),
        ({"BS": ["?"]}, "not base64"),
        ({"L": {}}, "not a list"),
        ({"L": ["x"]}, "one type letter"),
        ({"M": []}, "not a map"),
        ({"M": {"a": "x"}}, "one type letter"),
        ({"M": {1: {"S": "x"}}}, "not text"),
    ],
)
def test_what_is_no_wire_value(value, problem):
    """Every broken value is one kind of error, whichever way it is broken."""
    with pytest.raises(ValueError, match=problem):
        canonical(value)


def test_nesting_has_a_bound():
    """DynamoDB's 32 levels pass; a stack is never exhausted by a deeper value."""
    assert plain(from_plain(nested(MAX_DEPTH))) == nested(MAX_DEPTH)
    with pytest.raises(ValueError, match="deeper than 32"):
        from_plain(nested(MAX_DEPTH + 2))
    sets = frozenset({"x"})
    for _ in range(500):
        sets = frozenset({sets})
    with pytest.raises(ValueError, match="deeper than 32"):
        from_plain(sets)
    deep = {"S": "x"}
    for _ in range(500):
        deep = {"L": [deep]}
    with pytest.raises(ValueError, match="deeper than 32"):
        canonical(deep)


@pytest.mark.parametrize(
    ("value", "problem"),
    [
        (1.5, "a float is not exact"),
        (float("nan"), "a float is not exact"),
        (Decimal("NaN"), "not a finite number"),
        (Decimal("Infinity"), "not a finite number"),
        (10**38 + 1, "more than 38 digits"),
        pytest.param(10**5000, "beyond DynamoDB's range", id="huge"),
        (set(), "never empty"),
        (frozenset(), "never empty"),
        ({"a", 1}, "only text, only numbers or only binary"),
        ({True}, "only text, only numbers or only binary"),
        ({None}, "only text, only numbers or only binary"),
        ({("a",)}, "only text, only numbers or only binary"),
        ({1: "a"}, "names are text"),
        ({"a": {None: 1}}, "names are text"),
        ("\ud800", "UTF-8 cannot encode"),
        ({"\udfff": 1}, "UTF-8 cannot encode"),
        (["a", object()], "no type for object"),
        (1 + 2j, "no type for complex"),
        (range(3), "no type for range"),
    ],
)
def test_what_dynamodb_cannot_hold(value, problem):
    """Each value that has no exact place in DynamoDB says why."""
    with pytest.raises(ValueError, match=problem):
        from_plain(value)


@pytest.mark.parametrize(
    ("value", "wire"),
    [
        (Binary(b"a"), {"B": "YQ=="}),
        (bytearray(b"a"), {"B": "YQ=="}),
        (("a", 1), {"L": [{"S": "a"}, {"N": "1"}]}),
        (True, {"BOOL": True}),
        (1, {"N": "1"}),
        (frozenset({2, 10}), {"NS": ["2", "10"]}),
        ({1, Decimal("1.0")}, {"NS": ["1"]}),
    ],
)
def test_python_values_in_wire_form(value, wire):
    """What boto3 accepts is accepted, and True is not 1."""
    assert from_plain(value) == wire


def test_an_empty_map_may_lack_its_letter():
    """DynamoDB Local's stream shows `{}`: it is read as an empty map everywhere."""
    assert plain({}) == {}
    assert members_of({}) == {}
    assert canonical({"M": {"a": {}}}) == {"M": {"a": {"M": {}}}}


@pytest.mark.parametrize("value", [None, 5, "M", ["M"], {"S": "x"}, {"M": 5}, {"M": ["a"]}, {"M": None}])
def test_what_is_no_map_has_no_members(value):
    """Anything but a map has none, whatever its shape."""
    assert members_of(value) is None


@pytest.mark.parametrize(
    ("value", "number"),
    [
        ({"N": "7"}, 7),
        ({"N": "-7.0"}, -7),
        ({"N": "1E3"}, 1000),
        ({"N": "9" * 37}, 10**37 - 1),
        ({"N": "9" * 38}, None),
        ({"N": "1E125"}, None),
        ({"N": "0.5"}, None),
        ({"N": "x"}, None),
        ({"N": 7}, None),
        ({"S": "7"}, None),
        ({}, None),
        (None, None),
        ("7", None),
    ],
)
def test_whole_numbers(value, number):
    """A whole number that one more cannot take past 38 digits, or none."""
    assert whole(value) == number


def test_a_broken_value_is_the_same_as_itself_alone():
    """Two images that cannot be read are compared as they came, and nothing raises."""
    assert same({"S": 5}, {"S": 5})
    assert not same({"S": 5}, {"S": "5"})
    assert not same({"N": "one"}, {"N": "two"})
    assert not same({"M": {"a": 5}}, {"M": {"a": {"S": "x"}}})
    assert not same("x", {"S": "x"})
    assert not same({"N": "1"}, {"S": "1"})
    assert not same({}, {"M": {"a": {"S": "x"}}})
    assert not same(None, {"S": "x"})
    assert not same({"S": "x"}, None)
    assert same(None, None)


def test_an_image_is_sorted_and_read_back():
    """An item's attributes have one order, and become what boto3's resources give."""
    image = {"b": {"N": "1.0"}, "a": {"SS": ["z", "y"]}}
    assert list(canonical_image(image).items()) == [("a", {"SS": ["y", "z"]}), ("b", {"N": "1"})]
    assert plain_image(image) == {"a": {"y", "z"}, "b": 1}


def test_a_digest_tells_values_apart_and_shows_none():
    """Equal images have one short digest; text that no encoding holds has one too."""
    assert digest({"Id": {"N": "1.0"}}) == digest({"Id": {"N": "1"}}) != digest({"Id": {"S": "1"}})
    assert len(digest({"Id": {"S": "\ud800"}})) == 32


@given(st.lists(st.integers(-5, 5), min_size=1))
def test_a_set_of_elements_in_any_order(elements):
    """A list of elements becomes the set of them."""
    assert canonical(typed_set(elements)) == from_plain(set(elements))
