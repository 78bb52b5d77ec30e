"""Whatever carries stream records: Kinesis, exports, poison messages, zstd; and what is damaged in them."""

import gzip
import json
from base64 import b64encode
from pathlib import Path
from typing import Any

import pytest
import zstandard

from reconciler.poison import PoisonMessage, bodies
from replay_tools import inputs_records
from replay_tools.recordings import Damage, RecordingError, read_recording

KEYS = {"Id": {"S": "x"}}
OLD, NEW = {**KEYS, "Data": {"S": "old"}}, {**KEYS, "Data": {"S": "new"}}
STREAM = {"Keys": KEYS, "OldImage": OLD, "NewImage": NEW, "StreamViewType": "NEW_AND_OLD_IMAGES"}


def read(tmp_path: Path, *values: Any) -> tuple[list[Any], list[Damage]]:
    """Write one value a line; return the records that are read, and what is damaged."""
    path = tmp_path / "recording"
    path.write_text("\n".join(map(json.dumps, values)))
    damages: list[Damage] = []
    return [recorded.raw for recorded in read_recording(str(path), damages.append)], damages


KINESIS = {
    "awsRegion": "us-east-1",
    "eventID": "e1",
    "eventName": "MODIFY",
    "userIdentity": None,
    "recordFormat": "application/json",
    "tableName": "Accounts",
    "dynamodb": {"ApproximateCreationDateTime": 1_700_000_000_123, "Keys": KEYS, "OldImage": OLD, "NewImage": NEW},
    "eventSource": "aws:dynamodb",
}
DATA = b64encode(json.dumps(KINESIS).encode()).decode()


@pytest.mark.parametrize(
    "carrier",
    [
        pytest.param({"Records": [{"kinesis": {"data": DATA}, "eventSource": "aws:kinesis"}]}, id="a Lambda event"),
        pytest.param({"Records": [{"Data": DATA, "SequenceNumber": "1"}], "NextShardIterator": "x"}, id="GetRecords"),
        pytest.param(KINESIS, id="the record by itself"),
    ],
)
def test_a_kinesis_record_becomes_a_stream_record(tmp_path, carrier):
    """Its time is in seconds, to the millisecond, and its event's id stands for the sequence number."""
    ((raw,), damages) = read(tmp_path, carrier)
    assert raw["dynamodb"] == {
        "SequenceNumber": "e1",
        "ApproximateCreationDateTime": 1_700_000_000.123,
        "Keys": KEYS,
        "OldImage": OLD,
        "NewImage": NEW,
    }
    assert damages == []


def test_kinesis_may_count_microseconds(tmp_path):
    """The record says so."""
    finer = {
        "ApproximateCreationDateTime": 1_700_000_000_123_456,
        "ApproximateCreationDateTimePrecision": "MICROSECOND",
    }
    ((raw,), _) = read(tmp_path, {**KINESIS, "dynamodb": {**STREAM, **finer}})
    assert raw["dynamodb"]["ApproximateCreationDateTime"] == 1_700_000_000.123456


@pytest.mark.parametrize("data", [None, "no base64!", b64encode(b"{").decode(), b64encode(b'{"other": 1}').decode()])
def test_kinesis_data_of_someone_else_is_damage(tmp_path, data):
    """A stream that carries other things is told."""
    raws, (damage,) = read(tmp_path, {"kinesis": {"data": data}})
    assert raws == []
    assert damage.problem == "is a Kinesis record whose data is no change record"


# Incremental exports


def line(micros: Any, **images: Any) -> dict[str, Any]:
    """Return a line of a data file."""
    return {"Metadata": {"WriteTimestampMicros": micros}, "Keys": KEYS, **images}


@pytest.mark.parametrize("micros", [{"N": "1700000000123456"}, "1700000000123456", 1_700_000_000_123_456])
def test_an_exports_line_becomes_a_stream_record(tmp_path, micros):
    """Its time in microseconds is its sequence number too."""
    ((raw,), _) = read(tmp_path, line(micros, OldImage=OLD, NewImage=NEW))
    body = {**STREAM, "SequenceNumber": "1700000000123456", "ApproximateCreationDateTime": 1_700_000_000.123456}
    assert raw == {"eventName": "MODIFY", "dynamodb": body}


@pytest.mark.parametrize(
    ("images", "name"), [({"NewImage": NEW}, "INSERT"), ({"OldImage": OLD}, "REMOVE"), ({}, "REMOVE")]
)
def test_the_images_tell_what_happened(tmp_path, images, name):
    """An export does not say it otherwise."""
    ((raw,), _) = read(tmp_path, line("1", **images))
    assert raw["eventName"] == name


@pytest.mark.parametrize(
    ("value", "problem"),
    [
        ({"Item": NEW}, "is a full export's line: only an incremental export has old and new images"),
        ({"Metadata": {}, "Keys": KEYS}, "is an export's line without WriteTimestampMicros"),
    ],
)
def test_what_shows_no_overwriting_is_damage(tmp_path, value, problem):
    """The line says why it is of no use."""
    raws, (damage,) = read(tmp_path, value)
    assert (raws, damage.problem) == ([], problem)


SUMMARY = {
    "exportType": "INCREMENTAL_EXPORT",
    "outputFormat": "DYNAMODB_JSON",
    "outputView": "NEW_AND_OLD_IMAGES",
    "exportFromTime": "2026-01-01T00:00:00Z",
}


def export(folder: Path, name: str, micros: list[str], **summary: Any) -> Path:
    """Write an export as AWS lays it out, a data file for each line, and one that is empty."""
    data, own = folder / "AWSDynamoDB" / "data", folder / "AWSDynamoDB" / name
    data.mkdir(parents=True, exist_ok=True)
    own.mkdir(parents=True)
    (own / "manifest-summary.json").write_text(json.dumps({**SUMMARY, **summary}))
    files = []
    for number, each in enumerate([*micros, None]):
        file = data / f"{name}-{number}.json.gz"
        text = json.dumps(line(each, OldImage=OLD, NewImage=NEW)) + "\n" if each else ""
        file.write_bytes(gzip.compress(text.encode()))
        files.append(json.dumps({"itemCount": 1, "dataFileS3Key": f"AWSDynamoDB/data/{file.name}"}))
    (own / "manifest-files.json").write_text("\n".join(files) + "\n")
    return own


def numbers(path: Path | str, damages: list[Damage]) -> list[str]:
    """Return the sequence numbers that are read."""
    return [recorded.raw["dynamodb"]["SequenceNumber"] for recorded in read_recording(str(path), damages.append)]


def test_an_export_is_read_by_its_manifest(tmp_path):
    """The folder of one export, or one with several: the data files of each, the older export first."""
    later = export(tmp_path, "a", ["3"], exportFromTime="2026-01-02T00:00:00Z")
    export(tmp_path, "b", ["1", "2"])
    damages: list[Damage] = []
    assert numbers(later, damages) == ["3"]
    assert numbers(tmp_path, damages) == ["1", "2", "3"]
    assert damages == []


def test_a_data_file_that_is_missing_is_told_and_the_rest_is_read(tmp_path):
    """The manifest's line names it."""
    own = export(tmp_path, "a", ["1", "2"])
    (tmp_path / "AWSDynamoDB" / "data" / "a-0.json.gz").unlink()
    with (own / "manifest-files.json").open("a") as file:
        file.write("{}\n")
    damages: list[Damage] = []
    assert numbers(own, damages) == ["2"]
    assert list(map(str, damages)) == [
        f"{own / 'manifest-files.json'}:1: a-0.json.gz is not here",
        f"{own / 'manifest-files.json'}:4: is damaged: it names no dataFileS3Key",
    ]


@pytest.mark.parametrize(
    ("summary", "problem"),
    [
        ({"exportType": "FULL_EXPORT"}, "exportType is 'FULL_EXPORT'; only INCREMENTAL_EXPORT"),
        ({"outputView": "NEW_IMAGE"}, "outputView is 'NEW_IMAGE'; only NEW_AND_OLD_IMAGES"),
        ({"outputFormat": "ION"}, "outputFormat is 'ION'; only DYNAMODB_JSON"),
    ],
)
def test_an_export_that_cannot_show_a_loss_is_refused(tmp_path, summary, problem):
    """The manifest says so before any data is read."""
    own = export(tmp_path, "a", ["1"], **summary)
    with pytest.raises(RecordingError, match=problem):
        numbers(own, [])


@pytest.mark.parametrize(
    ("text", "problem"), [("{", "is damaged: not JSON"), ("[]", "not a JSON object"), ("{}", "is a full export")]
)
def test_a_damaged_manifest_is_one_line(tmp_path, text, problem):
    """A summary that is none, or an older full export's, which does not name its type."""
    own = export(tmp_path, "a", ["1"])
    (own / "manifest-summary.json").write_text(text)
    with pytest.raises(RecordingError, match=problem):
        numbers(own, [])


def test_a_missing_list_of_files_is_one_line(tmp_path):
    """A copy that is not whole says so."""
    own = export(tmp_path, "a", ["1"])
    (own / "manifest-files.json").unlink()
    with pytest.raises(RecordingError, match=r"manifest-files\.json: cannot be read: No such file"):
        numbers(own, [])


# Poison messages


def message(size: int = 1) -> PoisonMessage:
    """Return a message whose images are so large."""
    large = {**NEW, "Filler": {"S": "x" * size}}
    return PoisonMessage("manual", "", "us-east-1", "Accounts", KEYS, "7", OLD, large, at_ms=1_700_000_000_000)


@pytest.mark.parametrize("wrap", [json.loads, lambda body: {"Body": body}, lambda body: {"Records": [{"body": body}]}])
def test_a_poison_message_is_the_record_that_it_is_about(tmp_path, wrap):
    """By itself, as the queue gives it, or as a Lambda function gets it."""
    ((raw,), damages) = read(tmp_path, *map(wrap, bodies(message())))
    assert (raw["eventName"], raw["awsRegion"], raw["dynamodb"]["OldImage"]) == ("MODIFY", "us-east-1", OLD)
    assert raw["dynamodb"]["SequenceNumber"] == "7"
    assert raw["dynamodb"]["ApproximateCreationDateTime"] == 1_700_000_000
    assert damages == []


def test_a_poison_message_in_parts_is_one_record(tmp_path):
    """The parts come in any order; other records stand between them."""
    first, *rest = map(json.loads, bodies(message(), max_bytes=4_300))
    assert rest
    raws, damages = read(tmp_path, *rest, {"eventName": "INSERT", "dynamodb": STREAM}, first)
    assert [raw["eventName"] for raw in raws] == ["INSERT", "MODIFY"]
    assert damages == []


def test_a_poison_message_whose_parts_are_missing_is_told(tmp_path):
    """What never comes is no record."""
    part, *_ = map(json.loads, bodies(message(), max_bytes=4_300))
    raws, (damage,) = read(tmp_path, part)
    assert raws == []
    assert damage.problem == f"poison message {message().id}: only 1 of its parts came"


def test_parts_that_wait_are_bounded(tmp_path, monkeypatch):
    """A flood of half messages does not fill the memory."""
    monkeypatch.setattr(inputs_records, "MAX_PENDING", 1)
    parts = [json.loads(bodies(message(size), max_bytes=4_300)[0]) for size in (1, 2)]
    _, damages = read(tmp_path, *parts)
    assert damages[0].problem == "more than 1 poison messages lack parts"


def test_another_queues_message_is_damage(tmp_path):
    """It is a message, and none of ours."""
    raws, (damage,) = read(tmp_path, {"Body": '{"order": 1}'})
    assert (raws, damage.problem) == ([], "is a message, but none of the poison queue's")


# zstd, and reading on


def test_zstd_is_told_by_its_content(tmp_path):
    """Several frames are one recording, and a spoilt one is one error."""
    path = tmp_path / "recording"
    path.write_bytes(b"".join(zstandard.compress(json.dumps(KINESIS).encode() + b"\n") for _ in range(3)))
    assert len(list(read_recording(str(path)))) == 3
    path.write_bytes(path.read_bytes()[:20] + b"spoilt" + path.read_bytes()[26:])
    with pytest.raises(RecordingError, match="cannot be read: zstd"):
        list(read_recording(str(path)))


def test_damage_does_not_stop_the_rest(tmp_path):
    """Who asks to be told of damage gets everything else."""
    path = tmp_path / "recording"
    good = json.dumps({"eventName": "INSERT", "dynamodb": STREAM})
    path.write_text("\n".join([good, "{", good, "[" * 200_000, "7", good]))
    damages: list[Damage] = []
    assert len(list(read_recording(str(path), damages.append))) == 3
    assert [damage.place.rpartition("recording")[2] for damage in damages] == [":2", ":4", ":5"]
