"""``explain`` as a person types it: one key's history across Regions."""

import gzip
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from reconciler.policy import Kind
from replay_tools import cli
from replay_tools.explain_told import REASONS
from tests.replay.regions import A, B, Regions, lost_update

RECORDINGS = Path(__file__).parent.parent / "recordings"
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
BOTH = ["us-east-1=a", "eu-west-1=b"]
REAL = [f"{region}={RECORDINGS / region}.ndjson" for region in (A, B)]
REAL_POLICY = ["--policy", str(RECORDINGS / "policy.toml")]


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Run a command line in an empty folder that holds a policy file."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("POLICY_FILE", raising=False)
    (tmp_path / "policy.toml").write_text(POLICY)
    return lambda *words, **more: CliRunner().invoke(cli.main, ["explain", *words], **more)


def save(regions: Regions) -> None:
    """Save both Regions' streams."""
    for region, path in ((A, "a"), (B, "b")):
        Path(path).write_text("".join(json.dumps(recorded.raw) + "\n" for recorded in regions.recording(region)))


def told(result: Result) -> list[dict[str, Any]]:
    """Return what was printed with --json."""
    return [json.loads(line) for line in result.stdout.splitlines()]


def test_a_person_reads_what_was_seen_lost_and_decided(run: Run) -> None:
    """Region by Region, then each loss attribute by attribute with the policy's reason, then the end."""
    save(lost_update())
    result = run("x", *BOTH)
    at = "2023-11-14T22:13:20.000Z"
    was_overwritten = 'In us-east-1, item "x" was overwritten by another Region\'s version, which had not seen 1 write'
    assert result.stdout.splitlines() == [
        "item x of Accounts",
        "",
        "us-east-1 saw",
        f"  {at}  created, by us-east-1: Balance 1",
        f'  {at}  changed, by us-east-1: Balance 1 -> 11; Note "a"',
        f'  {at}  changed, by eu-west-1: Balance 11 -> 101; Note "a" -> absent   <- LOSS',
        "",
        "eu-west-1 saw",
        f"  {at}  created, by us-east-1: Balance 1",
        f"  {at}  changed, by eu-west-1: Balance 1 -> 101",
        "",
        "Lost in us-east-1, at a:3",
        f"  {was_overwritten}: both were joined. (exact)",
        "    Balance is 111, from 11 and 101: every increment counts once (counter)",
        '    Note is "a" again, which the winner did not have (latest)',
        "",
        'In the end, once repairs have travelled: Balance 111, Note "a".',
    ]
    assert result.exit_code == 0


def test_a_machine_reads_each_record_and_the_end(run: Run) -> None:
    """One object a line: Region, place, changes, who made it, the decisions as data."""
    save(lost_update())
    *records, end = told(run("Id=x", *BOTH, "--json"))
    assert [(each["region"], each["place"], each["made_in"], each["loss"]) for each in records] == [
        (A, "a:1", A, False),
        (A, "a:2", A, False),
        (A, "a:3", B, True),
        (B, "b:1", A, False),
        (B, "b:2", B, False),
    ]
    assert records[2]["changes"] == [
        {"name": "Balance", "before": 11, "after": 101},
        {"name": "Note", "before": "a"},
    ]
    assert records[2]["decisions"][0]["kind"] == "overwritten"
    assert end == {"end": {"Balance": 111, "Note": "a"}}


def test_other_keys_are_passed_by(run: Run) -> None:
    """Nothing of them is judged or told, be they spoilt; an unknown key is exit code 1."""
    save(lost_update())
    Path("a").write_text(Path("a").read_text() + '{"dynamodb": {"Keys": {"Id": {"S": "y"}}}}\n{"dynamodb": {}}\n')
    assert run("x", *BOTH).exit_code == 0
    result = run("z", *BOTH)
    assert (result.exit_code, result.stdout, result.stderr) == (1, "", "no record of z in a, b\n")


def test_what_is_left_to_a_person_is_exit_code_1(run: Run) -> None:
    """The question stands beside what the policy did meanwhile."""
    regions = Regions()
    for region, key in ((A, "k1"), (B, "k2")):
        regions.write(region, key, Set={"Owner": key})
    regions.replicate(B, A)
    save(regions)
    result = run("x", *BOTH)
    assert (
        '    Owner is "k2", no longer "k1": the later write stands until a person has chosen (manual)' in result.stdout
    )
    assert 'item "x" waits in the queue for a person' in result.stdout
    assert result.exit_code == 1


def test_quiet_records_are_only_counted(run: Run) -> None:
    """The first, the last, and those beside a loss are shown: a person reads it within a minute."""
    regions = Regions()
    for number in range(50):
        regions.write(A, f"k{number}", Add={"Balance": 1})
    regions.replicate(A, B)
    regions.write(A, "a", Add={"Balance": 10})
    regions.write(B, "b", Add={"Balance": 100})
    regions.replicate(B, A)
    save(regions)
    lines = run("x", *BOTH).stdout.splitlines()
    assert lines[3:7] == [
        "  2023-11-14T22:13:20.000Z  created, by us-east-1: Balance 1",
        "  … 49 more, and nothing lost",
        "  2023-11-14T22:13:20.000Z  changed, by us-east-1: Balance 50 -> 60",
        "  2023-11-14T22:13:20.000Z  changed, by eu-west-1: Balance 60 -> 150   <- LOSS",
    ]
    assert lines[-1] == "In the end, once repairs have travelled: Balance 160."


@pytest.mark.parametrize(
    ("key", "code", "lines"),
    [
        ("quiet", 0, ["Nothing was lost."]),
        ("lost-in-a", 0, ['    Status is "closed" again, not "active": the later in the order wins (rank)']),
        ("hard-deleted", 1, ['    Data is gone; it was "v0" (latest)', "In the end it is gone in us-east-1."]),
        ("delete-lost", 0, ["In the end, once repairs have travelled: it is deleted."]),
        ("foreign", 0, ['    Data is "by hand", no longer "v0" (latest)']),
        ("plain", 0, ['    Data is "b", no longer "a": the later write wins (latest)']),
        ("tombstone", 0, ["Nothing was lost."]),
        ("malformed", 1, []),
    ],
)
def test_every_history_of_the_recordings(run: Run, key: str, code: int, lines: list[str]) -> None:
    """Real streams: losses, deletes, foreign writes, items without a ledger, spoilt ones."""
    result = run(key, *REAL, *REAL_POLICY)
    assert (result.exit_code, [line for line in lines if line not in result.stdout.splitlines()]) == (code, [])
    assert told(run(key, *REAL, *REAL_POLICY, "--json"))[-1].keys() == {"end"}


def test_one_region_alone_may_be_told(run: Run) -> None:
    """What the other saw is not known, and not claimed."""
    save(lost_update())
    result = run("x", "eu-west-1=b")
    assert "us-east-1 saw" not in result.stdout
    assert "Nothing was lost." in result.stdout


def test_values_are_shown_and_not_obeyed(run: Run) -> None:
    """What a terminal would take as a command is escaped, in names too."""
    regions = Regions()
    regions.write(A, "k1", Set={"\x1b[2J": "\u202e"})
    save(regions)
    assert '\\u001b[2J "\\u202e"' in run("x", *BOTH).stdout


def test_a_damaged_line_does_not_stop_the_rest(run: Run) -> None:
    """It is told by its place; the exit code says that something is missing."""
    save(lost_update())
    Path("b").write_text(Path("b").read_text() + "{broken\n")
    result = run("x", *BOTH)
    assert "In the end, once repairs have travelled: Balance 111" in result.stdout
    assert (result.exit_code, result.stderr.startswith("damaged: b:3: ")) == (1, True)


def test_every_policy_has_its_reason() -> None:
    """There is a sentence for each."""
    assert REASONS.keys() == {kind.value for kind in Kind}


@pytest.mark.parametrize(
    ("words", "content", "problem"),
    [
        (["x"], b"", "Error: Missing argument 'REGION=FILE...'."),
        (["x", "a"], b"", "Error: Invalid value for 'REGION=FILE...': 'a' is no REGION=FILE"),
        (["x", "us-east-1="], b"", "Error: Invalid value for 'REGION=FILE...': 'us-east-1=' is no REGION=FILE"),
        (["x", "us-east-1=none"], b"", "Error: none: cannot be read: No such file or directory"),
        (
            ["x", "us-east-1=r"],
            gzip.compress(b"{}\n" * 9, mtime=0)[:-9],
            "Error: r: cannot be read: Compressed file ended",
        ),
        (["x", "mars=r"], b"", "Error: Region 'mars' is not in the policy's regions"),
        (["x", "us-east-1=r", "--policy", "r"], b"x", "Error: policy file: r: cannot be read: "),
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
