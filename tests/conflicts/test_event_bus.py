"""The event bus: every event arrives, within the service's limits, with word of what was left out."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

import boto3
import pytest
from moto import mock_aws

from reconciler.adapters.event_bus import MAX_BYTES, EventBus, size_of
from reconciler.conflict import MAX_NAME_CHARACTERS, MAX_NAMES
from reconciler.conflict_event import event_of
from reconciler.stamps import WriteId
from tests.conflicts.conflicts import CONFLICT, NOW, conflict
from tests.conflicts.schema import problems

REGION = "us-east-1"
LARGE = {"S": "x" * (300 << 10)}


@pytest.fixture
def aws(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A bus whose events reach a queue."""
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "testing")
    with mock_aws():
        yield


def refusing(*refused: int) -> Any:
    """Return a `put_events` that refuses the entries at these positions."""

    def put_events(Entries: list[Any]) -> Mapping[str, Any]:  # noqa: N803 - boto3's own name
        told = [{"ErrorCode": "ThrottlingException"} if at in refused else {} for at in range(len(Entries))]
        return {"FailedEntryCount": len(refused), "Entries": told}

    return put_events


def entry(bus: EventBus, told: Any) -> Any:
    """Return the entry of a conflict."""
    return bus.entry_of(told, repaired=True, now_ms=NOW)


def test_an_event_arrives_as_it_was_told(aws: None) -> None:
    """A rule on the bus sees source, type and the whole event, and can choose by what it holds."""
    pytest.importorskip("jsonpath_ng", reason="moto's rules need its extra `events`")
    events, sqs = boto3.client("events", REGION), boto3.client("sqs", REGION)
    events.create_event_bus(Name="conflicts")
    url = sqs.create_queue(QueueName="seen")["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    pattern = {"source": ["global-table-reconciler"], "detail-type": ["ConflictRepairedEvent"]}
    events.put_rule(Name="all", EventBusName="conflicts", EventPattern=json.dumps(pattern))
    events.put_targets(Rule="all", EventBusName="conflicts", Targets=[{"Id": "seen", "Arn": arn}])
    bus = EventBus(events.put_events, "conflicts")
    assert bus.send([entry(bus, CONFLICT)]) == []
    (message,) = sqs.receive_message(QueueUrl=url)["Messages"]
    detail = json.loads(message["Body"])["detail"]
    assert detail == event_of(CONFLICT, repaired=True, now_ms=NOW)
    assert list(problems(detail)) == []


def test_a_bus_takes_every_event(aws: None) -> None:
    """A real call is accepted whole."""
    events = boto3.client("events", REGION)
    events.create_event_bus(Name="conflicts")
    bus = EventBus(events.put_events, "conflicts", with_values=True)
    assert bus.send([entry(bus, conflict(number)) for number in range(10)]) == []


def test_what_is_no_event_comes_back(aws: None) -> None:
    """A real call tells which entries it did not take."""
    bus = EventBus(boto3.client("events", REGION).put_events, "default")
    good = entry(bus, CONFLICT)
    bad = {**good, "Detail": "no JSON"}
    assert bus.send([good, bad]) == [bad]


def test_a_call_has_ten_entries_at_most() -> None:
    """Twenty-three events are three calls."""
    bus = EventBus(refusing(), "bus")
    entries = [entry(bus, conflict(number)) for number in range(23)]
    batches = list(bus.batches(entries))
    assert [len(batch) for batch in batches] == [10, 10, 3]
    assert [each for batch in batches for each in batch] == entries
    assert list(bus.batches([])) == []


def test_a_call_is_no_larger_than_the_bus_allows() -> None:
    """Large events travel fewer at a time."""
    bus = EventBus(refusing(), "bus", with_values=True)
    told = [entry(bus, conflict(number, loser={"Data": {"S": "x" * (100 << 10)}})) for number in range(5)]
    batches = list(bus.batches(told))
    assert [len(batch) for batch in batches] == [2, 2, 1]
    assert all(sum(map(size_of, batch)) <= MAX_BYTES for batch in batches)


def test_what_the_bus_does_not_take_comes_back() -> None:
    """A call may succeed in part: only those entries are to be tried again."""
    bus = EventBus(refusing(1, 2), "bus")
    entries = [entry(bus, conflict(number)) for number in range(4)]
    assert bus.send(entries) == entries[1:3]
    assert EventBus(refusing(), "bus").send(entries) == []


def test_an_event_that_is_too_large_goes_without_values_and_says_so() -> None:
    """The names stay, and the history has the rest."""
    told = json.loads(entry(EventBus(refusing(), "bus", with_values=True), conflict(loser={"Data": LARGE}))["Detail"])
    content = told["event"]["conflict"]
    assert (content["omitted"], "loser" in content) == (["key", "loser", "winner", "merged"], False)
    assert content["overwrittenAttributes"] == ["Data", "Note"]
    assert list(problems(told)) == []


def test_values_are_told_where_they_are_asked_for() -> None:
    """The images stand in the event, and nothing is said to be left out."""
    content = json.loads(entry(EventBus(refusing(), "bus", with_values=True), CONFLICT)["Detail"])["event"]["conflict"]
    assert (content["loser"], "omitted" in content) == (CONFLICT.loser, False)


def test_an_event_without_values_always_fits() -> None:
    """The longest names there are, in letters that JSON writes longest, in both lists."""
    names = tuple(f"{number:03}{'😀' * 5_000}" for number in range(MAX_NAMES + 1))
    writes = tuple(WriteId("w" * 16) for _ in range(500))
    huge = replace(CONFLICT, overwritten=names, lost=names, writes=writes, table="t" * 255)
    assert size_of(entry(EventBus(refusing(), "b" * 256), huge)) < MAX_BYTES
    assert MAX_NAME_CHARACTERS * MAX_NAMES * 2 * len(json.dumps("😀")) < MAX_BYTES
