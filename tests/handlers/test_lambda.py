"""The two Lambda functions, as deployed: settings from the environment, boto3, an engine behind it."""

import boto3
import pytest
from moto import mock_aws

from handlers import stream, write
from reconciler.errors import ConfigurationError
from reconciler.poison import parse

EAST, WEST = "us-east-1", "eu-west-1"
POLICY = """
[table]
name = "GlobalEventTable"
partition_key = "Id"
regions = ["us-east-1", "eu-west-1"]
[attributes]
Balance = "counter"
"""
KEY = {"Id": {"S": "x"}}


@pytest.fixture
def engine(monkeypatch, tmp_path):
    """A table and a queue in each Region, and functions that have not been started yet."""
    (tmp_path / "policy.toml").write_text(POLICY)
    for name, value in {
        "AWS_ACCESS_KEY_ID": "testing",
        "AWS_SECRET_ACCESS_KEY": "testing",
        "AWS_ACCOUNT_ID_ENDPOINT_MODE": "disabled",
        "TABLE_NAME": "GlobalEventTable",
        "POLICY_FILE": str(tmp_path / "policy.toml"),
        "LANES": "1",
    }.items():
        monkeypatch.setenv(name, value)
    with mock_aws():
        for region in (EAST, WEST):
            boto3.client("dynamodb", region).create_table(
                TableName="GlobalEventTable",
                KeySchema=[{"AttributeName": "Id", "KeyType": "HASH"}],
                AttributeDefinitions=[{"AttributeName": "Id", "AttributeType": "S"}],
                BillingMode="PAY_PER_REQUEST",
            )
        url = boto3.client("sqs", EAST).create_queue(QueueName="poison")["QueueUrl"]
        monkeypatch.setenv("POISON_QUEUE_URL", url)
        yield lambda region: start(monkeypatch, region)
    start(monkeypatch, EAST)


def start(monkeypatch, region):
    """Let the functions be cold in a Region."""
    monkeypatch.setenv("AWS_REGION", region)
    stream.handler.cache_clear()
    write.handler.cache_clear()


def item(region):
    """Return what stands in a Region's table."""
    return boto3.client("dynamodb", region).get_item(TableName="GlobalEventTable", Key=KEY)["Item"]


def record(old, new, number="1"):
    """Return a record of one change."""
    body = {"Keys": KEY, "OldImage": old, "NewImage": new, "SequenceNumber": number}
    return {"Records": [{"eventName": "MODIFY", "eventSource": "aws:dynamodb", "dynamodb": body}]}


def test_concurrent_updates_in_two_regions_are_resolved(engine):
    """Each Region adds to the balance; the winner replicates over the loser; the loser's worker adds both up."""
    engine(EAST)
    write.lambda_handler({"Id": "x", "Add": {"Balance": 10}, "IdempotencyKey": "k1"}, None)
    engine(WEST)
    write.lambda_handler({"Id": "x", "Add": {"Balance": 100}, "IdempotencyKey": "k2"}, None)
    loser, winner = item(EAST), item(WEST)
    boto3.client("dynamodb", EAST).put_item(TableName="GlobalEventTable", Item=winner)
    engine(EAST)
    assert stream.lambda_handler(record(loser, winner), None) == {"batchItemFailures": []}
    assert (item(EAST)["Balance"], item(EAST)["Version"]) == ({"N": "110"}, {"N": "2"})


def test_a_poison_record_reaches_the_queue_with_both_images(engine):
    """What cannot be read is stored whole, and counts as done."""
    engine(EAST)
    old = {**KEY, "Causality": {"S": "junk"}}
    new = {**old, "Data": {"S": "y"}}
    assert stream.lambda_handler(record(old, new), None) == {"batchItemFailures": []}
    sqs = boto3.client("sqs", EAST)
    (message,) = sqs.receive_message(QueueUrl=sqs.get_queue_url(QueueName="poison")["QueueUrl"])["Messages"]
    poison = parse([message["Body"]])
    assert (poison.reason, poison.old_image, poison.new_image) == ("malformed", old, new)


def test_a_key_that_is_used_twice_is_executed_once(engine):
    """The second answer is `duplicate`, and the item is as the first left it."""
    engine(EAST)
    request = {"Id": "x", "Add": {"Balance": 10}, "IdempotencyKey": "k1"}
    assert write.lambda_handler(request, None)["status"] == "applied"
    before = item(EAST)
    assert write.lambda_handler(request, None)["status"] == "duplicate"
    assert item(EAST) == before


@pytest.mark.parametrize("function", [stream, write])
def test_a_wrong_setting_fails_the_invocation_with_its_name(engine, monkeypatch, function):
    """Nothing is read at import; the first event says what is missing."""
    engine(EAST)
    monkeypatch.delenv("TABLE_NAME")
    with pytest.raises(ConfigurationError, match="TABLE_NAME"):
        function.lambda_handler({"Records": []}, None)
