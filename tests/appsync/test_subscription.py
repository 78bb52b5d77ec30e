"""From the worker's event to the subscriber: bus, rule, input transformer, mutation."""

import json
import re
from functools import reduce

import boto3
import pytest
from moto import mock_aws

from reconciler.adapters.event_bus import EventBus
from reconciler.conflict import Kind, Mode
from reconciler.conflict_event import event_of
from tests.appsync.test_stack import STACK
from tests.conflicts.conflicts import AT, CONFLICT, NOW, SECRET, conflict

REGION = "us-east-1"
RULE = STACK["ConflictRule"]["Properties"]
(TARGET,) = RULE["Targets"]
OPERATION = TARGET["AppSyncParameters"]["GraphQLOperation"]
TOLD = (
    (conflict(), True),
    (conflict(kind=Kind.LOST_TO_DELETE, mode=Mode.APPROXIMATE, merged=None, at_ms=None), False),
    (conflict(writes=(), overwritten=(), lost=()), True),
    (conflict(lost=tuple(f"a{number}" for number in range(60))), True),
    (conflict(lost=('quote " back \\ <kind> é',)), True),
)


def transformed(event):
    """Return the target's input as EventBridge makes it: each variable a JSON value, also where it is text.

    https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-transform-target-input.html
    """
    transformer = TARGET["InputTransformer"]
    values = {
        name: reduce(lambda value, step: value[step], path.removeprefix("$.").split("."), event)
        for name, path in transformer["InputPathsMap"].items()
    }
    return json.loads(re.sub(r"<(\w+)>", lambda found: json.dumps(values[found[1]]), transformer["InputTemplate"]))


@pytest.fixture
def through_the_rule(monkeypatch):
    """Put entries on a bus with the stack's rule; return the events that its target gets."""
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "testing")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "testing")
    with mock_aws():
        events, sqs = boto3.client("events", REGION), boto3.client("sqs", REGION)
        url = sqs.create_queue(QueueName="target")["QueueUrl"]
        arn = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
        bus = RULE["EventBusName"]
        events.create_event_bus(Name=bus)
        events.put_rule(Name="rule", EventBusName=bus, EventPattern=json.dumps(RULE["EventPattern"]))
        events.put_targets(Rule="rule", EventBusName=bus, Targets=[{"Id": "queue", "Arn": arn}])

        def put(*entries):
            assert events.put_events(Entries=list(entries))["FailedEntryCount"] == 0
            taken = sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages", [])
            return [json.loads(message["Body"]) for message in taken]

        yield put


@pytest.mark.parametrize("with_values", [False, True])
def test_whatever_the_worker_tells_reaches_the_mutation(through_the_rule, with_values):
    """Each event, by the rule and the transformer, is variables that the mutation takes; no value is among them."""
    schema = pytest.importorskip("tests.appsync.schema")
    bus = EventBus(None, RULE["EventBusName"], with_values=with_values)
    events = through_the_rule(*(bus.entry_of(each, repaired=repaired, now_ms=NOW) for each, repaired in TOLD))
    assert len(events) == len(TOLD)
    for event in events:
        variables = transformed(event)
        told = schema.executed(OPERATION, variables, tellConflict=variables["conflict"])
        assert told == {"tellConflict": variables["conflict"]}
        assert SECRET not in json.dumps(variables)


def test_a_subscriber_learns_what_the_event_says():
    """The worker's own event, field by field."""
    event = {"detail": event_of(CONFLICT, repaired=True, now_ms=NOW)}
    assert transformed(event) == {
        "conflict": {
            "eventId": CONFLICT.event_id,
            "correlationId": CONFLICT.id,
            "eventType": "ConflictRepairedEvent",
            "eventTime": "2023-11-14T22:13:21.000Z",
            "title": "overwritten: repaired",
            "priority": "Normal",
            "kind": "overwritten",
            "mode": "exact",
            "repaired": True,
            "region": "us-east-1",
            "table": "GlobalEventTable",
            "keyDigest": CONFLICT.key_digest,
            "lostWrites": ["write-of-us-east"],
            "overwrittenAttributes": ["Data", "Note"],
            "lostAttributes": ["Data"],
        }
    }


def test_what_is_not_the_workers_is_not_told(through_the_rule):
    """Another source, or another type, on the same bus, stays away from subscribers."""
    entry = EventBus(None, RULE["EventBusName"]).entry_of(CONFLICT, repaired=True, now_ms=AT)
    assert through_the_rule({**entry, "Source": "elsewhere"}, {**entry, "DetailType": "OtherEvent"}) == []


def test_a_subscriber_can_see_every_field():
    """AppSync passes on only what the mutation selects: that is all there is."""
    schema = pytest.importorskip("tests.appsync.schema")
    selection = OPERATION.split("{")[2].split("}")[0].split()
    assert selection == list(schema.fields("Conflict")) == list(TARGET["InputTransformer"]["InputPathsMap"])
    assert schema.fields("Conflict") == schema.fields("ConflictInput")
