"""Sizes are counted as DynamoDB counts them."""

import pytest

from reconciler.size import item_bytes, value_bytes
from reconciler.wire import from_plain


@pytest.mark.parametrize(
    ("value", "size"),
    [
        ("", 0),
        ("abc", 3),
        ("é", 2),
        ("\U0001f600", 4),
        (0, 2),
        (7, 2),
        (42, 2),
        (100, 2),
        (123, 3),
        (-123, 4),
        (10**37, 2),
        (10**38 - 1, 20),
        (-(10**38) + 1, 21),
        (b"", 0),
        (b"a", 1),
        (b"ab", 2),
        (b"abc", 3),
        (True, 1),
        (None, 1),
        ([], 3),
        (["a", "b"], 7),
        ({}, 3),
        ({"a": "b"}, 6),
        ({"a": ["b"]}, 10),
        ({"x", "yz"}, 3),
        ({1, 2}, 4),
        ({b"a", b"bc"}, 3),
    ],
)
def test_the_size_of_a_value(value, size):
    """Text counts its UTF-8 bytes, two digits a byte, containers three bytes and one for each member."""
    assert value_bytes(from_plain(value)) == size


def test_an_item_counts_names_and_values():
    """A name costs what it holds, each time."""
    assert item_bytes({"Id": {"S": "x"}, "Größe": {"N": "1"}}) == 2 + 1 + 7 + 2


def test_an_empty_map_without_its_letter_has_a_size():
    """DynamoDB Local's spelling of an empty map counts as one."""
    assert value_bytes({}) == value_bytes({"M": {}})
