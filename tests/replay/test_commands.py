"""The commands as a person types them: what they print, where it goes, and how they end."""

import gzip
import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest
from click.testing import CliRunner, Result
from moto import mock_aws

from reconciler.adapters import streams
from reconciler.poison import parse
from replay_tools import bootstrap, cli
from replay_tools.replay_command import json_ready
from tests.replay.regions import A, B, Regions, lost_update

POLICY = """
[table]
name = "Accounts"
partition_key = "Id"
regions = ["us-east-1", "eu-west-1"]
[attributes]
Balance = "counter"
Owner = "manual"
"""

Run = Callable[..., Result]


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Run a command line in an empty folder that holds a policy file."""
    monkeypatch.chdir(tmp_path)
    for name in ("AWS_REGION", "POLICY_FILE", "POISON_QUEUE_URL", "AWS_ENDPOINT_URL"):
        monkeypatch.delenv(name, raising=False)
    (tmp_path / "policy.toml").write_text(POLICY)
    return lambda *words, **more: CliRunner().invoke(cli.main, [*words], **more)


def save(regions: Regions, path: str = "stream.ndjson", region: str = A) -> str:
    """Save a Region's stream as NDJSON."""
    Path(path).write_text("".join(json.dumps(recorded.raw) + "\n" for recorded in regions.recording(region)))
    return path


def unsettled() -> Regions:
    """Two Regions set at once what the policy leaves to a person."""
    regions = Regions()
    regions.write(A, "k0", Set={"Owner": "nobody"})
    regions.replicate(A, B)
    regions.write(A, "k1", Set={"Owner": "a"})
    regions.write(B, "k2", Set={"Owner": "b"})
    regions.replicate(B, A)
    return regions


# replay


def test_a_person_reads_sentences_and_their_sum(run: Run) -> None:
    """One line for each decision, with its place; at the end, how often each was made."""
    result = run("replay", save(lost_update()))
    lines = result.stdout.splitlines()
    assert lines[2].startswith('stream.ndjson:3  repair  In us-east-1, item "x" was overwritten by another Region')
    assert [line.split("│")[1:4] for line in lines if line.startswith("│")] == [
        [" noop     ", " created     ", " 1     "],
        [" noop     ", " included    ", " 1     "],
        [" repair   ", " overwritten ", " 1     "],
    ]
    assert result.exit_code == 0


def test_a_machine_reads_one_object_a_line(run: Run) -> None:
    """With --json each decision is one object, exact in its numbers."""
    result = run("replay", "--json", save(lost_update()))
    told = [json.loads(line) for line in result.stdout.splitlines()]
    assert [(data["place"], data["decision"], data["reason"]) for data in told] == [
        ("stream.ndjson:1", "noop", "created"),
        ("stream.ndjson:2", "noop", "included"),
        ("stream.ndjson:3", "repair", "overwritten"),
    ]
    assert told[1]["witness"] == {"executions": 1, "included": 1}
    assert told[2]["attributes"][0]["now"] == 111


def test_conflicts_alone_may_be_asked_for(run: Run) -> None:
    """With --conflicts nothing is said of records that lost nothing."""
    result = run("replay", "--json", "--conflicts", save(lost_update()))
    assert [json.loads(line)["decision"] for line in result.stdout.splitlines()] == ["repair"]


def test_something_for_a_person_is_exit_code_1(run: Run) -> None:
    """A script can tell by the exit code alone that something waits."""
    result = run("replay", save(unsettled()))
    assert 'item "x" waits in the queue for a person' in result.stdout
    assert result.exit_code == 1


def test_a_pipe_may_be_replayed(run: Run) -> None:
    """``-`` reads standard input, compressed or not."""
    text = Path(save(lost_update())).read_bytes()
    result = run("replay", "-", "--conflicts", input=gzip.compress(text))
    assert result.stdout.startswith("standard input:3  repair")


def test_a_recording_of_nothing_is_fine(run: Run) -> None:
    """A quiet stream is no error, but worth a word."""
    Path("empty.ndjson").touch()
    result = run("replay", "empty.ndjson")
    assert (result.exit_code, result.stdout, result.stderr) == (0, "", "empty.ndjson: holds no record\n")


def test_without_a_policy_file_every_attribute_is_latest(run: Run) -> None:
    """The default policy is good enough for a first look."""
    Path("policy.toml").unlink()
    result = run("replay", "--json", "--conflicts", save(lost_update()))
    attributes = json.loads(result.stdout)["attributes"]
    assert [(attribute["name"], attribute["policy"], attribute["fate"]) for attribute in attributes] == [
        ("Balance", "latest", "superseded"),
        ("Note", "latest", "restored"),
    ]


@pytest.mark.parametrize(
    ("words", "content", "problem"),
    [
        (["replay", "none"], "", "Error: Invalid value for 'RECORDING': File 'none' does not exist."),
        (["replay", "r"], "{", "Error: r:1: is damaged: Expecting property name enclosed in double quotes (column 2)"),
        (["replay", "r"], "{}", "Error: r:1: its Region None is not among the policy's"),
        (["replay", "r", "--policy", "r"], "x", "Error: policy file: r: cannot be read: "),
        (["replay", "r", "--apply"], "{}", "Error: --apply needs --queue-url"),
        (["replay", "r", "--region", "x", "--apply", "--queue-url", "u"], "{}", "Error: Region 'x' is not in"),
        (["record", "Accounts"], "", "Error: Missing option '--region'"),
        (["record", "Accounts", "r", "--region", A], "{}", "Error: r exists; --force overwrites it"),
        (["frobnicate"], "", "Error: No such command 'frobnicate'."),
    ],
)
def test_what_cannot_be_used_is_one_line_and_exit_code_2(
    run: Run, words: list[str], content: str, problem: str
) -> None:
    """Wrong usage and unreadable input say what is wrong, without a traceback."""
    Path("r").write_text(content)
    result = run(*words)
    assert (result.exit_code, result.stdout) == (2, "")
    assert result.stderr.splitlines()[-1].startswith(problem)


@pytest.fixture
def aws(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """A table with a stream and a queue, in an AWS in this process."""
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "testing")
    monkeypatch.setenv("AWS_ACCOUNT_ID_ENDPOINT_MODE", "disabled")
    monkeypatch.setattr(bootstrap, "POLL_SECONDS", 0)
    with mock_aws():
        yield boto3.resource("dynamodb", region_name=A).create_table(
            TableName="Accounts",
            AttributeDefinitions=[{"AttributeName": "Id", "AttributeType": "S"}],
            KeySchema=[{"AttributeName": "Id", "KeyType": "HASH"}],
            BillingMode="PAY_PER_REQUEST",
            StreamSpecification={"StreamEnabled": True, "StreamViewType": "NEW_AND_OLD_IMAGES"},
        )


def test_apply_repairs_the_table_and_fills_the_queue(run: Run, aws: Any) -> None:
    """Only with --apply is anything changed: the table is repaired, and what is for a person is in the queue."""
    url = boto3.client("sqs", A).create_queue(QueueName="poison")["QueueUrl"]
    regions = unsettled()
    boto3.client("dynamodb", A).put_item(TableName="Accounts", Item=regions.image(A))
    path = save(regions)
    assert run("replay", path).exit_code == 1
    assert aws.get_item(Key={"Id": "x"})["Item"]["Version"] == 2
    assert run("replay", path, "--apply", "--queue-url", url).exit_code == 1
    assert aws.get_item(Key={"Id": "x"})["Item"]["Version"] == 3
    (message,) = boto3.client("sqs", A).receive_message(QueueUrl=url)["Messages"]
    assert parse([message["Body"]]).reason == "manual"


@pytest.mark.parametrize(
    ("value", "ready"),
    [
        (Path("p"), "p"),
        ({"b", "a"}, ["a", "b"]),
        (b"\x00", "AA=="),
    ],
)
def test_what_json_has_no_type_for(value: object, ready: object) -> None:
    """Sets are sorted and binary is base64; whatever else may come is text."""
    assert json_ready(value) == ready


@pytest.mark.parametrize(
    ("number", "text"),
    [("0.5", "0.5"), ("1E+2", "100"), ("-0.0", "0"), ("0.1000000000000000000000001", '"0.1000000000000000000000001"')],
)
def test_numbers_are_exact(run: Run, number: str, text: str) -> None:
    """A number that no JSON number holds exactly is given as text."""
    regions = lost_update()
    regions.put(A, {**regions.image(A), "Note": {"N": number}})
    result = run("replay", "--json", "--conflicts", save(regions))
    assert f'"winner":{text},"now":{text}' in result.stdout.splitlines()[-1]


# record


def test_a_stream_is_recorded_and_replayed(run: Run, aws: Any) -> None:
    """What record writes, replay reads: compressed where the name says so."""
    for number in range(3):
        aws.put_item(Item={"Id": "x", "Number": number})
    result = run("record", "Accounts", "stream.ndjson.gz", "--region", A)
    assert (result.exit_code, result.stdout, result.stderr) == (0, "", "3 records of Accounts in us-east-1\n")
    assert gzip.decompress(Path("stream.ndjson.gz").read_bytes()).count(b"\n") == 3
    replayed = run("replay", "stream.ndjson.gz", "--json")
    assert [json.loads(line)["reason"] for line in replayed.stdout.splitlines()] == [
        "created",
        "unmanaged",
        "unmanaged",
    ]


def test_a_recording_may_be_limited_and_go_to_standard_output(run: Run, aws: Any) -> None:
    """Without a file name, records stand alone on standard output."""
    for number in range(3):
        aws.put_item(Item={"Id": "x", "Number": number})
    result = run("record", "Accounts", "--region", A, "--limit", "2")
    numbers = [json.loads(line)["dynamodb"]["NewImage"]["Number"]["N"] for line in result.stdout.splitlines()]
    assert (numbers, result.exit_code) == (["0", "1"], 0)


def test_an_existing_file_is_overwritten_only_by_force(run: Run, aws: Any) -> None:
    """A recording is not lost by a slip of the hand."""
    aws.put_item(Item={"Id": "x"})
    Path("r.ndjson").write_text("precious")
    assert run("record", "Accounts", "r.ndjson", "--region", A).exit_code == 2
    assert Path("r.ndjson").read_text() == "precious"
    assert run("record", "Accounts", "r.ndjson", "--region", A, "--force").exit_code == 0
    assert json.loads(Path("r.ndjson").read_text())["eventName"] == "INSERT"


def test_following_ends_where_it_is_interrupted(run: Run, aws: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """With --follow the recording goes on past the present end; what came before the interrupt is kept whole."""
    aws.put_item(Item={"Id": "x", "Number": 0})
    waits: list[float] = []

    def wait(seconds: float) -> None:
        waits.append(seconds)
        if len(waits) == streams.OPEN_ROUNDS + 1:
            aws.put_item(Item={"Id": "x", "Number": 1})
        elif len(waits) > streams.OPEN_ROUNDS + 2:
            raise KeyboardInterrupt

    monkeypatch.setattr("time.sleep", wait)
    result = run("record", "Accounts", "r.ndjson", "--region", A, "--follow")
    assert (result.exit_code, result.stderr) == (0, "2 records of Accounts in us-east-1\n")
    assert Path("r.ndjson").read_text().count("\n") == 2


@pytest.mark.usefixtures("aws")
def test_a_stream_that_cannot_be_read_is_one_line(run: Run) -> None:
    """A table that is not there says so; no empty file is left behind."""
    result = run("record", "Nothing", "r.ndjson", "--region", A)
    assert (result.exit_code, result.stderr) == (2, "Error: table 'Nothing' has no stream in us-east-1\n")
    assert not Path("r.ndjson").exists()


def test_a_gap_is_a_warning(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever records is told that the stream had already lost something."""

    def records(_table: str, _region: str, on_gap: Callable[[str], None], *, follow: bool) -> Iterator[dict[str, Any]]:
        assert not follow
        on_gap("shard-1")
        yield {}

    monkeypatch.setattr(bootstrap, "live_records", records)
    result = run("record", "Accounts", "--region", A)
    assert result.stderr.splitlines()[0] == "warning: shard shard-1: records were trimmed before they could be read"


# The group


def test_the_help_imports_no_command() -> None:
    """The list of commands is there at once: neither boto3 nor any command is loaded for it."""
    program = (
        "import sys; from replay_tools.cli import main; main(['--help'], standalone_mode=False); print(*sys.modules)"
    )
    answer = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)  # noqa: S603
    *help_text, modules = answer.stdout.splitlines()
    assert [line.split()[0] for line in help_text[help_text.index("Commands:") + 1 :]] == list(cli.COMMANDS)
    assert not {"boto3", "rich", "replay_tools.record", "replay_tools.replay_command"} & set(modules.split())


def test_a_missing_library_is_one_line(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """A command whose libraries are not installed says how to get them; the others work."""
    monkeypatch.setitem(cli.COMMANDS, "demo", ("no_such_library", "A command."))
    result = run("demo")
    assert result.exit_code == 2
    assert "Error: the command demo needs the module no_such_library; pip install" in result.stderr
    assert run("--help").exit_code == 0


def test_the_module_runs() -> None:
    """``python -m replay_tools`` is the command line."""
    answer = subprocess.run([sys.executable, "-m", "replay_tools", "-h"], capture_output=True, text=True, check=True)
    assert answer.stdout.startswith("Usage: python -m replay_tools [OPTIONS] COMMAND")
