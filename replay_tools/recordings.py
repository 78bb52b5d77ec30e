"""Recordings: stream records in a file, whatever wrote it, told by what is in it and not by its name.

    NDJSON              one record a line (or one event, answer or list a line)
    a Lambda event      {"Records": [...]}, as a test event or a log has it
    GetRecords' answer  {"Records": [...], "NextShardIterator": ...}, as the AWS command line prints it
    a JSON list         [...]
    Kinesis, incremental exports, poison messages: see `inputs_records`

each plain or compressed with gzip or zstd, ``-`` for standard input. An export is the folder that its manifest is in;
what begins with ``s3://`` is read there.
NDJSON is read line by line, in bounded memory.
"""

import json
from collections.abc import Iterable, Iterator
from contextlib import ExitStack
from itertools import starmap
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import IO, NamedTuple

from reconciler.records import RawRecord
from replay_tools.inputs import Damage, OnDamage, RecordingError, name_of, opened, refuse
from replay_tools.inputs_export import files_of
from replay_tools.inputs_json import place_of, read_values
from replay_tools.inputs_records import Unpacker
from replay_tools.inputs_s3 import copied, is_in_s3

__all__ = ["Damage", "Recorded", "RecordingError", "read_recording", "write_recording"]


class Recorded(NamedTuple):
    """One record, and where it stands: ``file:line``, and which one where a line holds several."""

    place: str
    raw: RawRecord


def read_recording(path: str, on_damage: OnDamage = refuse) -> Iterator[Recorded]:
    """Yield the records of a file, a folder or standard input.

    What is damaged goes to `on_damage`, and the rest is read on; without it, RecordingError names the line.
    A file that cannot be opened, or whose compression is damaged, is a RecordingError in any case.
    """
    with ExitStack() as stack:
        if is_in_s3(path):
            path = copied(path, Path(stack.enter_context(TemporaryDirectory())))
        for file_path in files_of(path, on_damage):
            yield from _read(file_path, on_damage)


def _read(path: str, on_damage: OnDamage) -> Iterator[Recorded]:
    unpacker, name = Unpacker(on_damage), name_of(path)
    with opened(path) as file:
        for number, _, value in read_values(file, name, on_damage):
            yield from starmap(Recorded, unpacker.records_in(value, place_of(name, number)))
    unpacker.end(name)


def write_recording(records: Iterable[RawRecord], file: IO[str]) -> int:
    """Write NDJSON, each line at once, so that whatever stops it leaves whole lines; return how many."""
    count = 0
    for raw in records:
        file.write(json.dumps(raw, separators=(",", ":")) + "\n")
        file.flush()
        count += 1
    return count
