"""Sources: the files behind each Region's recording, cut into chunks that processes read side by side."""

import shutil
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from replay_tools.inputs import STANDARD_INPUT, OnDamage, is_compressed, name_of, opened
from replay_tools.inputs_export import files_of
from replay_tools.inputs_json import is_json
from replay_tools.inputs_s3 import copied, is_in_s3

CHUNK_BYTES = 32 << 20


@dataclass(frozen=True, slots=True)
class Source:
    """One file of one Region's recording; `name` is what a person calls it."""

    region: str
    path: str
    name: str


@dataclass(frozen=True, slots=True)
class Chunk:
    """A part of a source that begins and ends with a line: `end` None reads to the end."""

    source: int
    start: int
    end: int | None
    size: int


def sources_of(recordings: Sequence[tuple[str, str]], folder: Path, on_damage: OnDamage) -> list[Source]:
    """Return every file, standard input kept in `folder`; RecordingError where one cannot be opened."""
    sources = []
    for number, (region, path) in enumerate(recordings):
        for file_path in files_of(_here(path, folder / f"s3.{number}"), on_damage):
            kept = _kept(folder) if file_path == STANDARD_INPUT else file_path
            with opened(kept):
                sources.append(Source(region, kept, name_of(file_path)))
    return sources


def _here(path: str, folder: Path) -> str:
    """Return where the path can be read here."""
    if not is_in_s3(path):
        return path
    folder.mkdir()
    return copied(path, folder)


def _kept(folder: Path) -> str:
    """Copy standard input to a file, decompressed: it is read twice."""
    with opened(STANDARD_INPUT) as file, tempfile.NamedTemporaryFile(dir=folder, delete=False) as kept:
        shutil.copyfileobj(file, kept)
    return kept.name


def chunks_of(sources: Sequence[Source]) -> Iterator[Chunk]:
    """Yield the chunks in the order of the records: NDJSON that is not compressed can be cut, nothing else."""
    for number, source in enumerate(sources):
        size = Path(source.path).stat().st_size
        if size <= CHUNK_BYTES or is_compressed(source.path) or not _is_ndjson(source.path):
            yield Chunk(number, 0, None, size)
        else:
            yield from _cut(number, source.path, size)


def _is_ndjson(path: str) -> bool:
    with Path(path).open("rb") as file:
        return is_json(file.readline(CHUNK_BYTES))


def _cut(number: int, path: str, size: int) -> Iterator[Chunk]:
    start = 0
    with Path(path).open("rb") as file:
        while start < size:
            file.seek(min(start + CHUNK_BYTES, size))
            file.readline()
            end = file.tell()
            yield Chunk(number, start, end, end - start)
            start = end
