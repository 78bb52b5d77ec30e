"""``check-policy`` as a person types it: the file, the laws, and what would change."""

import gzip
import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from replay_tools import check_policy_compare, cli
from tests.replay.regions import A, B, Regions, lost_update

RECORDINGS = Path(__file__).parent.parent / "recordings"
HEAD = """
[table]
name = "Accounts"
partition_key = "Id"
regions = ["us-east-1", "eu-west-1"]
"""
COUNTER = f'{HEAD}[attributes]\nBalance = "counter"\n'
LATEST = f'{HEAD}[attributes]\nBalance = "latest"\n'
MERGES = '''
def first(left, right):
    """Keep the left one, whatever the right one is."""
    return left


def longest(left, right):
    """Keep the longer text."""
    return max(left, right, key=lambda text: (len(text), text))
'''
Run = Callable[..., Result]


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Run a command line in an empty folder."""
    monkeypatch.chdir(tmp_path)
    return lambda *words, **more: CliRunner().invoke(cli.main, ["check-policy", *words], **more)


@pytest.fixture
def merges(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A user's module of functions can be imported."""
    (tmp_path / "users_merges.py").write_text(MERGES)
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, "users_merges", raising=False)


def save(regions: Regions, path: str = "stream.ndjson") -> str:
    """Save the stream of us-east-1 as NDJSON."""
    Path(path).write_text("".join(json.dumps(recorded.raw) + "\n" for recorded in regions.recording(A)))
    return path


def write(**policies: str) -> None:
    """Write policy files by name."""
    for name, text in policies.items():
        Path(f"{name}.toml").write_text(text)


def told(result: Result) -> list[dict[str, Any]]:
    """Return what was printed with --json."""
    return [json.loads(line) for line in result.stdout.splitlines()]


def test_a_good_file_is_told_in_short(run: Run) -> None:
    """Table, key, Regions, and each attribute's policy, members of maps by path."""
    result = run(str(RECORDINGS / "policy.toml"))
    assert result.stdout.splitlines()[0].endswith(
        "the policy of table GlobalEventTable (key Id) in us-east-1, eu-west-1"
    )
    assert result.stdout.splitlines()[-3:] == ["  Profile/LoginCount: counter", "  everything else: latest", "fine"]
    assert result.exit_code == 0


def test_a_broken_law_is_told_by_its_counterexample(run: Run, merges: None) -> None:
    """With the attribute, and the smallest inputs that show it; a function that keeps the laws is passed by."""
    functions = 'Name = { policy = "custom", function = "users_merges:first" }'
    members = functions.replace("Name", "{ Bad").replace('first" }', 'first" }, Note = "latest" }')
    write(new=f'{HEAD}[attributes]\n{functions}\nProfile = {{ policy = "map", members = {members} }}\n')
    result = run("new.toml")
    broken = [line for line in result.stdout.splitlines() if line.startswith("law")]
    assert broken == [
        "law  Name: first is not commutative: f('', '9') = '' but f('9', '') = '9'",
        "law  Profile/Bad: first is not commutative: f('', '9') = '' but f('9', '') = '9'",
    ]
    assert result.exit_code == 1
    assert [(each["check"], each.get("law")) for each in told(run("new.toml", "--json"))] == [
        ("policy", None),
        ("law", "commutative"),
        ("law", "commutative"),
    ]


def test_a_function_may_be_meant_for_one_type(run: Run, merges: None) -> None:
    """Texts are in one order, sets are not: who stores only texts asks for those."""
    write(new=f'{HEAD}[attributes]\nNote = {{ policy = "custom", function = "users_merges:longest" }}\n')
    assert [run("new.toml", *words).exit_code for words in ([], ["--type", "S"], ["--type", "SS"])] == [1, 0, 1]


def test_what_would_end_differently_is_told_with_the_reason(run: Run) -> None:
    """The attribute under both policies, and the record that they decide differently, in sentences."""
    write(new=LATEST, old=COUNTER)
    result = run("new.toml", "--against", "old.toml", "--recording", save(lost_update()))
    lines = result.stdout.splitlines()
    assert lines[3:6] == [
        'stream.ndjson: us-east-1: item "x"',
        "  Balance ends as 101 (latest), not 111 (counter)",
        "  stream.ndjson:3",
    ]
    assert lines[6].startswith('    new.toml: In us-east-1, item "x" was overwritten by another Region')
    assert "Balance is 101, no longer 11 (latest)" in lines[6]
    assert "Balance is 111, from 11 and 101 (counter)" in lines[7]
    assert lines[8] == "stream.ndjson: 3 records of us-east-1, differing items: 1"
    assert result.exit_code == 1


def test_a_machine_reads_one_object_a_line(run: Run) -> None:
    """The policy, each item that differs, and the sum."""
    write(new=LATEST, old=COUNTER)
    policy, item, summary = told(run("new.toml", "--against", "old.toml", "--recording", save(lost_update()), "--json"))
    assert policy["attributes"] == {"Balance": "latest"}
    assert (item["key"], item["attributes"]) == (
        {"Id": "x"},
        [{"name": "Balance", "policy": "latest", "ends": 101, "against_policy": "counter", "against_ends": 111}],
    )
    assert [reason["place"] for reason in item["reasons"]] == ["stream.ndjson:3"]
    assert (summary["records"], summary["different_items"]) == (3, 1)
    assert summary["decisions"]["new.toml"] == {"noop created": 1, "noop included": 1, "repair overwritten": 1}


def test_the_present_policy_is_the_one_in_the_folder(run: Run) -> None:
    """Without --against; it is not compared with itself, nor with one that is not there."""
    write(new=LATEST)
    alone = run("new.toml", "--recording", save(lost_update()))
    write(policy=COUNTER)
    itself = run("policy.toml", "--recording", "stream.ndjson")
    present = run("new.toml", "--recording", "stream.ndjson")
    assert "stream.ndjson: 3 records of us-east-1\n" in alone.stdout
    assert [result.exit_code for result in (alone, itself, present)] == [0, 0, 1]
    assert "    policy.toml: In us-east-1" in present.stdout


def test_equal_ends_and_decisions_are_no_difference(run: Run) -> None:
    """Two files that say the same change nothing."""
    write(new=COUNTER, old=COUNTER)
    result = run("new.toml", "--against", "old.toml", "--recording", save(lost_update()))
    assert "3 records of us-east-1, differing items: 0" in result.stdout
    assert (result.exit_code, result.stdout.splitlines()[-1]) == (0, "fine")


def test_what_is_left_to_a_person_is_a_difference_too(run: Run) -> None:
    """The item ends the same, but under one of the policies somebody is asked."""
    regions = Regions()
    for region, key in ((A, "k1"), (B, "k2")):
        regions.write(region, key, Set={"Owner": key})
    regions.replicate(B, A)
    write(new=f'{COUNTER}Owner = "manual"\n', old=COUNTER)
    (item,) = [
        each
        for each in told(run("new.toml", "--against", "old.toml", "--recording", save(regions), "--json"))
        if each["check"] == "item"
    ]
    assert (item["attributes"], [reason["place"] for reason in item["reasons"]]) == ([], ["stream.ndjson:2"])
    assert "waits in the queue for a person" in item["reasons"][0]["sentences"]


def test_an_item_that_only_one_policy_keeps(run: Run) -> None:
    """A hard delete is accepted by one, undone by the other."""
    regions = Regions()
    regions.write(A, "k0", Set={"Note": "n"})
    regions.remove(A)
    write(new=COUNTER.replace("[attributes]", 'hard_delete = "restore"\n[attributes]'), old=COUNTER)
    result = run("new.toml", "--against", "old.toml", "--recording", save(regions))
    assert '  Note ends as "n" (latest), not absent (latest)' in result.stdout


def test_real_recordings_of_two_regions(run: Run) -> None:
    """Each stream is one Region's; under the policy that they were made with, all is as it was."""
    policy = str(RECORDINGS / "policy.toml")
    streams = [word for name in (A, "eu-west-1") for word in ("--recording", str(RECORDINGS / f"{name}.ndjson"))]
    result = run(policy, "--against", policy, *streams, "--json")
    sums = [(each["region"], each["records"], each["different_items"]) for each in told(result)[1:]]
    assert (sums, result.exit_code) == ([(A, 35, 0), ("eu-west-1", 22, 0)], 0)


@pytest.mark.parametrize(
    ("regions", "key", "danger"),
    [
        ('["eu-west-1", "us-east-1"]', "Id", "the order is data, and may only be appended to"),
        ('["us-east-1"]', "Id", "regions lack ['eu-west-1'], whose writes items may name"),
        ('["us-east-1", "eu-west-1", "ap-south-1"]', "Id", ""),
        ('["us-east-1", "eu-west-1"]', "Name", "the key is ['Name'], and ['Id'] in the other policy"),
    ],
)
def test_what_no_deployment_may_change(run: Run, regions: str, key: str, danger: str) -> None:
    """Regions are only ever appended, and the key stays."""
    new = COUNTER.replace('["us-east-1", "eu-west-1"]', regions).replace('"Id"', f'"{key}"')
    write(new=new, old=COUNTER)
    result = run("new.toml", "--against", "old.toml")
    assert (danger in result.stdout, result.exit_code) == (True, 1 if danger else 0)
    assert ("danger" in result.stdout) == bool(danger)


def test_a_damaged_line_is_told_and_the_rest_is_compared(run: Run) -> None:
    """By file and line; the exit code says that the comparison is not whole."""
    write(new=COUNTER, old=COUNTER)
    text = Path(save(lost_update())).read_text()
    Path("stream.ndjson").write_text(f"{text}{{broken\n")
    result = run("new.toml", "--against", "old.toml", "--recording", "stream.ndjson")
    assert result.stderr.startswith("damaged: stream.ndjson:4: ")
    assert ("3 records of us-east-1, differing items: 0" in result.stdout, result.exit_code) == (True, 1)


def test_an_empty_recording_is_worth_a_word(run: Run) -> None:
    """It is no error."""
    write(new=COUNTER)
    Path("r").touch()
    result = run("new.toml", "--recording", "r")
    assert (result.exit_code, result.stderr) == (0, "r: holds no record\n")


@pytest.mark.parametrize(
    ("words", "policy", "content", "problem"),
    [
        (["none"], "", b"", "Error: Invalid value for 'FILE': File 'none' does not exist."),
        (["."], "", b"", "Error: Invalid value for 'FILE': File '.' is a directory."),
        (["p"], "x", b"", "Error: policy file: p: cannot be read: "),
        (["p"], '[table]\nname = "T"', b"", "Error: policy file: table.partition_key: is missing"),
        (["p"], f'{HEAD}[attributes]\nB = "conter"', b"", "Error: policy file: attributes.B: unknown policy 'conter'"),
        (["p", "--against", "r"], COUNTER, b"x", "Error: policy file: r: cannot be read: "),
        (
            ["p", "--recording", "r"],
            COUNTER,
            gzip.compress(b"{}\n" * 9, mtime=0)[:-9],
            "Error: r: cannot be read: Compressed",
        ),
        (["p", "--recording", "r"], COUNTER, b"{}", "Error: r:1: its Region None is not among the policy's"),
        (["p", "--region", "x", "--recording", "r"], COUNTER, b"{}", "Error: Region 'x' is not in the policy's"),
    ],
)
def test_what_cannot_be_used_is_one_line_and_exit_code_2(
    run: Run, words: list[str], policy: str, content: bytes, problem: str
) -> None:
    """Wrong usage and unreadable input say what is wrong and where, without a traceback."""
    Path("p").write_text(policy)
    Path("r").write_bytes(content)
    result = run(*words)
    assert result.exit_code == 2
    assert result.stderr.splitlines()[-1].startswith(problem)


def test_a_bounded_number_of_reasons_is_kept(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of the others the item is still told."""
    monkeypatch.setattr(check_policy_compare, "MAX_REASONS", 0)
    write(new=LATEST, old=COUNTER)
    result = run("new.toml", "--against", "old.toml", "--recording", save(lost_update()))
    assert "Balance ends as 101 (latest), not 111 (counter)" in result.stdout
    assert "stream.ndjson:3" not in result.stdout
