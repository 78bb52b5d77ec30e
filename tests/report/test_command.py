"""The command as a person types it: what it writes, and what it says of what it cannot use."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from replay_tools.cli import main
from replay_tools.report import gather
from tests.replay.regions import A, B
from tests.report.conftest import POLICY, SOURCES
from tests.report.histories import plain_record


def test_one_line_says_what_was_written(tmp_path: Path) -> None:
    """The page's name, its records, and what everyone wants to know."""
    path = tmp_path / "page.html"
    result = CliRunner().invoke(main, ["report", *SOURCES, "--policy", str(POLICY), "-o", str(path)])
    assert (result.exit_code, result.stdout) == (0, f"{path}: 57 records, 7 overwritten writes\n")
    assert path.read_text(encoding="utf-8").startswith("<!DOCTYPE html>")


def test_recordings_of_any_table_need_no_policy(tmp_path: Path) -> None:
    """The records say what the key is; without a ledger and an audit nothing can be called overwritten."""
    for region in (A, B):
        (tmp_path / region).write_text(json.dumps(plain_record(region, 1, 10, None, "a")))
    sources = [f"{region}={tmp_path / region}" for region in (A, B)]
    result = CliRunner().invoke(main, ["report", *sources, "-o", str(tmp_path / "page.html")])
    assert result.stdout.endswith("page.html: 2 records, 0 overwritten writes\n")


def test_one_recording_may_be_empty(tmp_path: Path) -> None:
    """A quiet Region is drawn as an empty lane."""
    (tmp_path / A).write_text(json.dumps(plain_record(A, 1, 10, None, "a")))
    (tmp_path / B).touch()
    sources = [f"{region}={tmp_path / region}" for region in (A, B)]
    result = CliRunner().invoke(main, ["report", *sources, "-o", str(tmp_path / "page.html")])
    assert (result.exit_code, result.stdout.endswith("1 records, 0 overwritten writes\n")) == (0, True)


@pytest.mark.parametrize(
    ("words", "problem"),
    [
        (["recording"], "Error: 'recording' is no REGION=FILE"),
        (["us-east-1="], "Error: 'us-east-1=' is no REGION=FILE"),
        (["a=r"], "Error: a report needs the recordings of two Regions or more"),
        (["a=r", "a=r"], "Error: the Region a is named twice"),
        (["a=none", "b=none"], "Error: none: cannot be read: No such file or directory"),
        (["a=empty", "b=empty"], "Error: empty, empty: no record in it has a key"),
        (["a=r", "b=r", "--losses", "r"], "Error: r:1: is no lost write as `audit --json` prints them"),
        (["a=r", "b=r", "-o", "folder/none.html"], "Error: folder/none.html: cannot be written: No such file"),
        (["a=r", "b=r", "--policy", str(POLICY)], "Error: Region 'a' is not in the policy's regions"),
        (["a=many", "b=r"], "Error: many:3: a page holds at most 2 records; give shorter recordings"),
    ],
)
def test_what_cannot_be_used_is_one_line_and_exit_code_2(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, words: list[str], problem: str
) -> None:
    """Nothing is written then, and no traceback is shown."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("POLICY_FILE", raising=False)
    monkeypatch.setattr(gather, "MAX_RECORDS", 2)
    record = json.dumps(plain_record(A, 1, 10, None, "a"))
    Path("r").write_text(record)
    Path("many").write_text(f"{record}\n" * 3)
    Path("empty").touch()
    result = CliRunner().invoke(main, ["report", *words])
    assert (result.exit_code, result.stdout) == (2, "")
    assert result.stderr.splitlines()[-1].startswith(problem)
    assert not Path("report.html").exists()
