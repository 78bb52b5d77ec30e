"""Scan: every record of a chunk becomes 48 bytes in one of many small files, chosen by its key.

key | old | new    fingerprints         region, source | place in its line | offset
"""

import re
import struct
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import orjson

from reconciler.records import VIEW
from replay_tools.audit.fingerprint import NOTHING, fingerprint
from replay_tools.audit.sources import Chunk, Source
from replay_tools.inputs import BUFFER_BYTES, Damage, RecordingError, name_of, opened
from replay_tools.inputs_json import place_of, read_values
from replay_tools.inputs_records import Unpacker

ENTRY = struct.Struct("=qqqHHIq")
_dumps, _SORTED = orjson.dumps, orjson.OPT_SORT_KEYS
_LINE = re.compile(r":(\d+)(?=$| \(record )")
FLUSH_ENTRIES = 1 << 16
MAX_TOLD = 1_000
"""Of more damaged lines than this in a chunk, only the number is kept."""


class Scanned(NamedTuple):
    """What a chunk held."""

    size: int
    records: int
    damaged: int
    damages: list[Damage]


class Partitions:
    """Writes entries to one file for each slice of the keys, a buffer for each."""

    def __init__(self, folder: Path, label: str, count: int) -> None:
        """Begin new files in `folder`, named after `label`."""
        self._paths = [folder / f"{partition:04}.{label}" for partition in range(count)]
        self._buffers = [bytearray() for _ in self._paths]

        self._added = 0

    def add(self, key: int, entry: bytes) -> None:
        """Put an entry with those of its key."""
        self._buffers[key % len(self._buffers)] += entry
        self._added += 1
        if self._added == FLUSH_ENTRIES:
            self.flush()

    def flush(self) -> None:
        """Write what is in the buffers."""
        for path, buffer in zip(self._paths, self._buffers, strict=True):
            if buffer:
                with path.open("ab") as file:
                    file.write(buffer)
                buffer.clear()
        self._added = 0


def scan(chunk: Chunk, source: Source, region: int, folder: Path, partitions: int) -> Scanned:
    """Write the chunk's entries; what is damaged is told, and the rest read on."""
    damages: list[Damage] = []
    written = Partitions(folder, f"{chunk.source:05}.{chunk.start:015}", partitions)
    records, pack, add = 0, ENTRY.pack, written.add
    for number, offset, position, raw in _read(chunk, source, damages):
        try:
            body = raw["dynamodb"]
            key = hash(_dumps(body["Keys"], option=_SORTED))
            old, new = fingerprint(body.get("OldImage")), fingerprint(body.get("NewImage"))
            view = body.get("StreamViewType", VIEW)
        except (KeyError, TypeError, AttributeError):  # half a character in a key is none that DynamoDB holds
            damages.append(Damage(place_of(source.name, number), "is no stream record"))
            continue
        if view != VIEW or old == new == NOTHING:
            damages.append(Damage(place_of(source.name, number), f"shows {view}: both images are needed"))
            continue
        add(key, pack(key, old, new, region, chunk.source, position, offset))
        records += 1
    written.flush()
    told = damages[:MAX_TOLD]
    return Scanned(chunk.size, records, len(damages), _numbered(told, source, chunk.start) if chunk.start else told)


_Found = tuple[int, int, int, Any]


def _read(chunk: Chunk, source: Source, damages: list[Damage]) -> Iterator[_Found]:
    """Yield each record's line, its offset, its position in what stands there, and itself; damage is appended."""
    unpacker, name = Unpacker(damages.append), source.name
    try:
        with opened(source.path) as file:
            if chunk.start:
                file.seek(chunk.start)
            for number, offset, value in read_values(file, name, damages.append, chunk.start, chunk.end):
                if type(value) is dict and "dynamodb" in value and "tableName" not in value:
                    yield number, offset, 0, value  # nearly all are as they should be
                else:
                    held = unpacker.records_in(value, place_of(name, number))
                    yield from ((number, offset, position, raw) for position, (_, raw) in enumerate(held))
    except RecordingError as error:
        damages.append(Damage(name, str(error).removeprefix(f"{name_of(source.path)}: ")))
    unpacker.end(name)


def _numbered(damages: list[Damage], source: Source, start: int) -> list[Damage]:
    """Return the damages with the lines before the chunk counted too: only who has any reads them."""
    if not damages:
        return []
    before, left = 0, start
    with opened(source.path) as file:
        while left and (text := file.read(min(left, BUFFER_BYTES))):
            before += text.count(b"\n")
            left -= len(text)
    return [
        Damage(_LINE.sub(lambda found: f":{int(found[1]) + before}", place, count=1), why) for place, why in damages
    ]


def regions_of(sources: Sequence[Source]) -> list[str]:
    """Return the Regions in the order in which they were given."""
    return list(dict.fromkeys(source.region for source in sources))
