"""What the functions really call, recorded on the wire: what is read from their code leaves nothing out."""

import json

import boto3
import pytest
from botocore import handlers as botocore_handlers
from moto import mock_aws

from handlers import redrive, stream, write
from infra.check.permissions import actions_of
from infra.check.stack import REGION

POLICY = """
[table]
name = "GlobalEventTable"
partition_key = "Id"
regions = ["us-east-1", "eu-west-1"]
hard_delete = "restore"
[attributes]
Balance = "counter"
Owner = "manual"
"""
KEY = {"Id": {"S": "x"}}
NOT_SEEN = {
    "write": {"dynamodb:ConditionCheckItem"},  # a transaction's change that changes nothing
    "stream": {"dynamodb:GetItem"},  # a repair that changes nothing
    "redrive": {"dynamodb:UpdateItem"},  # a repair of an item that is there
}
"""What these histories do not bring about."""


class Wire:
    """Remembers each call to AWS, as the right that it needs."""

    def __init__(self):
        """Remember nothing yet."""
        self.rights = set()

    def __call__(self, event_name, request, **_more):
        """Note a request, and let it pass."""
        _, service, operation = event_name.split(".")
        if operation == "TransactWriteItems":
            parts = (part for item in json.loads(request.body)["TransactItems"] for part in item)
            self.rights |= {f"dynamodb:{part}Item" for part in parts}
        else:
            name = {"eventbridge": "events"}.get(service, service)
            self.rights.add(f"{name}:{operation.removesuffix('Batch')}")


@pytest.fixture
def wire(monkeypatch, tmp_path):
    """A table, a queue, a bus and a history, functions that have not been started yet, and an ear on their calls."""
    (tmp_path / "policy.toml").write_text(POLICY)
    monkeypatch.setattr("reconciler.adapters.sqs_messages.WAIT_S", 0)
    heard = Wire()
    with mock_aws():
        for name, value in {
            "AWS_ACCESS_KEY_ID": "testing",
            "AWS_SECRET_ACCESS_KEY": "testing",
            "AWS_ACCOUNT_ID_ENDPOINT_MODE": "disabled",
            "AWS_REGION": REGION,
            "TABLE_NAME": "GlobalEventTable",
            "POLICY_FILE": str(tmp_path / "policy.toml"),
            "HISTORY_TABLE_NAME": "ConflictHistory",
            "EVENT_BUS_NAME": "TableConflicts",
            "LANES": "1",
        }.items():
            monkeypatch.setenv(name, value)
        make_table("GlobalEventTable", "Id")
        make_table("ConflictHistory", "ItemKey", "Entry")
        boto3.client("events", REGION).create_event_bus(Name="TableConflicts")
        url = boto3.client("sqs", REGION).create_queue(QueueName="poison")["QueueUrl"]
        monkeypatch.setenv("POISON_QUEUE_URL", url)
        hooks = [("before-send", heard), *botocore_handlers.BUILTIN_HANDLERS]
        monkeypatch.setattr(botocore_handlers, "BUILTIN_HANDLERS", hooks)
        monkeypatch.setattr(boto3, "DEFAULT_SESSION", None)
        cold()
        yield heard
    cold()


def cold():
    """Let the functions be started anew."""
    for function in (stream, write, redrive):
        function.handler.cache_clear()


def make_table(name, *keys):
    """Make a table with a string key of one or two attributes."""
    boto3.client("dynamodb", REGION).create_table(
        TableName=name,
        KeySchema=[{"AttributeName": key, "KeyType": kind} for key, kind in zip(keys, ("HASH", "RANGE"), strict=False)],
        AttributeDefinitions=[{"AttributeName": key, "AttributeType": "S"} for key in keys],
        BillingMode="PAY_PER_REQUEST",
    )


def written(**request):
    """Execute a request of the other Region on an empty table; return the item, which then stands nowhere."""
    write.lambda_handler({"Id": "x", **request}, None)
    return removed()


def stands(image=None):
    """Put an image into the table, or return the one that stands there."""
    client = boto3.client("dynamodb", REGION)
    if image is not None:
        client.put_item(TableName="GlobalEventTable", Item=image)
    return client.get_item(TableName="GlobalEventTable", Key=KEY)["Item"]


def removed():
    """Remove the item behind the writer; return what stood there."""
    image = stands()
    boto3.resource("dynamodb", REGION).Table("GlobalEventTable").delete_item(Key={"Id": "x"})
    return image


def batch(*images):
    """Return an event of one record for each pair of old and new image."""
    records = [
        {
            "eventName": "MODIFY" if new else "REMOVE",
            "eventSource": "aws:dynamodb",
            "dynamodb": {
                "Keys": KEY,
                "OldImage": old,
                "SequenceNumber": str(number),
                **({"NewImage": new} if new else {}),
            },
        }
        for number, (old, new) in enumerate(images, 1)
    ]
    return {"Records": records}


def lost_and_won():
    """Return two Regions' images of one item, of which each lacks the other's write; the second stands in the table."""
    lost = written(Set={"Owner": "a"}, Add={"Balance": 1}, IdempotencyKey="k1")
    won = written(Set={"Owner": "b"}, Add={"Balance": 2}, IdempotencyKey="k2")
    return lost, stands(won)


def heard(wire, function, *events):
    """Return what a function called for some events."""
    wire.rights.clear()
    for event in events:
        function.lambda_handler(event, None)
    return set(wire.rights)


def test_the_write_function_calls_what_its_code_says(wire):
    """A create, a change and a transaction."""
    events = [{"Id": name, "Set": {"Owner": "c"}} for name in ("x", "y")]
    transaction = {"Transaction": {"IdempotencyKey": "t", "Events": [*events[:1], {"Id": "z", "Add": {"Balance": 1}}]}}
    called = heard(wire, write, *events, {"Id": "x", "Set": {"Owner": "d"}}, transaction)
    assert called | NOT_SEEN["write"] == actions_of("handlers.write.lambda_handler")


def test_the_stream_function_calls_what_its_code_says(wire):
    """A loss that is repaired and asked about, and an item that was removed behind the writer."""
    lost, won = lost_and_won()
    called = heard(wire, stream, batch((lost, won)))
    called |= heard(wire, stream, batch((removed(), None)))
    assert called | NOT_SEEN["stream"] == actions_of("handlers.stream.lambda_handler")


def test_the_redrive_function_calls_what_its_code_says(wire, tmp_path):
    """A question that stays, and is put back time and again; and one that today's policy answers by a repair."""
    policy = tmp_path / "policy.toml"
    policy.write_text(POLICY.replace("restore", "escalate"))
    lost, won = lost_and_won()
    stream.lambda_handler(batch((lost, won)), None)
    stream.lambda_handler(batch((removed(), None)), None)
    called = heard(wire, redrive, *({} for _ in range(4)))
    assert not called & {"dynamodb:PutItem", "dynamodb:UpdateItem"}
    policy.write_text(POLICY)
    cold()
    called |= heard(wire, redrive, {})
    assert called | NOT_SEEN["redrive"] == actions_of("handlers.redrive.lambda_handler")
