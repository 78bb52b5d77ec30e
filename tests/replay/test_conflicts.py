"""``conflicts`` as a person types it: out of the history table, and out of events."""

import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from random import Random
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError
from click.testing import CliRunner, Result
from moto import mock_aws

from reconciler.adapters.history import HistoryTable
from reconciler.conflict import MAX_NAMES, Conflict, Kind
from reconciler.conflict_event import event_of
from replay_tools import cli, conflicts_history
from tests.conflicts.conflicts import AT, NOW, SECRET, conflict

Run = Callable[..., Result]
HOUR_MS = 3_600_000
FIRST = conflict(1)
SECOND = conflict(1, at_ms=AT + HOUR_MS, sequence_number="8", loser={**conflict(1).loser, "Data": {"S": "other"}})
OTHER = replace(conflict(2), kind=Kind.LOST_TO_DELETE, merged=None)
ALL = [FIRST, SECOND, OTHER]


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Run a command line in an empty folder."""
    monkeypatch.chdir(tmp_path)
    for name in ("AWS_REGION", "POLICY_FILE", "HISTORY_TABLE_NAME", "AWS_ENDPOINT_URL"):
        monkeypatch.delenv(name, raising=False)
    return lambda *words, **more: CliRunner().invoke(cli.main, ["conflicts", *words], **more)


@pytest.fixture
def history(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """A history table in this process with three conflicts; OTHER stays lost."""
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "testing")
    with mock_aws():
        client = boto3.client("dynamodb", "us-east-1")
        client.create_table(
            TableName="History",
            AttributeDefinitions=[{"AttributeName": name, "AttributeType": "S"} for name in ("ItemKey", "Entry")],
            KeySchema=[
                {"AttributeName": "ItemKey", "KeyType": "HASH"},
                {"AttributeName": "Entry", "KeyType": "RANGE"},
            ],
            BillingMode="PAY_PER_REQUEST",
        )
        fill(client, *ALL)
        yield client


def fill(client: Any, *told: Conflict) -> None:
    """Let the worker's own adapter put conflicts."""
    table = HistoryTable(client.batch_write_item, "History")
    entries = [table.entry_of(each, repaired=each is not OTHER, now_ms=NOW) for each in told]
    for batch in table.batches(entries):
        table.send(batch)


def save(*conflicts: Conflict, with_values: bool = False, wrapped: bool = False) -> str:
    """Save conflicts as events, one a line."""
    events = [event_of(each, repaired=each is not OTHER, now_ms=NOW, with_values=with_values) for each in conflicts]
    lines = [json.dumps({"detail-type": "any", "detail": event} if wrapped else event) for event in events]
    Path("events.ndjson").write_text("".join(f"{line}\n" for line in lines))
    return "events.ndjson"


def large(number: int) -> dict[str, Any]:
    """Return an image of which a megabyte holds three, however compressed."""
    return {"Id": {"S": f"item-{number}"}, "Data": {"S": Random(number).randbytes(250_000).hex()}}  # noqa: S311 - no secret


def told(result: Result) -> list[dict[str, Any]]:
    """Return what was printed with --json."""
    return [json.loads(line) for line in result.stdout.splitlines()]


TABLE = ["--table", "History", "--region", "us-east-1"]


def test_one_line_for_each_conflict_of_an_item(run: Run, history: Any) -> None:
    """In order, each with when, where, which item, how it was lost, and what of it; no value but the key's."""
    result = run(*TABLE, "--key", "item-1")
    item = 'us-east-1  GlobalEventTable  item "item-1"'
    rest = f"{item}  overwritten: repaired; not as they were: Data  (exact, conflict "
    assert result.stdout.splitlines() == [
        f"2023-11-14T22:13:20.123Z  {rest}{FIRST.id})",
        f"2023-11-14T23:13:20.123Z  {rest}{SECOND.id})",
        "2 conflicts, 0 stay lost",
    ]
    assert (result.exit_code, SECRET in result.output) == (0, False)


@pytest.mark.parametrize("source", ["history", "events", "bus"])
@pytest.mark.parametrize(
    ("words", "found"),
    [
        ([], ["7", "8", "7"]),
        (["--key", "item-1"], ["7", "8"]),
        (["--key", "Id=item-2"], ["7"]),
        (["--key", '{"Id": {"S": "item-2"}}'], ["7"]),
        (["--key", "7"], []),
        (["--since", "2023-11-14T23:00"], ["8"]),
        (["--until", "2023-11-14T23:00:00+00:00"], ["7", "7"]),
        (["--key", "item-1", "--since", "2023-11-14T22:13:20.123Z", "--until", "2023-11-14T23:13:20.123Z"], ["7"]),
        (["--kind", "lost_to_delete"], ["7"]),
        (["--kind", "foreign"], []),
    ],
)
def test_whatever_the_source_the_same_is_found(
    run: Run, request: pytest.FixtureRequest, source: str, words: list[str], found: list[str]
) -> None:
    """By key (also where only its digest is told), time and kind."""
    if source == "history":
        request.getfixturevalue("history")
    where = TABLE if source == "history" else [save(*ALL, wrapped=source == "bus")]
    result = run(*where, *words, "--json")
    assert sorted(each["sequence_number"] for each in told(result)) == sorted(found)
    assert result.exit_code == (1 if any(not each["repaired"] for each in told(result)) else 0)


def test_an_event_and_an_entry_say_the_same(run: Run, history: Any) -> None:
    """In one form, whichever was read."""
    (entry,) = told(run(*TABLE, "--json", "--kind", "lost_to_delete"))
    (event,) = told(run(save(OTHER, with_values=True), "--json"))
    assert entry == event
    assert (entry["key"], entry["at"], entry["lost"]) == ({"Id": "item-2"}, "2023-11-14T22:13:20.123Z", ["Data"])


def test_an_event_without_values_is_told_by_its_digest(run: Run) -> None:
    """The key is a value."""
    assert f"item key digest {FIRST.key_digest}  overwritten" in run(save(FIRST)).stdout


def test_long_lists_say_how_many_more(run: Run, history: Any) -> None:
    """The history cuts them, and so does the line."""
    many = conflict(3, lost=tuple(f"{number:03}" for number in range(MAX_NAMES + 3)))
    fill(history, many)
    assert ", 049, 3 more  (exact" in run(*TABLE, "--key", "item-3").stdout
    assert ", 049, 3 more  (exact" in run(save(many)).stdout


def test_a_key_that_is_too_long_is_found_by_its_digest(run: Run, history: Any) -> None:
    """The history has no room for it."""
    long = replace(FIRST, key={"Id": {"S": "x" * 2048}}, at_ms=None)
    fill(history, long)
    result = run(*TABLE, "--key", "x" * 2048)
    assert result.stdout.startswith(f"at no known time  us-east-1  GlobalEventTable  item key digest {long.key_digest}")


def test_a_composite_key_is_named_by_its_attributes(run: Run, history: Any) -> None:
    """As the policy file names them; a number may be a number."""
    Path("policy.toml").write_text(
        '[table]\nname = "T"\npartition_key = "Id"\nsort_key = "At"\nregions = ["us-east-1"]\n'
    )
    fill(history, replace(FIRST, key={"Id": {"N": "1"}, "At": {"N": "5"}}))
    (found,) = told(run(*TABLE, "--key", "Id=1,At=5", "--json"))
    assert found["key"] == {"Id": 1, "At": 5}
    refused = run(*TABLE, "--key", "1")
    assert refused.stderr.endswith("cannot be read: the key is Id, At: give NAME=VALUE for each, by commas\n")


def test_pages_are_read_to_the_end_and_no_further(run: Run, history: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """A page holds a megabyte at most; a bound is named where it is reached."""
    big = [conflict(number, loser=large(number)) for number in range(10, 15)]
    fill(history, *big)
    assert len(told(run(*TABLE, "--json"))) == len(big) + len(ALL)
    monkeypatch.setattr(conflicts_history, "MAX_PAGES", 1)
    assert "Scan on History: more than 1 pages; narrow it with --key" in run(*TABLE, "--json").stderr


def test_a_damaged_line_does_not_stop_the_rest(run: Run) -> None:
    """It is told by its place; the exit code says that something is missing."""
    Path("events.ndjson").write_text(Path(save(FIRST)).read_text() + '{broken\n{"eventName": "INSERT"}\n')
    result = run("events.ndjson", "--json")
    assert (len(told(result)), result.exit_code) == (1, 1)
    damages = [line.split(": ")[1] for line in result.stderr.splitlines()]
    assert damages == ["events.ndjson:2", "events.ndjson:3"]


def test_a_list_of_events_may_be_piped(run: Run) -> None:
    """An empty one is fine."""
    events = [event_of(FIRST, repaired=True, now_ms=NOW), {"event": {"conflict": {}}}]
    result = run("-", "--json", input=json.dumps(events))
    assert len(told(result)) == 1
    assert result.stderr == "damaged: standard input:1 (event 2): is no conflict event\n"
    assert run("-", input="").stdout == "0 conflicts, 0 stay lost\n"


@pytest.mark.parametrize(
    ("words", "content", "problem"),
    [
        (["none"], "", "Error: Invalid value for '[FILE]': File 'none' does not exist."),
        ([], "", "Error: name a FILE of events, - for standard input, or --table and --region"),
        (["--table", "History"], "", "Error: name a FILE of events, - for standard input, or --table and --region"),
        (["r"], '{"eventName": "INSERT"}', "Error: r: holds no conflict event"),
        (["r"], "\x00", "Error: r: holds no conflict event"),
        (["r", "--since", "soon"], "", "Error: --key, --since or --until cannot be read: Invalid isoformat"),
        (["r", "--key", "{Id"], "", "Error: --key, --since or --until cannot be read: "),
        (
            ["r", "--key", '{"Id": 5}'],
            "",
            "Error: --key, --since or --until cannot be read: not a value with one type letter",
        ),
        (["r", "--kind", "mood"], "", "Error: Invalid value for '--kind': 'mood' is not one of"),
        (["r", "--policy", "r"], "x", "Error: policy file: r: cannot be read: "),
        (["--table", "None", "--region", "us-east-1"], "", "Error: Scan on None: ResourceNotFoundException"),
        (["--table", "Items", "--region", "us-east-1"], "", "Error: table 'Items' holds what is no conflict"),
    ],
)
def test_what_cannot_be_used_is_one_line_and_exit_code_2(
    run: Run, history: Any, words: list[str], content: str, problem: str
) -> None:
    """Wrong usage and unreadable input say what is wrong, without a traceback."""
    Path("r").write_text(content)
    history.create_table(
        TableName="Items",
        AttributeDefinitions=[{"AttributeName": "Id", "AttributeType": "S"}],
        KeySchema=[{"AttributeName": "Id", "KeyType": "HASH"}],
        BillingMode="PAY_PER_REQUEST",
    )
    history.put_item(TableName="Items", Item={"Id": {"S": "x"}})
    result = run(*words)
    assert (result.exit_code, result.stdout) == (2, "")
    assert result.stderr.splitlines()[-1].startswith(problem)


def test_a_missing_permission_is_one_line(run: Run, history: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever may not read the history is told so."""

    def refuse(_client: object, operation: str, _request: object) -> None:
        raise ClientError({"Error": {"Code": "AccessDeniedException", "Message": "not authorized"}}, operation)

    monkeypatch.setattr("botocore.client.BaseClient._make_api_call", refuse)
    result = run(*TABLE, "--key", "item-1")
    assert (result.exit_code, result.stdout) == (2, "")
    assert result.stderr == "Error: Query on History: AccessDeniedException: not authorized\n"


def test_an_unreachable_endpoint_is_one_line(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """After a bounded number of attempts."""
    monkeypatch.setattr(conflicts_history, "ATTEMPTS", 1)
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "testing")
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    result = run(*TABLE)
    assert (result.exit_code, len(result.stderr.splitlines())) == (2, 1)
    assert result.stderr.startswith("Error: Scan on History: Could not connect to the endpoint URL")
