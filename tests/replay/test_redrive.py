"""``redrive`` as a person types it: what it shows, what it changes, and that the rest stays as it was, to the byte."""

import gzip
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError
from click.testing import CliRunner, Result
from moto import mock_aws

from reconciler.adapters import sqs_messages, system
from reconciler.adapters.binary import from_boto, to_boto
from reconciler.errors import TransientError
from reconciler.poison import SCHEMA, PoisonMessage, bodies
from reconciler.wire import Image, plain_image
from replay_tools import cli
from tests.redrive.world import BASE, GONE, LOST, OWNED, OWNED_ELSEWHERE, WON, message
from tests.worker.replicas import KEY, A, image_of, without

POLICY = """
[table]
name = "Events"
partition_key = "Id"
regions = ["us-east-1", "eu-west-1", "ap-south-1"]
[attributes]
Balance = "counter"
Tags = "set"
Limit = "max"
Owner = "manual"
"""
Run = Callable[..., Result]
MANUAL = message("manual", OWNED, OWNED_ELSEWHERE)
JOINABLE = message("unstorable", LOST, WON)
DELETED = message("lost_to_delete", LOST, GONE)
REMOVED = message("hard_delete", LOST, None)


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Run a command line in an empty folder that holds a policy file."""
    monkeypatch.chdir(tmp_path)
    for name in ("AWS_REGION", "POLICY_FILE", "POISON_QUEUE_URL", "AWS_ENDPOINT_URL"):
        monkeypatch.delenv(name, raising=False)
    (tmp_path / "policy.toml").write_text(POLICY)
    return lambda *words, **more: CliRunner().invoke(cli.main, ["redrive", *words], **more)


def save(*messages: PoisonMessage, path: str = "bodies.ndjson", limit: int = 1 << 20) -> str:
    """Save messages as NDJSON, each body as the queue has it."""
    Path(path).write_text("".join(f"{body}\n" for each in messages for body in bodies(each, limit)))
    return path


def told(result: Result) -> list[dict[str, Any]]:
    """Return what was printed with --json."""
    return [json.loads(line) for line in result.stdout.splitlines()]


# A file


def test_a_message_is_shown_with_what_differs(run: Run) -> None:
    """Reason, key, a sentence, both values of each attribute that differs, and what would become of it."""
    lines = run(save(MANUAL)).stdout.splitlines()
    assert lines[0] == f'manual  us-east-1  item "x"  message {MANUAL.id}  (bodies.ndjson:1)'
    assert lines[1].startswith('  In us-east-1, item "x" waits in the queue for a person: the policy leaves the choice')
    assert lines[2:] == [
        '  Owner (manual): overwritten "bo", winner "cy"',
        "  stays: manual (Owner: policy manual); --take old, new or join answers it",
        "1 received; 0 would be settled (--apply does it); 1 [1 manual] stay",
    ]


def test_a_machine_reads_one_object_for_each_message(run: Run) -> None:
    """With --json nothing else is on standard output."""
    result = run(save(MANUAL, JOINABLE), "--json")
    assert [(each["reason"], each["key"], each["settled"], each["why"], each["applied"]) for each in told(result)] == [
        ("manual", {"Id": "x"}, False, "manual", False),
        ("unstorable", {"Id": "x"}, True, "repaired", False),
    ]
    assert told(result)[1]["attributes"] == [{"name": "Balance", "policy": "counter", "overwritten": 11, "winner": 101}]
    assert result.exit_code == 1


@pytest.mark.parametrize(
    ("words", "reasons", "code"),
    [
        (["--reason", "unstorable"], ["unstorable"], 0),
        (["--reason", "manual", "--reason", "unstorable"], ["manual", "unstorable"], 1),
        (["--key", "x"], ["manual", "unstorable"], 1),
        (["--key", "Id=x", "--reason", "manual"], ["manual"], 1),
        (["--key", "y"], [], 0),
    ],
)
def test_messages_are_asked_for_by_reason_and_key(run: Run, words: list[str], reasons: list[str], code: int) -> None:
    """The others are neither told nor counted."""
    result = run(save(MANUAL, JOINABLE), "--json", *words)
    assert ([each["reason"] for each in told(result)], result.exit_code) == (reasons, code)


@pytest.mark.parametrize(
    ("poison", "take", "why", "detail"),
    [
        (MANUAL, "old", "took_old", "set: Owner"),
        (MANUAL, "new", "took_new", "set: Owner"),
        (MANUAL, "join", "took_join", "Owner: policy manual"),
        (JOINABLE, "old", "repaired", "as joined: Balance"),
        (JOINABLE, "join", "repaired", ""),
        (DELETED, "old", "took_old", "set: Balance"),
        (DELETED, "new", "lost_to_delete", ""),
        (DELETED, "join", "lost_to_delete", ""),
        (REMOVED, "old", "repaired", ""),
        (REMOVED, "join", "repaired", ""),
        (REMOVED, "new", "hard_delete", ""),
    ],
)
def test_a_person_takes_an_image(run: Run, poison: PoisonMessage, take: str, why: str, detail: str) -> None:
    """Each reason has an answer in each image: a value, a life, or an end."""
    (each,) = told(run(save(poison), "--json", "--take", take))
    assert (each["settled"], each["why"], each["detail"]) == (True, why, detail)


@pytest.mark.parametrize("take", ["old", "new", "join"])
def test_what_cannot_be_joined_stays_whoever_asks(run: Run, take: str) -> None:
    """No choice is made on an item whose bookkeeping cannot be read."""
    spoilt = message("malformed", LOST, {**WON, "Causality": {"S": "spoilt"}})
    (each,) = told(run(save(spoilt), "--json", "--take", take))
    assert (each["settled"], each["why"]) == (False, "malformed")


def test_a_request_of_the_workflow_is_judged_but_not_chosen(run: Run) -> None:
    """It has no images; without --take it would be executed."""
    event = {"eventId": "k9", "eventTime": "2023-11-14T22:13:20Z", "event": {"Id": "x", "Add": {"Balance": 5}}}
    request = {
        "schema": "global-table-reconciler/workflow-poison/1",
        "execution": "arn:of:a:run",
        "event": event,
        "fault": {"Error": "RequestError"},
    }
    Path("r").write_text(json.dumps(request))
    assert [(each["execution"], each["why"]) for each in told(run("r", "--json"))] == [("arn:of:a:run", "applied")]
    assert [each["why"] for each in told(run("r", "--json", "--take", "old"))] == ["request"]
    assert told(run("r", "--json", "--reason", "manual")) == []


def test_whatever_form_the_bodies_have(run: Run) -> None:
    """Compressed, as ReceiveMessage answers, as a list, in parts, from a pipe."""
    (body,) = bodies(MANUAL)
    parts = bodies(MANUAL, 4_500)
    Path("a").write_bytes(gzip.compress(body.encode()))
    Path("b").write_text(json.dumps({"Messages": [{"Body": body, "Attributes": {"SentTimestamp": "1700000000000"}}]}))
    Path("c").write_text(json.dumps([body, body], indent=1))
    Path("d").write_text("\n\n".join(parts))
    assert len(parts) > 1
    assert [[each["message"] for each in told(run(path, "--json"))] for path in "abd"] == [[MANUAL.id]] * 3
    assert [each.get("message") for each in told(run("c", "--json"))] == [MANUAL.id, None]
    assert [each["message"] for each in told(run("-", "--json", input=body))] == [MANUAL.id]


def test_a_damaged_line_does_not_stop_the_rest(run: Run) -> None:
    """It is named by its place, and counted."""
    Path(save(JOINABLE)).write_text(f"{{broken\n{bodies(JOINABLE)[0]}\n")
    result = run("bodies.ndjson")
    assert "unread  (bodies.ndjson:1)\n  stays: unreadable (body: is not JSON)" in result.stdout
    assert result.stdout.endswith(
        "2 received; 1 [1 repaired] would be settled (--apply does it); 1 [1 unreadable] stay\n"
    )
    assert result.exit_code == 1


def test_values_are_shown_and_not_obeyed(run: Run) -> None:
    """What a terminal would take as a command is escaped."""
    hostile = image_of({"IdempotencyKey": "k9", "Set": {"Owner": "\x1b[2J\u202e\x9b"}}, on=BASE)
    assert 'overwritten "\\u001b[2J\\u202e\\u009b", winner' in run(save(message("manual", hostile, OWNED))).stdout


@pytest.mark.parametrize(
    ("words", "content", "problem"),
    [
        (["none"], b"", "Error: Invalid value for '[FILE]': File 'none' does not exist."),
        (["r"], b"{}", "Error: r:1: is no poison message: schema: is 'None'"),
        (["r"], b"\x00\xff", "Error: r: is no text in UTF-8"),
        (["r"], gzip.compress(b"{}", mtime=0)[:-9], "Error: r: cannot be read: Compressed file ended"),
        (["r"], b'{"eventName": "MODIFY"}', "Error: r:1: is no poison message: schema: is 'None'"),
        (["r", "--policy", "r"], b"x", "Error: policy file: r: cannot be read: "),
        (["r", "--apply"], b"{}", "Error: name the --region of the table"),
        (["r", "--region", "x", "--apply"], b"", "Error: Region 'x' is not in the policy's regions"),
        ([], b"", "Error: name the --region of the table"),
        (["--region", A], b"", "Error: name a FILE of messages, - for standard input, or --queue"),
        (["r", "--take", "both"], b"", "Error: Invalid value for '--take': 'both' is not one of"),
        (["r", "--reason", "mood"], b"", "Error: Invalid value for '--reason': 'mood' is not one of"),
    ],
)
def test_what_cannot_be_used_is_one_line_and_exit_code_2(
    run: Run, words: list[str], content: bytes, problem: str
) -> None:
    """Wrong usage and unreadable input say what is wrong, without a traceback."""
    Path("r").write_bytes(content)
    result = run(*words)
    assert (result.exit_code, result.stdout) == (2, "")
    assert result.stderr.splitlines()[-1].startswith(problem)


def test_the_policy_of_another_table_is_refused(run: Run) -> None:
    """Not one of the messages is of its table: it is the wrong file."""
    Path("policy.toml").write_text(POLICY.replace("Events", "Others"))
    result = run(save(JOINABLE))
    assert result.exit_code == 2
    assert result.stderr == "Error: the messages are of table 'Events'; this policy is for 'Others'\n"


def test_an_empty_file_is_fine(run: Run) -> None:
    """Nothing waits, which is worth a word."""
    Path("r").touch()
    result = run("r", "--json")
    assert (result.exit_code, result.stdout, result.stderr) == (0, "", "there is no message\n")


# A queue, and a table


class Aws:
    """A queue and a table in this process."""

    def __init__(self) -> None:
        """Make both."""
        self.sqs = boto3.client("sqs", A)
        self.dynamodb = boto3.client("dynamodb", A)
        self.url = self.sqs.create_queue(QueueName="poison")["QueueUrl"]
        self.dynamodb.create_table(
            TableName="Events",
            AttributeDefinitions=[{"AttributeName": "Id", "AttributeType": "S"}],
            KeySchema=[{"AttributeName": "Id", "KeyType": "HASH"}],
            BillingMode="PAY_PER_REQUEST",
        )

    def holds(self, image: Image) -> None:
        """Let an image stand in the table."""
        self.dynamodb.put_item(TableName="Events", Item=to_boto(image))

    @property
    def item(self) -> dict[str, Any]:
        """The item x, plain."""
        found = self.dynamodb.get_item(TableName="Events", Key=to_boto(KEY)).get("Item", {})
        return plain_image(from_boto(found))

    def sends(self, *texts: str) -> None:
        """Let bodies stand in the queue."""
        for text in texts:
            told: Any = {"reason": {"DataType": "String", "StringValue": "any"}}
            self.sqs.send_message(QueueUrl=self.url, MessageBody=text, MessageAttributes=told)

    def waiting(self) -> list[tuple[str, int]]:
        """Return each body that a reader sees now, with how often it was received, this time included."""
        answer = self.sqs.receive_message(
            QueueUrl=self.url,
            MaxNumberOfMessages=10,
            VisibilityTimeout=0,
            MessageSystemAttributeNames=["ApproximateReceiveCount"],
        )
        found = answer.get("Messages", [])
        return sorted((each["Body"], int(each["Attributes"]["ApproximateReceiveCount"])) for each in found)


@pytest.fixture
def aws(monkeypatch: pytest.MonkeyPatch) -> Iterator[Aws]:
    """An AWS in this process."""
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "testing")
    monkeypatch.setattr(sqs_messages, "WAIT_S", 0)
    with mock_aws():
        yield Aws()


def over(aws: Aws, *words: str) -> list[str]:
    """Return the words of a run over the queue."""
    return ["--queue", aws.url, "--region", A, *words]


def test_a_look_changes_nothing_and_lets_go(run: Run, aws: Aws) -> None:
    """Each message is received once, visible again at once; table and queue are as they were."""
    aws.holds(WON)
    aws.sends(*bodies(JOINABLE), *bodies(MANUAL), "no JSON")
    before = aws.item
    result = run(*over(aws))
    assert result.stdout.endswith(
        "3 received; 1 [1 repaired] would be settled (--apply does it); 2 [1 manual, 1 unreadable] stay\n"
    )
    assert aws.item == before
    assert [times for _, times in aws.waiting()] == [2, 2, 2]


def test_a_look_lets_go_of_what_a_run_would_have_deleted(run: Run, aws: Aws) -> None:
    """Nobody has to wait for it, however it would have ended."""
    aws.holds(WON)
    aws.sends(*bodies(JOINABLE))
    assert run(*over(aws)).exit_code == 0
    assert [times for _, times in aws.waiting()] == [2]


def test_a_queue_that_refuses_to_let_go_is_told(run: Run, aws: Aws, monkeypatch: pytest.MonkeyPatch) -> None:
    """The messages show themselves later; the exit code says that something is not as it was."""

    def refuse(_queue: object, _messages: object) -> None:
        raise TransientError("refused")

    aws.holds(WON)
    aws.sends(*bodies(JOINABLE))
    monkeypatch.setattr(sqs_messages.SqsMessages, "release", refuse)
    result = run(*over(aws))
    assert result.stderr == "warning: the queue refused 1 times: some messages show up again late\n"
    assert result.exit_code == 1


def test_apply_settles_and_deletes(run: Run, aws: Aws) -> None:
    """What is settled is in the table and no longer in the queue; the rest is there, byte for byte."""
    aws.holds(WON)
    aws.sends(*bodies(JOINABLE), *bodies(MANUAL), "no JSON")
    result = run(*over(aws, "--apply", "--json"))
    assert {each["why"] for each in told(result)} == {"repaired", "manual", "unreadable"}
    assert aws.item["Balance"] == 111
    assert [body for body, _ in aws.waiting()] == sorted([*bodies(MANUAL), "no JSON"])


def test_however_often_it_is_put_back(run: Run, aws: Aws) -> None:
    """Bodies stay the same to the byte, and receive counts below what the queue bears."""
    aws.holds(OWNED_ELSEWHERE)
    aws.sends(*bodies(MANUAL), '{"schema": "of/tomorrow/9", "\\u00fc": 1.0}')
    before = [body for body, _ in aws.waiting()]
    for _ in range(8):
        assert run(*over(aws, "--apply")).exit_code == 1
    after = aws.waiting()
    assert [body for body, _ in after] == before
    assert max(times for _, times in after) <= 4


@pytest.mark.parametrize(("take", "owner"), [("old", "bo"), ("new", "cy"), ("join", "cy")])
def test_a_choice_stands_in_the_table(run: Run, aws: Aws, take: str, owner: str) -> None:
    """The value is set, the ledger has the choice as a write of its own, and the message is gone."""
    aws.holds(OWNED_ELSEWHERE)
    aws.sends(*bodies(MANUAL))
    assert run(*over(aws, "--take", take)).exit_code == 0
    assert aws.item["Version"] == 2
    assert run(*over(aws, "--take", take, "--apply")).exit_code == 0
    assert (aws.item["Owner"], aws.item["Balance"], aws.waiting()) == (owner, 1, [])
    assert aws.item["Version"] == (3 if take == "join" else 4)


def test_a_choice_that_is_made_again_counts_once(run: Run, aws: Aws) -> None:
    """The run died between the write and the deletion: the message comes again, somebody has written meanwhile."""
    aws.holds(OWNED_ELSEWHERE)
    aws.sends(*bodies(MANUAL))
    run(*over(aws, "--take", "old", "--apply"))
    chosen = from_boto(aws.dynamodb.get_item(TableName="Events", Key=to_boto(KEY))["Item"])
    aws.holds(image_of({"IdempotencyKey": "k9", "Set": {"Owner": "dan"}}, on=chosen, at=system.clock_ms() + 1_000))
    aws.sends(*bodies(MANUAL))
    result = run(*over(aws, "--take", "old", "--apply"))
    assert (result.exit_code, aws.item["Owner"], aws.waiting()) == (0, "dan", []), result.output


def test_what_was_written_since_is_left_alone(run: Run, aws: Aws) -> None:
    """A choice between two values does not undo a third."""
    aws.holds(image_of({"IdempotencyKey": "k9", "Set": {"Owner": "dan"}}, on=OWNED_ELSEWHERE, at=1_700_000_000_009))
    aws.sends(*bodies(MANUAL))
    result = run(*over(aws, "--take", "old", "--apply"))
    assert "stays: nothing_to_choose (written since, and left alone: Owner)" in result.stdout
    assert (aws.item["Owner"], len(aws.waiting())) == ("dan", 1)


def test_a_deleted_item_lives_again(run: Run, aws: Aws) -> None:
    """Its content is that of the image that the delete beat; a second run finds it done."""
    content = {"Add": {"Balance": 10}, "AddToSet": {"Tags": ["a"]}, "Set": {"Limit": 3, "Data": "d"}}
    beaten = message("lost_to_delete", image_of({"IdempotencyKey": "k1", **content}, on=BASE), GONE)
    aws.holds(GONE)
    for _ in range(2):
        aws.sends(*bodies(beaten))
        assert run(*over(aws, "--take", "old", "--apply")).exit_code == 0
        item = aws.item
        assert (item["Balance"], item["Tags"], item["Limit"], item["Data"]) == (11, {"a"}, 3, "d")
    assert ("ExpiresAt" in item, aws.waiting()) == (False, [])


def test_a_foreign_write_is_taken_or_undone(run: Run, aws: Aws) -> None:
    """Its value becomes a write of its own, or the one before it does; the policy would have asked for ever."""
    Path("policy.toml").write_text(POLICY.replace("[attributes]", 'foreign_writes = "escalate"\n[attributes]'))
    foreign = {**OWNED, "Data": {"S": "scribbled"}}
    poison = message("foreign_write", OWNED, foreign)
    for take, left in (("new", "scribbled"), ("old", None)):
        aws.holds(foreign)
        aws.sends(*bodies(poison))
        assert run(*over(aws, "--apply")).exit_code == 1
        assert run(*over(aws, "--take", take, "--apply")).exit_code == 0
        assert (aws.item.get("Data"), aws.item["Owner"], aws.waiting()) == (left, "bo", [])


def test_a_file_may_be_applied(run: Run, aws: Aws) -> None:
    """The table is repaired, the file stays as it is."""
    aws.holds(WON)
    path = save(JOINABLE)
    before = Path(path).read_bytes()
    result = run(path, "--apply", "--region", A)
    assert "  settled: repaired\n1 received; 1 [1 repaired] settled; 0 stay\n" in result.stdout
    assert (aws.item["Balance"], Path(path).read_bytes()) == (111, before)


@pytest.mark.parametrize("words", [[], ["--apply"]])
def test_a_missing_table_is_one_line_and_loses_nothing(run: Run, aws: Aws, words: list[str]) -> None:
    """All messages are put back first."""
    aws.dynamodb.delete_table(TableName="Events")
    aws.sends(*bodies(JOINABLE))
    result = run(*over(aws, *words))
    assert (result.exit_code, result.stdout, len(result.stderr.splitlines())) == (2, "", 1)
    assert "ResourceNotFoundException" in result.stderr
    assert len(aws.waiting()) == 1


def test_an_unreachable_or_missing_queue_is_one_line(run: Run, aws: Aws, monkeypatch: pytest.MonkeyPatch) -> None:
    """Exit code 2, and no traceback."""
    missing = run("--queue", aws.url + "-none", "--region", A)
    monkeypatch.setenv("AWS_ENDPOINT_URL_SQS", "http://127.0.0.1:9")
    unreachable = run("--queue", "http://127.0.0.1:9/0/poison", "--region", A)
    for result in (missing, unreachable):
        assert (result.exit_code, result.stdout, len(result.stderr.splitlines())) == (2, "", 1)
        assert result.stderr.startswith("Error: the poison queue http")


def test_a_missing_permission_is_one_line(run: Run, aws: Aws, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever may not read the queue is told so."""

    def refuse(_client: object, operation: str, _request: object) -> None:
        raise ClientError({"Error": {"Code": "AccessDenied", "Message": "not authorized"}}, operation)

    monkeypatch.setattr("botocore.client.BaseClient._make_api_call", refuse)
    result = run(*over(aws))
    assert (result.exit_code, result.stdout, len(result.stderr.splitlines())) == (2, "", 1)
    assert "AccessDenied" in result.stderr


def test_an_unreachable_table_leaves_the_messages(run: Run, aws: Aws, monkeypatch: pytest.MonkeyPatch) -> None:
    """It may be reached later: each message stays, for that reason."""
    aws.sends(*bodies(JOINABLE))
    monkeypatch.setenv("AWS_ENDPOINT_URL_DYNAMODB", "http://127.0.0.1:9")
    result = run(*over(aws, "--apply", "--json"))
    assert ([each["why"] for each in told(result)], result.exit_code) == (["TransientError"], 1)
    assert [body for body, _ in aws.waiting()] == bodies(JOINABLE)


def test_the_limit_bounds_a_run(run: Run) -> None:
    """What is beyond it is not read, and a person is told."""
    result = run(save(JOINABLE, MANUAL), "--limit", "1", "--json")
    assert (len(told(result)), result.stderr) == (1, "stopped after 1 messages; --limit takes more\n")


def test_what_the_queue_may_soon_set_aside_is_told(run: Run, aws: Aws) -> None:
    """A look counts as a reception: after too many, the queue sets the message aside."""
    aws.holds(OWNED_ELSEWHERE)
    aws.sends(*bodies(MANUAL))
    results = [run(*over(aws)) for _ in range(3)]
    assert ["the queue may soon set it aside" in result.stdout for result in results] == [False, False, True]


def test_a_reason_of_tomorrow_and_images_that_are_none(run: Run) -> None:
    """They are shown as far as they can be read, and stay."""
    strange = message("too_lovely", {**without(LOST, "Causality"), "Note": {"S": "n"}}, {**WON, "Balance": {"N": "x"}})
    line = run(save(strange)).stdout
    assert "A reason that this version does not know: as it was then." in line
    assert 'Note (latest): overwritten "n", winner absent' in line
    assert SCHEMA in Path("bodies.ndjson").read_text()
