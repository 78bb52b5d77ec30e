"""Recordings and exports that lie in S3."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest
from moto import mock_aws

from reconciler.errors import ConfigurationError
from replay_tools.audit.audit import audit
from replay_tools.recordings import RecordingError, read_recording
from tests.replay.test_recordings_inputs import STREAM, export, numbers


@pytest.fixture
def bucket(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """A bucket in this process."""
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "testing")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    with mock_aws():
        client = boto3.client("s3")
        client.create_bucket(Bucket="exports")
        yield client


def upload(client: Any, folder: Path, prefix: str) -> None:
    """Put every file of a folder under a prefix."""
    for path in sorted(folder.rglob("*.*")):
        if path.is_file():
            client.upload_file(str(path), "exports", f"{prefix}{path.relative_to(folder)}")


def test_an_object_is_a_recording(bucket):
    """Whatever a file may be, an object may be."""
    record = {"eventName": "MODIFY", "dynamodb": STREAM}
    bucket.put_object(Bucket="exports", Key="night/stream.ndjson", Body=json.dumps(record))
    assert [recorded.raw for recorded in read_recording("s3://exports/night/stream.ndjson")] == [record]


def test_an_export_is_read_where_aws_put_it(bucket, tmp_path):
    """The manifest's folder is named; the data files are found by their keys."""
    export(tmp_path, "0169", ["1", "2"])
    upload(bucket, tmp_path, "")
    damages: list[Any] = []
    assert numbers("s3://exports/AWSDynamoDB/0169/", damages) == ["1", "2"]
    assert damages == []


def test_two_regions_exports_are_audited(bucket, tmp_path):
    """Both may lie in one bucket."""
    export(tmp_path, "0169", ["1", "2"])
    upload(bucket, tmp_path, "")
    place = "s3://exports/AWSDynamoDB/0169/"
    assert list(audit([("us-east-1", place), ("eu-west-1", place)])) == []


def test_a_data_file_that_is_gone_is_told(bucket, tmp_path):
    """And a line of the manifest that names none; the rest is read."""
    own = export(tmp_path, "0169", ["1", "2"])
    with (own / "manifest-files.json").open("a") as file:
        file.write("{}\n")
    upload(bucket, tmp_path, "")
    bucket.delete_object(Bucket="exports", Key="AWSDynamoDB/data/0169-0.json.gz")
    damages: list[Any] = []
    assert numbers("s3://exports/AWSDynamoDB/0169/", damages) == ["2"]
    assert [damage.problem for damage in damages] == [
        "0169-0.json.gz is not here",
        "is damaged: it names no dataFileS3Key",
    ]


def test_what_is_not_there_is_one_line(bucket):
    """No such object, no such bucket."""
    with pytest.raises(RecordingError, match=r"s3://exports/none: is no object, and holds no manifest-summary\.json"):
        list(read_recording("s3://exports/none"))
    with pytest.raises(ConfigurationError, match=r"s3://nowhere/none: .*NoSuchBucket"):
        list(read_recording("s3://nowhere/none"))


def test_an_object_that_cannot_be_read_is_one_line(bucket, tmp_path):
    """An export whose list of files is missing names the object."""
    own = export(tmp_path, "0169", ["1"])
    (own / "manifest-files.json").unlink()
    upload(bucket, tmp_path, "")
    with pytest.raises(ConfigurationError, match=r"s3://exports/AWSDynamoDB/0169/manifest-files\.json: .*Not Found"):
        list(read_recording("s3://exports/AWSDynamoDB/0169/"))
