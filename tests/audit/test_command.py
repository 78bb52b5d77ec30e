"""``audit`` as a person types it: what it prints, where it goes, and how it ends."""

import gzip
import io
import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import zstandard
from click.testing import CliRunner, Result

from replay_tools import cli
from replay_tools.audit import audit as pipeline
from replay_tools.audit import fetch, sources
from tests.audit.histories import steps_of
from tests.audit.worlds import play, signed

Run = Callable[..., Result]
RECORDINGS = Path(__file__).parent.parent / "recordings"


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Run ``audit`` in an empty folder."""
    monkeypatch.chdir(tmp_path)
    return lambda *arguments, **options: CliRunner().invoke(cli.main, ["audit", *arguments], **options)


def lines(steps: list[Any], key: str = "x") -> str:
    """Return a Region's recording."""
    return "".join(json.dumps(record(step, key)) + "\n" for step in steps)


def record(step: Any, key: str) -> dict[str, Any]:
    """Return a step as a Lambda trigger delivers it."""
    images = {name: image for name, image in (("OldImage", step.old), ("NewImage", step.new)) if image is not None}
    body = {"Keys": {"Id": {"S": key}}, "SequenceNumber": step.sequence_number, **images}
    name = "REMOVE" if step.new is None else "INSERT" if step.old is None else "MODIFY"
    return {"eventName": name, "dynamodb": {**body, "ApproximateCreationDateTime": step.at_ms / 1000}}


def save(steps: dict[str, list[Any]], write: Callable[[str, str], None] | None = None) -> list[str]:
    """Write a recording for each Region; return the command's arguments."""
    for region, own in steps.items():
        (write or (lambda name, text: Path(name).write_text(text)))(region, lines(own))
    return [f"{region}={region}" for region in steps]


def one_loss() -> dict[str, list[Any]]:
    """Return records in which us-east-1 lost its first write."""
    return steps_of({}, {"us": "1 3", "eu": "2"}, us="B W Y", eu="B Y")


def gzipped(name: str, text: str) -> None:
    """Write with gzip."""
    Path(name).write_bytes(gzip.compress(text.encode()))


def zstd(name: str, text: str) -> None:
    """Write with zstd."""
    Path(name).write_bytes(zstandard.compress(text.encode()))


def event(name: str, text: str) -> None:
    """Write one Lambda event over several lines."""
    Path(name).write_text(json.dumps({"Records": list(map(json.loads, text.splitlines()))}, indent=1))


@pytest.mark.parametrize("write", [None, gzipped, zstd, event])
def test_a_lost_write_is_one_line_of_json(run, write):
    """Whatever the recordings are in, the same comes out; exit code 1 says that something was lost."""
    result = run("--json", *save(one_loss(), write))
    assert json.loads(result.stdout) == {
        "region": "us-east-1",
        "key": {"Id": "x"},
        "sequence_number": "us1",
        "attributes": ["Data"],
        "exactness": "approximate",
        "why": "the winner's record is older in the Region that made it",
        "at": "1970-01-01T00:00:01Z",
        "overwritten_by": {"region": "us-east-1", "sequence_number": "us2", "made_in": "eu-west-1"},
    }
    assert (result.exit_code, result.stderr) == (1, "1 lost write in 3 records of 1 items\n")


def test_a_person_reads_lines_and_totals(run):
    """No value of an item is printed, but for its key's."""
    result = run(*save(one_loss()))
    assert '{"Id": "x"}  us-east-1 us1  1970-01-01T00:00:01Z  Data  overwritten by us-east-1 us2' in result.stdout
    assert "made in us-east-1, overwritten from eu-west-1" in result.stdout
    assert result.stdout.splitlines()[-1] == "1 lost write in 3 records of 1 items"
    assert result.exit_code == 1


def test_nothing_lost_is_exit_code_0(run):
    """Calm recordings say so."""
    result = run(*save(steps_of({}, us="B W Y", eu="B W Y")))
    assert (result.exit_code, result.stdout) == (0, "nothing lost in 4 records of 1 items\n")


def test_a_damaged_line_is_told_and_the_rest_is_read(run):
    """The exit code says that not everything was read; what was lost elsewhere is told all the same."""
    arguments = save(one_loss())
    path = Path("us-east-1")
    path.write_text(path.read_text() + '{"eventName":\n7\n{"eventName": "MODIFY", "dynamodb": {}}\n')
    result = run("--json", *arguments)
    assert json.loads(result.stdout)["sequence_number"] == "us1"
    assert result.stderr.splitlines() == [
        "damaged: us-east-1:3: is damaged: Expecting value (column 1)",
        "damaged: us-east-1:4: is no stream record",
        "damaged: us-east-1:5: is no stream record",
        "1 lost write in 3 records of 1 items, 3 damaged",
    ]
    assert result.exit_code == 2


def test_a_damaged_first_line_is_no_document(run):
    """What follows is still read line by line."""
    arguments = save(one_loss())
    path = Path("us-east-1")
    path.write_text("{broken\n" + path.read_text())
    result = run("--json", *arguments)
    assert json.loads(result.stdout)["sequence_number"] == "us1"
    assert result.stderr.startswith("damaged: us-east-1:1: is damaged: ")
    assert result.exit_code == 2


def test_a_cut_gzip_gives_what_stands_before_the_cut(run):
    """Its end is told as damage."""
    steps = play(1, signed, steps=3_000).streams["item-1"]
    arguments = save(steps, gzipped)
    path = Path("us-east-1")
    path.write_bytes(path.read_bytes()[:-20])
    result = run("--json", *arguments)
    assert "damaged: us-east-1: cannot be read: Compressed file ended" in result.stderr
    assert result.exit_code == 2


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        (["us-east-1=none", "eu-west-1=none"], "Error: none: cannot be read: No such file or directory"),
        (["us-east-1=none"], "recordings of two Regions, or more, are needed"),
        (["us-east-1"], "'us-east-1' is not REGION=FILE"),
        (["a=-", "b=-"], "only one recording can be standard input"),
        (["a=folder", "b=folder"], "folder: holds no manifest-summary.json"),
        (["--policy", "none", "a=x", "b=y"], "File 'none' does not exist"),
    ],
)
def test_wrong_input_is_one_line_and_exit_code_2(run, arguments, problem):
    """Whoever mistypes is told what."""
    Path("folder").mkdir()
    result = run(*arguments)
    assert problem in result.stderr
    assert (result.exit_code, result.stdout) == (2, "")


def test_empty_recordings_have_lost_nothing(run):
    """An empty file is a recording of nothing."""
    for name in ("a", "b"):
        Path(name).write_text("")
    result = run("a=a", "b=b")
    assert (result.exit_code, result.stdout) == (0, "nothing lost in 0 records of 0 items\n")


def test_keys_only_records_are_no_evidence(run):
    """A stream without both images cannot say what was lost: that is told, not passed over."""
    keys = {"Keys": {"Id": {"S": "x"}}, "SequenceNumber": "1", "StreamViewType": "KEYS_ONLY"}
    for name in ("a", "b"):
        Path(name).write_text(json.dumps({"eventName": "MODIFY", "dynamodb": keys}))
    result = run("a=a", "b=b")
    assert "a:1: shows KEYS_ONLY: both images are needed" in result.stderr
    assert result.exit_code == 2


def test_standard_input_is_a_recording(run, monkeypatch):
    """One of the recordings may come from a pipe, compressed or not."""
    save(one_loss())
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(gzip.compress(Path("us-east-1").read_bytes()))))
    folder = Path("kept")
    folder.mkdir()
    found = list(pipeline.audit([("us-east-1", "-"), ("eu-west-1", "eu-west-1")]))
    assert [lost.sequence_number for lost in found] == ["us1"]


def test_many_small_chunks_and_files_find_the_same(run, monkeypatch):
    """However the work is cut, over processes too, the same losses are found, and lines keep their numbers."""
    world = play(3, signed, steps=600)
    texts = dict.fromkeys(world.regions, "")
    for item, steps in world.streams.items():
        for region, own in steps.items():
            texts[region] += lines(own, item)
    for region, text in texts.items():
        Path(region).write_text(text + "damaged\n")
    arguments = [f"{region}={region}" for region in world.regions]
    whole = run("--json", *arguments)
    monkeypatch.setattr(sources, "CHUNK_BYTES", 5_000)
    monkeypatch.setattr(fetch, "GROUP_BYTES", 20_000)
    monkeypatch.setattr(fetch, "SPILL_BYTES", 1_000)
    monkeypatch.setattr(pipeline, "MIN_BYTES_FOR_PROCESSES", 1)
    cut = run("--json", *arguments)
    found = {
        (one["key"]["Id"], one["region"], one["sequence_number"]) for one in map(json.loads, cut.stdout.splitlines())
    }
    assert found == world.lost
    assert sorted(cut.stdout.splitlines()) == sorted(whole.stdout.splitlines())
    assert cut.stderr == whole.stderr
    assert f"us-east-1:{texts['us-east-1'].count(chr(10)) + 1}: is damaged" in cut.stderr


def test_real_recordings_with_ledgers_are_exact(run):
    """Two Regions' streams from a real engine: what each history lost, and the plain item approximately."""
    result = run("--json", *(f"{region}={RECORDINGS / region}.ndjson" for region in ("us-east-1", "eu-west-1")))
    found = {one["key"]["Id"]: one for one in map(json.loads, result.stdout.splitlines())}
    told = {key: (one["region"], one["exactness"]) for key, one in found.items()}
    assert told == {
        "lost-in-a": ("us-east-1", "exact"),
        "lost-in-b": ("eu-west-1", "exact"),
        "deleted": ("eu-west-1", "exact"),
        "delete-lost": ("us-east-1", "exact"),
        "manual": ("us-east-1", "exact"),
        "plain": ("us-east-1", "approximate"),
    }
    assert found["lost-in-a"]["attributes"] == ["Balance", "Data", "Profile", "Status", "Tags"]


def test_a_policy_names_the_regions_of_ledgers(run):
    """With the policy's list of Regions the same is found."""
    arguments = [f"{region}={RECORDINGS / region}.ndjson" for region in ("us-east-1", "eu-west-1")]
    with_policy = run("--json", "--policy", str(RECORDINGS / "policy.toml"), *arguments)
    assert with_policy.stdout == run("--json", *arguments).stdout


def test_the_help_has_an_example(run):
    """Whoever asks sees how it is typed."""
    assert "python -m replay_tools audit us-east-1=us.ndjson.gz eu-west-1=eu.ndjson.gz" in run("--help").stdout
