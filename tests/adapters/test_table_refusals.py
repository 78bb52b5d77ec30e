"""The contract's other half: what every engine refuses, as the same fault; `engines.DIFFERENCES` names who does not."""

from collections.abc import Callable, Mapping

import pytest

from reconciler.change import Change, change_between
from reconciler.errors import ItemError, KeySchemaError, ReconcilerError, TooLargeError, TransientError
from reconciler.ports import Table, Written
from reconciler.wire import Image, Value

KEY: Image = {"Id": {"S": "sub-1"}, "At": {"B": "AP8="}}
OTHER_KEY: Image = {"Id": {"S": "sub-1"}, "At": {"B": "AQ=="}}
CALL = "token-1"
MAX_ITEM_BYTES = 400 << 10
LEVELS = 32

VALUES: Mapping[str, tuple[Value, type[ReconcilerError]]] = {
    "a_number_of_39_digits": ({"N": "1" * 39}, ItemError),
    "a_number_beyond_the_range": ({"N": "1E126"}, ItemError),
    "a_number_below_the_range": ({"N": "1E-131"}, ItemError),
    "a_number_that_is_none": ({"N": "NaN"}, ItemError),
    "a_number_without_digits": ({"N": ""}, ItemError),
    "an_empty_set": ({"SS": []}, ItemError),
    "an_element_twice_in_a_set": ({"SS": ["a", "a"]}, ItemError),
    "an_element_twice_in_another_spelling": ({"NS": ["1", "1.0"]}, ItemError),
    "two_types_in_one_value": ({"S": "1", "N": "1"}, ItemError),
}
HALF_A_KEY: Image = {"Id": {"S": "sub-1"}}
KEYS: Mapping[str, Image] = {
    "a_key_without_its_sort_key": HALF_A_KEY,
    "a_key_of_another_type": {**KEY, "Id": {"N": "1"}},
}


def creation(image: Image, key: Image = KEY) -> Change:
    """Return the change that creates the item."""
    return change_between(key, None, image, ())


def nested(levels: int) -> Value:
    """Return a map of so many levels."""
    return {"M": {"in": nested(levels - 1)}} if levels else {"S": "x"}


@pytest.mark.parametrize("case", VALUES)
def test_a_value_that_dynamodb_does_not_hold_is_refused(table: Table, case: str) -> None:
    """Alone or in a transaction: the item is at fault, and nothing is written."""
    value, fault = VALUES[case]
    with pytest.raises(fault):
        table.write(creation({**KEY, "Data": value}))
    with pytest.raises(fault):
        table.transact([creation({**OTHER_KEY, "Data": {"S": "x"}}, OTHER_KEY), creation({**KEY, "Data": value})], CALL)
    assert (table.read(KEY), table.read(OTHER_KEY)) == (None, None)


@pytest.mark.parametrize("case", ["more_than_32_levels"])
def test_an_item_that_is_too_deep_is_too_large(table: Table, case: str) -> None:
    """Just as many levels as DynamoDB allows are stored, one more is not."""
    assert table.write(creation({**OTHER_KEY, "Data": nested(LEVELS - 1)}, OTHER_KEY)) == Written()
    with pytest.raises(TooLargeError):
        table.write(creation({**KEY, "Data": nested(LEVELS)}))


@pytest.mark.parametrize("case", KEYS)
def test_a_key_that_is_not_the_table_s_is_a_wrong_deployment(table: Table, case: str) -> None:
    """The policy file and the table disagree: every item would share it."""
    with pytest.raises(KeySchemaError):
        table.write(creation({**KEYS[case], "Data": {"S": "x"}}, KEYS[case]))


READS: Mapping[str, Callable[[Table], object]] = {
    "reading_by_half_a_key": lambda table: table.read(HALF_A_KEY),
    "reading_by_a_key_of_another_type": lambda table: table.read(KEYS["a_key_of_another_type"]),
}


@pytest.mark.parametrize("case", READS)
def test_a_read_by_a_key_that_is_not_the_table_s_is_a_wrong_deployment(table: Table, case: str) -> None:
    """A read says so too."""
    with pytest.raises(KeySchemaError):
        READS[case](table)


def test_a_transaction_names_an_item_once(table: Table) -> None:
    """Two changes of one item are refused, and neither is made."""
    changes = [creation({**KEY, "Data": {"S": text}}) for text in "ab"]
    with pytest.raises(ItemError):
        table.transact(changes, CALL)
    assert table.read(KEY) is None


@pytest.mark.parametrize("count", [0, 101])
def test_a_transaction_has_one_to_a_hundred_changes(table: Table, count: int) -> None:
    """Neither none nor more than DynamoDB takes."""
    keys: list[Image] = [{**KEY, "Id": {"S": f"sub-{number}"}} for number in range(count)]
    with pytest.raises(ItemError):
        table.transact([creation(key, key) for key in keys], CALL)


def test_a_token_makes_a_transaction_once(table: Table) -> None:
    """Sent again with its token, it is the same call: its conditions are not asked again."""
    changes = [creation({**KEY, "Data": {"S": "x"}})]
    assert [table.transact(changes, CALL), table.transact(changes, CALL)] == [Written(), Written()]


def test_a_token_is_of_one_transaction(table: Table) -> None:
    """Another transaction may succeed with a token of its own."""
    table.transact([creation(KEY)], CALL)
    with pytest.raises(TransientError):
        table.transact([creation(OTHER_KEY, OTHER_KEY)], CALL)
    assert table.read(OTHER_KEY) is None


def test_an_item_of_just_400_kb_is_stored(table: Table) -> None:
    """Names and values count by their bytes, the sort key's binary by what it holds."""
    names_and_keys = len("Id") + len("sub-1") + len("At") + len(b"\0\xff") + len("Data")
    text = "x" * (MAX_ITEM_BYTES - names_and_keys)
    assert table.write(creation({**KEY, "Data": {"S": text}})) == Written()
