"""Stream records: read as values, refused as a batch, or told to be broken by the member that is."""

from typing import Any

import pytest

from reconciler.errors import ConfigurationError, ItemError
from reconciler.policy import Policy
from reconciler.records import (
    StreamRecord,
    key_id,
    parse_record,
    refuse_misconfiguration,
    sequence_number_of,
)
from tests.worker.replicas import KEY, NOW, POLICY, policy, raw_record

IMAGE = {**KEY, "Data": {"S": "v"}}


def changed(**members: Any) -> dict[str, Any]:
    """Return a good record with some members of its body changed, or (None) left out."""
    record = raw_record("MODIFY", IMAGE, IMAGE)
    body = {name: value for name, value in {**record["dynamodb"], **members}.items() if value is not None}
    return {**record, "dynamodb": body}


@pytest.mark.parametrize(
    ("operation", "old", "new"),
    [("INSERT", None, IMAGE), ("MODIFY", IMAGE, {**IMAGE, "Data": {"S": "w"}}), ("REMOVE", IMAGE, None)],
)
def test_a_record_is_read_whole(operation: str, old: Any, new: Any) -> None:
    """Each operation has the images that it has; the time is in milliseconds."""
    record = parse_record(raw_record(operation, old, new, "7"))
    assert record == StreamRecord(
        operation, KEY, old, new, sequence_number_of(raw_record("REMOVE", {}, None, "7")), NOW
    )


@pytest.mark.parametrize(
    ("record", "place"),
    [
        (None, "record"),
        (5, "record"),
        ([], "record"),
        ({}, "record"),
        ({"eventName": "MODIFY"}, "dynamodb"),
        ({"eventName": "MODIFY", "dynamodb": []}, "dynamodb"),
        ({**changed(), "eventName": "UPSERT"}, "eventName"),
        ({**changed(), "eventName": ["MODIFY"]}, "eventName"),
        (changed(Keys=None), "dynamodb.Keys"),
        (changed(Keys={}), "dynamodb.Keys"),
        (changed(Keys={"Id": "x"}), "dynamodb.Keys.Id"),
        (changed(Keys={"Id": {}}), "dynamodb.Keys.Id"),
        (changed(Keys={"Id": {"S": ["x"]}}), "dynamodb.Keys.Id"),
        (changed(Keys={"Id": {"S": "x", "N": "1"}}), "dynamodb.Keys.Id"),
        (changed(Keys={"Id": {"BOOL": "x"}}), "dynamodb.Keys.Id"),
        (changed(OldImage=None), "dynamodb.OldImage"),
        (changed(NewImage=None), "dynamodb.NewImage"),
        (changed(NewImage="x"), "dynamodb.NewImage"),
        (changed(OldImage={"Id": "x"}), "dynamodb.OldImage.Id"),
        (raw_record("INSERT", IMAGE, None), "dynamodb.NewImage"),
        (raw_record("REMOVE", None, IMAGE), "dynamodb.OldImage"),
    ],
)
def test_a_broken_record_names_its_member(record: Any, place: str) -> None:
    """What is missing or impossible is said; values are not."""
    with pytest.raises(ItemError) as caught:
        parse_record(record)
    assert caught.value.attribute == place


@pytest.mark.parametrize("time", [None, "now", float("nan"), float("inf")])
def test_a_record_without_a_usable_time_has_none(time: Any) -> None:
    """The time is no order: without it a record is still a record."""
    assert parse_record(changed(ApproximateCreationDateTime=time)).at_ms is None


@pytest.mark.parametrize("record", [None, {}, {"dynamodb": 5}, changed(SequenceNumber=None), changed(SequenceNumber=5)])
def test_a_record_without_a_sequence_number_cannot_be_reported(record: Any) -> None:
    """The number is empty, and never a wrong one: a wrong identifier fails a whole batch."""
    assert sequence_number_of(record) == ""


def test_keys_of_two_types_are_two_keys() -> None:
    """The text 1 and the number 1 are different items."""
    assert key_id({"Id": {"S": "1"}}, ["Id"]) != key_id({"Id": {"N": "1"}}, ["Id"])


@pytest.mark.parametrize(
    ("record", "message"),
    [
        ({**changed(), "eventSource": "aws:sqs"}, "a record of 'aws:sqs'"),
        (changed(StreamViewType="KEYS_ONLY"), "view type is 'KEYS_ONLY'; it must be NEW_AND_OLD_IMAGES"),
        (changed(Keys={"Other": {"S": "x"}}), r"key is \['Other'\], the policy's \['Id'\]"),
        (changed(Keys={"Id": {"S": "x"}, "At": {"S": "t"}}), r"key is \['At', 'Id'\], the policy's \['Id'\]"),
        (changed(Keys={"Id": {"S": "x"}, 5: {"S": "t"}}), "the records' key is"),
    ],
)
@pytest.mark.parametrize("others", [[], [changed(), None, {"dynamodb": 5}]])
def test_a_fault_that_every_record_would_share_is_refused_loudly(record: Any, message: str, others: list[Any]) -> None:
    """One record that shows it is enough, wherever it stands."""
    with pytest.raises(ConfigurationError, match=message):
        refuse_misconfiguration([*others, record], POLICY)


def test_a_good_batch_is_not_refused() -> None:
    """Neither are records that say nothing of source or view, nor broken ones: those are poison, one by one."""
    silent = changed(StreamViewType=None, Keys={})
    del silent["eventSource"]
    assert not is_refused([changed(), silent, None, {"dynamodb": None}], POLICY)
    assert not is_refused([changed(Keys={"Id": {"S": "x"}, "At": {"S": "t"}})], policy(sort_key="At"))
    assert is_refused([changed()], policy(sort_key="At"))


def is_refused(records: list[Any], rules: Policy) -> bool:
    """Say whether the batch is refused as a whole."""
    try:
        refuse_misconfiguration(records, rules)
    except ConfigurationError:
        return True
    return False
