"""Fetch: the whole records of the keys that are looked at closely, brought to files of a bearable size."""

import json
from collections.abc import Iterator, Sequence
from contextlib import suppress
from itertools import groupby
from pathlib import Path
from typing import IO, Any, NamedTuple

import orjson

from replay_tools.audit.sources import Source
from replay_tools.audit.suspects import Place
from replay_tools.inputs import BUFFER_BYTES, RecordingError, opened
from replay_tools.inputs_json import is_json, parse
from replay_tools.inputs_records import Unpacker

GROUP_BYTES = 8 << 20
"""About as much of records as is in memory at a time; a single key's are never parted."""
MEAN_BYTES = 1_500
SPILL_BYTES = 64 << 10


class Fetched(NamedTuple):
    """One record, its Region, and its key's fingerprint."""

    key: int
    region: str
    raw: Any


def fetch(places: Sequence[tuple[int, Place]], sources: Sequence[Source], folder: Path) -> list[Path]:
    """Write the records to files, each key's to one, in the order of each Region's recording; return the files."""
    count = max(1, len(places) * MEAN_BYTES // GROUP_BYTES)
    spills = [_Spill(folder / f"{number:05}.records") for number in range(count)]
    ordered = sorted((place, key) for key, place in places)
    for number, held in groupby(ordered, key=lambda found: found[0][0]):
        source = sources[number]
        for key, raw in _records(source, [(offset, position, key) for (_, offset, position), key in held]):
            spills[key % count].add(_line(key, source.region, raw))
    for spill in spills:
        spill.flush()
    return [spill.path for spill in spills]


def read_group(path: Path) -> dict[int, list[Fetched]]:
    """Return a file's records by key."""
    by_key: dict[int, list[Fetched]] = {}
    with path.open("rb") as file:
        for line in file:
            found = Fetched(*parse(line))
            by_key.setdefault(found.key, []).append(found)
    return by_key


def _records(source: Source, wanted: Sequence[tuple[int, int, int]]) -> Iterator[tuple[int, Any]]:
    """Yield the records at these offsets, in order: a compressed file is read through once.

    What its damage hides was told when it was scanned.
    """
    with suppress(RecordingError), opened(source.path) as file:
        at = 0
        for offset, group in groupby(wanted, key=lambda place: place[0]):
            _forward(file, at, offset)
            text = file.readline()
            at = offset + len(text)
            if not is_json(text):
                text += file.read()
            records = [raw for _, raw in Unpacker(lambda _: None).records_in(parse(text), source.name)]
            for _, position, key in group:
                yield key, records[position]


def _forward(file: IO[bytes], at: int, offset: int) -> None:
    """Go on to `offset`: where a file is compressed, by reading."""
    if file.seekable():
        file.seek(offset)
        return
    while at < offset:
        at += len(file.read(min(offset - at, BUFFER_BYTES)))


def _line(key: int, region: str, raw: Any) -> bytes:  # noqa: ANN401 - any JSON
    try:
        return orjson.dumps([key, region, raw])
    except TypeError:  # half a character, which orjson does not write
        return json.dumps([key, region, raw]).encode()


class _Spill:
    """A file, and what is still to be written to it."""

    def __init__(self, path: Path) -> None:
        self.path, self._lines, self._size = path, list[bytes](), 0

    def add(self, line: bytes) -> None:
        self._lines += line, b"\n"
        self._size += len(line)
        if self._size >= SPILL_BYTES:
            self.flush()

    def flush(self) -> None:
        with self.path.open("ab") as file:
            file.writelines(self._lines)
        self._lines.clear()
        self._size = 0
