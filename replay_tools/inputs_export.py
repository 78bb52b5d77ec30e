"""Incremental exports to S3, as AWS lays them out: the manifest names the data files of one export.

    AWSDynamoDB/<export>/manifest-summary.json    what was exported, and how
    AWSDynamoDB/<export>/manifest-files.json      a line for each data file
    AWSDynamoDB/data/<name>.json.gz               a line for each item that changed

https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/S3DataExport.Output.html
"""

import json
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import Any

from replay_tools.inputs import Damage, OnDamage, RecordingError

SUMMARY, FILES = "manifest-summary.json", "manifest-files.json"
WANTED = {"exportType": "INCREMENTAL_EXPORT", "outputFormat": "DYNAMODB_JSON", "outputView": "NEW_AND_OLD_IMAGES"}


def files_of(path: str, on_damage: OnDamage) -> Iterator[str]:
    """Yield the files that a path stands for: itself, or the data files of the exports in a folder, oldest first."""
    folder = Path(path)
    if path == "-" or not folder.is_dir():
        yield path
        return
    summaries = [(_document(file), file.parent) for file in sorted(folder.rglob(SUMMARY))]
    if not summaries:
        raise RecordingError(f"{path}: holds no {SUMMARY}: it is no export")
    for summary, export in sorted(summaries, key=lambda found: (str(found[0].get("exportFromTime")), str(found[1]))):
        _refuse_other_exports(summary, export / SUMMARY)
        yield from _data_files(export, on_damage)


def _refuse_other_exports(summary: dict[str, Any], place: Path) -> None:
    for name, wanted in WANTED.items():
        if summary.get(name, wanted) != wanted:
            raise RecordingError(f"{place}: {name} is {summary[name]!r}; only {wanted} shows what was overwritten")
    if "exportType" not in summary:
        raise RecordingError(f"{place}: is a full export; only {WANTED['exportType']} shows what was overwritten")


def _data_files(export: Path, on_damage: OnDamage) -> Iterator[str]:
    manifest = export / FILES
    for number, line in enumerate(_read(manifest).splitlines(), 1):
        place = f"{manifest}:{number}"
        try:
            key = json.loads(line)["dataFileS3Key"]
        except (ValueError, KeyError, TypeError):
            on_damage(Damage(place, "is damaged: it names no dataFileS3Key"))
            continue
        found = _found(export, str(key))
        if found is None:
            on_damage(Damage(place, f"{PurePosixPath(str(key)).name} is not here"))
        else:
            yield str(found)


def _found(export: Path, key: str) -> Path | None:
    """Return where a data file was put: in the bucket's own layout, or beside the manifest."""
    name = PurePosixPath(key).name
    places = (export.parent / "data" / name, export / "data" / name, export / name)
    return next((place for place in places if place.is_file()), None)


def _document(path: Path) -> dict[str, Any]:
    try:
        document = json.loads(_read(path))
    except ValueError:
        raise RecordingError(f"{path}: is damaged: not JSON") from None
    if not isinstance(document, dict):
        raise RecordingError(f"{path}: is damaged: not a JSON object")
    return document


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise RecordingError(f"{path}: cannot be read: {getattr(error, 'strerror', None) or error}") from error
