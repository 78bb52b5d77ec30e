"""The redrive function as deployed: settings from the environment, SQS and DynamoDB behind it."""

import json

import boto3
import pytest
from moto import mock_aws

from handlers import redrive, stream, write
from handlers.bootstrap_redrive import redrive_handler
from handlers.settings import Settings
from reconciler.adapters.memory import MemoryTable
from reconciler.adapters.redrive_log import RedriveLog
from reconciler.adapters.sqs import SqsPoisonQueue
from reconciler.errors import ConfigurationError, TransientError
from reconciler.failed_request import SCHEMA
from reconciler.poison import PoisonMessage
from tests.redrive.queue import Queue, refusing
from tests.redrive.world import LOST, OWNED, OWNED_ELSEWHERE, WON, message
from tests.worker.replicas import KEY, NOW, POLICY, A, Clock, never_pause

REGION = "us-east-1"
STRICT = """
[table]
name = "GlobalEventTable"
partition_key = "Id"
regions = ["us-east-1", "eu-west-1"]
hard_delete = "escalate"
[attributes]
Balance = "counter"
Owner = "manual"
"""
MILD = STRICT.replace('"escalate"', '"restore"')


@pytest.fixture
def engine(monkeypatch, tmp_path):
    """A table and a queue with its dead letters, and functions that have not been started yet."""
    (tmp_path / "policy.toml").write_text(STRICT)
    monkeypatch.setattr("reconciler.adapters.sqs_messages.WAIT_S", 0)
    for name, value in {
        "AWS_ACCESS_KEY_ID": "testing",
        "AWS_SECRET_ACCESS_KEY": "testing",
        "AWS_ACCOUNT_ID_ENDPOINT_MODE": "disabled",
        "AWS_REGION": REGION,
        "TABLE_NAME": "GlobalEventTable",
        "POLICY_FILE": str(tmp_path / "policy.toml"),
        "LANES": "1",
    }.items():
        monkeypatch.setenv(name, value)
    with mock_aws():
        boto3.client("dynamodb", REGION).create_table(
            TableName="GlobalEventTable",
            KeySchema=[{"AttributeName": "Id", "KeyType": "HASH"}],
            AttributeDefinitions=[{"AttributeName": "Id", "AttributeType": "S"}],
            BillingMode="PAY_PER_REQUEST",
        )
        monkeypatch.setenv("POISON_QUEUE_URL", make_queue())
        cold()
        yield tmp_path / "policy.toml"
    cold()


def make_queue():
    """Make the queue, which sets aside what was received five times."""
    sqs = boto3.client("sqs", REGION)
    dead = sqs.create_queue(QueueName="dead")["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=dead, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    policy = json.dumps({"deadLetterTargetArn": arn, "maxReceiveCount": "5"})
    return sqs.create_queue(QueueName="poison", Attributes={"RedrivePolicy": policy})["QueueUrl"]


def cold():
    """Let the functions start anew, with whatever policy there is now."""
    for function in (stream, write, redrive):
        function.handler.cache_clear()


def depth(name):
    """Return how many messages a queue shows."""
    sqs = boto3.client("sqs", REGION)
    url = sqs.get_queue_url(QueueName=name)["QueueUrl"]
    attributes = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["All"])["Attributes"]
    return int(attributes["ApproximateNumberOfMessages"])


def escalate_a_delete():
    """Write an item, delete it past the writer, and let the stream function escalate that."""
    write.lambda_handler({"Id": "x", "Add": {"Balance": 7}, "IdempotencyKey": "k1"}, None)
    dynamodb = boto3.client("dynamodb", REGION)
    old = dynamodb.delete_item(TableName="GlobalEventTable", Key=KEY, ReturnValues="ALL_OLD")["Attributes"]
    body = {"Keys": KEY, "OldImage": old, "SequenceNumber": "1"}
    stream.lambda_handler({"Records": [{"eventName": "REMOVE", "dynamodb": body}]}, None)


def test_what_the_stream_function_escalated_is_settled_once_the_policy_says_how(engine, capsys):
    """It stays while today's policy is that of then, however often it is redriven, and goes once it is another."""
    escalate_a_delete()
    for _ in range(12):
        answer = redrive.lambda_handler({}, None)
        assert answer == {
            "received": 1,
            "settled": {},
            "put_back": {"hard_delete": 1},
            "faults": 0,
            "unrecorded": 0,
        }
    assert (depth("poison"), depth("dead")) == (1, 0)
    engine.write_text(MILD)
    cold()
    answer = redrive.lambda_handler({}, None)
    assert json.loads(json.dumps(answer))["settled"] == {"repaired": 1}
    item = boto3.client("dynamodb", REGION).get_item(TableName="GlobalEventTable", Key=KEY)["Item"]
    assert (item["Balance"], depth("poison")) == ({"N": "7"}, 0)
    assert redrive.lambda_handler({}, None)["received"] == 0


def test_each_message_has_one_line_without_values(engine, capsys):
    """Ids and reasons, a digest of the key; and one line for the run."""
    escalate_a_delete()
    capsys.readouterr()
    redrive.lambda_handler({}, None)
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    (one,) = [line for line in lines if line.get("event") == "poison_put_back"]
    assert (one["why"], one["reason"], one["function"], len(one["message_id"])) == (
        "hard_delete",
        "hard_delete",
        "redrive",
        32,
    )
    assert len(one["queue_messages"]) == 1
    (run,) = [line for line in lines if line.get("event") == "redrive_finished"]
    assert (run["received"], run["put_back"]) == (1, {"hard_delete": 1})
    assert not any('"x"' in json.dumps(line) for line in lines)


def test_what_a_person_finds_a_message_by_is_in_its_line(capsys):
    """A request by its execution; what cannot be read by the queue's own id and what is wrong with it."""
    queue = Queue(Clock(NOW))
    queue.put("secret text")
    queue.put(json.dumps({"schema": SCHEMA, "execution": "arn:k8", "event": {"eventId": "k8", "event": {"Id": "y"}}}))
    queue.poison(message())
    _, handle = in_memory(None, queue)
    handle({}, None)
    printed = capsys.readouterr().out
    lines = [json.loads(line) for line in printed.splitlines() if '"queue_messages"' in line]
    unread, request, settled = lines
    assert (unread["event"], unread["why"], unread["detail"]) == ("poison_put_back", "unreadable", "body: is not JSON")
    assert (unread["queue_messages"], unread["receives"]) == (["m1"], 1)
    assert (request["why"], request["execution"]) == ("RequestError", "arn:k8")
    assert (settled["event"], settled["why"], settled["message_id"]) == ("poison_settled", "repaired", message().id)
    assert "secret" not in printed


@pytest.mark.parametrize("variable", ["TABLE_NAME", "POLICY_FILE", "AWS_REGION", "POISON_QUEUE_URL"])
def test_a_missing_setting_is_named(engine, monkeypatch, variable):
    """The invocation fails, and says which variable."""
    monkeypatch.delenv(variable)
    with pytest.raises(ConfigurationError, match=f"^{variable}: "):
        redrive.lambda_handler({}, None)


def test_a_queue_that_is_not_there_is_a_fault(engine, monkeypatch):
    """Nobody takes it for an empty one."""
    monkeypatch.setenv("POISON_QUEUE_URL", "https://sqs.us-east-1.amazonaws.com/123456789012/absent")
    with pytest.raises(TransientError, match="absent refuses"):
        redrive.lambda_handler({}, None)


def test_a_whole_message_of_the_workers_own_adapter_is_read(engine, monkeypatch):
    """What was sent in parts is one message again, of the deployed queue."""
    url = boto3.client("sqs", REGION).get_queue_url(QueueName="poison")["QueueUrl"]
    images = [{**KEY, "Data": {"S": letter}} for letter in "ab"]
    poison = PoisonMessage("malformed", "", REGION, "GlobalEventTable", KEY, "1", *images)
    SqsPoisonQueue(boto3.client("sqs", REGION), url, 4_300).send(poison)
    assert depth("poison") == 2
    assert redrive.lambda_handler({}, None)["settled"] == {"unmanaged": 2}


class Telemetry(RedriveLog):
    """A recorder that keeps what it is told."""

    def __init__(self, *, failing=False):
        """Start empty."""
        self.failing, self.messages, self.runs, self.conflicts, self.emitted = failing, [], [], [], []

    def redriven(self, redriven):
        """Keep a message's fate."""
        self.fail()
        self.messages.append(redriven.fate.why)

    def run(self, report, unrecorded):
        """Keep a run."""
        self.fail()
        self.runs.append((report.received, unrecorded))

    def conflict(self, conflict, *, repaired):
        """Keep a conflict."""
        self.fail()
        self.conflicts.append(repaired)

    def emit(self, counts):
        """Keep counts."""
        self.fail()
        self.emitted.append(dict(counts))

    def fail(self):
        """Fail where the test asked for it."""
        if self.failing:
            raise OSError


class Sink:
    """A sink that refuses everything."""

    name = "sink"

    def entry_of(self, conflict, *, repaired, now_ms):
        """Return the conflict."""
        return conflict

    def batches(self, entries):
        """Return one batch."""
        return [list(entries)]

    def send(self, batch):
        """Refuse."""
        raise OSError


def in_memory(telemetry, queue, sinks=()):
    """Return the function over a table and a queue in memory."""
    table = MemoryTable()
    table.put(KEY, WON)
    return table, redrive_handler(
        Settings(POLICY.name, "", A, "https://queue"),
        policy=POLICY,
        table=table,
        messages=queue,
        recorder=telemetry,
        sinks=sinks,
        emit=telemetry.emit if telemetry else lambda _: None,
        clock=queue.clock,
        pause=never_pause,
    )


def test_conflicts_and_counts_are_told_as_by_the_worker():
    """A repair is a conflict like any other; what could not be told is counted."""
    telemetry, queue = Telemetry(), Queue(Clock(NOW))
    queue.poison(message())
    queue.poison(message("manual", OWNED, OWNED_ELSEWHERE))
    _, handle = in_memory(telemetry, queue, [Sink()])
    answer = handle({}, None)
    assert (answer["settled"], answer["put_back"], answer["unrecorded"]) == ({"repaired": 1}, {"manual": 1}, 2)
    assert (telemetry.messages, telemetry.conflicts) == (["repaired", "manual"], [True, True])
    (counts,) = telemetry.emitted
    assert (counts["settled"], counts["put_back"], counts["repaired"], counts["unrecorded"]) == (1, 1, 2, 2)


def test_telemetry_that_fails_masks_nothing():
    """The message is settled, and gone."""
    telemetry, queue = Telemetry(failing=True), Queue(Clock(NOW))
    queue.poison(message())
    table, handle = in_memory(telemetry, queue)
    assert handle({}, None)["settled"] == {"repaired": 1}
    assert (table.read(KEY)["Balance"], queue.contents()) == ({"N": "111"}, [])


def test_a_run_that_fails_is_told_all_the_same():
    """What was done before the fault has its line."""
    telemetry, queue = Telemetry(), Queue(Clock(NOW), step=refusing("receive"))
    _, handle = in_memory(telemetry, queue)
    with pytest.raises(TransientError):
        handle({}, None)
    assert telemetry.runs == [(0, 0)]


def test_the_deadline_of_the_context_is_kept():
    """Too little time for one message with its retries: none is received."""

    class Context:
        @staticmethod
        def get_remaining_time_in_millis():
            return 11_999

    queue = Queue(Clock(NOW))
    queue.poison(message(old=LOST))
    _, handle = in_memory(Telemetry(), queue)
    assert handle({}, Context())["received"] == 0
    assert handle({}, None)["received"] == 1


@pytest.mark.parametrize(("value", "expected"), [("1", 1), ("1000", 1000), ("", 100)])
def test_how_many_messages_a_run_takes_is_a_setting(monkeypatch, value, expected):
    """A hundred, where nothing is said."""
    for name in ("TABLE_NAME", "POLICY_FILE", "AWS_REGION"):
        monkeypatch.setenv(name, "given")
    monkeypatch.setenv("POISON_QUEUE_URL", "https://queue")
    monkeypatch.setenv("REDRIVE_MESSAGES", value)
    assert Settings.from_environment().redrive_messages == expected


@pytest.mark.parametrize("value", ["0", "1001", "many"])
def test_a_wrong_number_of_messages_is_named(monkeypatch, value):
    """Whoever deploys reads which variable is wrong."""
    for name in ("TABLE_NAME", "POLICY_FILE", "AWS_REGION"):
        monkeypatch.setenv(name, "given")
    monkeypatch.setenv("POISON_QUEUE_URL", "https://queue")
    monkeypatch.setenv("REDRIVE_MESSAGES", value)
    with pytest.raises(ConfigurationError, match=f"^REDRIVE_MESSAGES: is '{value}'; a whole number 1 to 1000"):
        Settings.from_environment()
