"""Inputs in S3: an object, or an incremental export where AWS has put it, copied to a folder before it is read.

An export is read where its manifest stands; its data files lie elsewhere in the bucket, under the keys that it names.
"""

import json
from pathlib import Path, PurePosixPath
from typing import Protocol

from replay_tools.inputs import RecordingError
from replay_tools.inputs_export import FILES, SUMMARY

SCHEME = "s3://"


class Objects(Protocol):
    """A bucket, as far as it is read."""

    def keys(self, prefix: str) -> list[str]:
        """Return the keys that begin so."""
        ...

    def copy(self, key: str, path: Path) -> None:
        """Leave the object's bytes in a file."""
        ...


def is_in_s3(path: str) -> bool:
    """Say whether a path is in S3."""
    return path.startswith(SCHEME)


def copied(path: str, folder: Path) -> str:
    """Copy what an ``s3://bucket/key`` stands for to `folder`; return where its copy can be read."""
    from replay_tools.bucket import Bucket  # noqa: PLC0415 - boto3 takes 200 ms

    name, _, prefix = path.removeprefix(SCHEME).partition("/")
    bucket = Bucket(name)
    keys = bucket.keys(prefix)
    if keys == [prefix]:
        copy = folder / PurePosixPath(prefix).name
        bucket.copy(prefix, copy)
        return str(copy)
    exports = [key for key in keys if PurePosixPath(key).name == SUMMARY]
    if not exports:
        raise RecordingError(f"{path}: is no object, and holds no {SUMMARY}")
    for key in exports:
        _copy_export(bucket, PurePosixPath(key).parent, folder)
    return str(folder)


def _copy_export(bucket: Objects, export: PurePosixPath, folder: Path) -> None:
    """Copy one export's manifest and data files, in the layout that AWS gives them."""
    own, data = folder / export.name, folder / "data"
    own.mkdir(parents=True)
    data.mkdir(exist_ok=True)
    for name in (SUMMARY, FILES):
        bucket.copy(str(export / name), own / name)
    for line in (own / FILES).read_text(encoding="utf-8").splitlines():
        key = _data_key(line)
        if key and bucket.keys(key):
            bucket.copy(key, data / PurePosixPath(key).name)


def _data_key(line: str) -> str:
    """Return the key of a data file; nothing where the line is damaged, which is told when it is read."""
    try:
        return str(json.loads(line)["dataFileS3Key"])
    except (ValueError, KeyError, TypeError):
        return ""
