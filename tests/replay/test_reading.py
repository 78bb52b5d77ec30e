"""Reading recordings: whatever wrote them, wherever they are damaged."""

import gzip
import io
import json
import sys
import tracemalloc
from pathlib import Path
from typing import Any

import pytest

from replay_tools import inputs_json
from replay_tools.recordings import RecordingError, read_recording, write_recording


def raw(number: int) -> dict[str, Any]:
    """Return a record as it stands in a Lambda event."""
    return {"eventName": "INSERT", "dynamodb": {"SequenceNumber": str(number)}}


ONE, TWO = raw(1), raw(2)


@pytest.mark.parametrize(
    "text",
    [
        pytest.param(f"{json.dumps(ONE)}\n\n{json.dumps(TWO)}", id="NDJSON with an empty line"),
        pytest.param(json.dumps({"Records": [ONE, TWO]}), id="a Lambda event"),
        pytest.param(json.dumps({"Records": [ONE, TWO], "NextShardIterator": "x"}, indent=2), id="a GetRecords answer"),
        pytest.param(json.dumps([ONE, TWO], indent=1), id="a list"),
        pytest.param(f"{json.dumps({'Records': [ONE]})}\n{json.dumps([TWO])}\n", id="an event a line"),
    ],
)
@pytest.mark.parametrize("compressed", [False, True])
def test_every_form_is_told_by_its_content(tmp_path: Path, text: str, *, compressed: bool) -> None:
    """The same records come out of every form, compressed or not, whatever the file's name."""
    path = tmp_path / "recording.txt"
    path.write_bytes(gzip.compress(text.encode()) if compressed else text.encode())
    assert [recorded.raw for recorded in read_recording(str(path))] == [ONE, TWO]


def test_a_place_names_file_line_and_record(tmp_path: Path) -> None:
    """Each record says where it stands, and which one of a line's it is."""
    path = tmp_path / "r.ndjson"
    path.write_text(f"\n{json.dumps(ONE)}\n{json.dumps([TWO, TWO])}\n")
    assert [recorded.place for recorded in read_recording(str(path))] == [
        f"{path}:2",
        f"{path}:3 (record 1)",
        f"{path}:3 (record 2)",
    ]


def test_standard_input_is_read_and_stays_open(monkeypatch: pytest.MonkeyPatch) -> None:
    """``-`` is standard input."""
    stream = io.TextIOWrapper(io.BytesIO(json.dumps(ONE).encode()))
    monkeypatch.setattr(sys, "stdin", stream)
    assert [recorded.place for recorded in read_recording("-")] == ["standard input:1"]
    assert not stream.buffer.closed


def test_the_aws_command_lines_dates_become_seconds(tmp_path: Path) -> None:
    """A date becomes the number that a Lambda event has; what is no date stays."""
    path = tmp_path / "answer.json"
    bodies = [{"ApproximateCreationDateTime": time} for time in ("2023-11-14T22:13:20+00:00", "yesterday")]
    path.write_text(json.dumps({"Records": [{"dynamodb": body} for body in bodies]}))
    times = [recorded.raw["dynamodb"]["ApproximateCreationDateTime"] for recorded in read_recording(str(path))]
    assert times == [1_700_000_000, "yesterday"]


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (
            f"{json.dumps(ONE)}\n{json.dumps(TWO)[:-3]}\n".encode(),
            ":2: is damaged: Invalid control character",
        ),
        (b'{"Records": [\n{"eventName": }\n]}', ":2: is damaged: Expecting value (column"),
        (json.dumps(ONE).encode() + b'\n"\xff"', ":2: is damaged: not UTF-8"),
        (b"7", ":1: is no stream record"),
        (b'{"Records": [7]}', ":1 (record 1): is no stream record"),
        (b"[" * 2_000_000, ": is nested too deeply"),
        (gzip.compress(json.dumps(ONE).encode() * 99, mtime=0)[:-20], ": cannot be read: Compressed file ended"),
        (gzip.compress(b"{}", mtime=0)[:12] + b"spoilt", ": cannot be read: "),
    ],
)
def test_damage_is_one_error_that_names_the_line(tmp_path: Path, content: bytes, problem: str) -> None:
    """A reader is told which file, which line, and what is wrong there."""
    path = tmp_path / "damaged"
    path.write_bytes(content)
    with pytest.raises(RecordingError) as caught:
        list(read_recording(str(path)))
    assert str(caught.value).startswith(f"{path}{problem}")


def test_what_stands_before_the_damage_is_read(tmp_path: Path) -> None:
    """Lines are read one by one: a damaged one does not hide those before it."""
    path = tmp_path / "damaged.ndjson"
    path.write_text(f"{json.dumps(ONE)}\nnothing\n")
    reading = read_recording(str(path))
    assert next(reading).raw == ONE
    with pytest.raises(RecordingError, match=":2: is damaged"):
        next(reading)


def test_a_missing_file_is_an_error(tmp_path: Path) -> None:
    """A file that cannot be opened says so."""
    with pytest.raises(RecordingError, match="cannot be read: No such file"):
        list(read_recording(str(tmp_path / "none")))


@pytest.mark.parametrize(
    ("content", "limit", "problem"),
    [
        (b'{"a": "' + b"x" * 99 + b'"}', "MAX_LINE_BYTES", ":1: has more than 50 bytes"),
        (b"{\n" + b" " * 99 + b"}", "MAX_DOCUMENT_BYTES", ": one document of more than 50 bytes"),
    ],
)
def test_nothing_is_read_without_bound(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, content: bytes, limit: str, problem: str
) -> None:
    """A line, or a document over several lines, has a greatest size."""
    monkeypatch.setattr(inputs_json, limit, 50)
    path = tmp_path / "huge"
    path.write_bytes(content)
    with pytest.raises(RecordingError) as caught:
        list(read_recording(str(path)))
    assert str(caught.value).startswith(f"{path}{problem}")


def test_a_long_recording_is_read_in_bounded_memory(tmp_path: Path) -> None:
    """Ten megabytes of lines take less than one of memory."""
    path = tmp_path / "long.ndjson"
    line = json.dumps({"eventName": "INSERT", "dynamodb": {"Filler": "x" * 10_000}}) + "\n"
    path.write_text(line * 1_000)
    tracemalloc.start()
    count = sum(1 for _ in read_recording(str(path)))
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert count == 1_000
    assert peak < 1_000_000


def test_what_was_written_reads_the_same() -> None:
    """Text beyond ASCII, and even half a character, survives."""
    odd = {"eventName": "INSERT", "dynamodb": {"NewImage": {"Data": {"S": "é\ud800\n"}}}}
    sink = io.StringIO()
    assert write_recording([odd, ONE], sink) == 2
    assert [json.loads(line) for line in sink.getvalue().splitlines()] == [odd, ONE]
