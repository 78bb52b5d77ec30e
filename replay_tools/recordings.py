"""Recordings: stream records in a file, whatever wrote it, told by what is in it and not by its name.

    NDJSON              one record a line (or one event, answer or list a line)
    a Lambda event      {"Records": [...]}, as a test event or a log has it
    GetRecords' answer  {"Records": [...], "NextShardIterator": ...}, as the AWS command line prints it
    a JSON list         [...]

each plain or compressed with gzip, ``-`` for standard input. NDJSON is read line by line, in bounded memory.
"""

import gzip
import io
import json
import sys
import zlib
from collections.abc import Iterable, Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from datetime import datetime
from pathlib import Path
from typing import IO, Any, NamedTuple, cast

from reconciler.errors import ReconcilerError
from reconciler.records import RawRecord

GZIP_MAGIC = b"\x1f\x8b"
MAX_LINE_BYTES = 16 << 20  # a Lambda event has at most 6 MB, a page of GetRecords a little more than 1 MB
MAX_DOCUMENT_BYTES = 64 << 20  # of JSON over several lines, which is read whole


class RecordingError(ReconcilerError):
    """A recording cannot be read; the message names the file and the line."""


class Recorded(NamedTuple):
    """One record, and where it stands: ``file:line``, and which one where a line holds several."""

    place: str
    raw: RawRecord


def read_recording(path: str) -> Iterator[Recorded]:
    """Yield the records of a file, or of standard input; RecordingError names the line that is damaged."""
    name = "standard input" if path == "-" else path
    try:
        with _opened(path) as file:
            yield from _read(file, name)
    except RecursionError as error:
        raise RecordingError(f"{name}: is nested too deeply") from error
    except (OSError, EOFError, zlib.error) as error:
        problem = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        raise RecordingError(f"{name}: cannot be read: {problem}") from error


def write_recording(records: Iterable[RawRecord], file: IO[str]) -> int:
    """Write NDJSON, each line at once, so that whatever stops it leaves whole lines; return how many."""
    count = 0
    for raw in records:
        file.write(json.dumps(raw, separators=(",", ":")) + "\n")
        file.flush()
        count += 1
    return count


@contextmanager
def _opened(path: str) -> Iterator[IO[bytes]]:
    with ExitStack() as stack:
        file = _standard_input(stack) if path == "-" else stack.enter_context(Path(path).open("rb"))
        is_compressed = file.peek(len(GZIP_MAGIC)).startswith(GZIP_MAGIC)
        yield cast("IO[bytes]", stack.enter_context(gzip.GzipFile(fileobj=file)) if is_compressed else file)


def _standard_input(stack: ExitStack) -> "io.BufferedReader[Any]":
    """Return standard input, which stays open afterwards."""
    file: io.BufferedReader[Any] = io.BufferedReader(cast("io.RawIOBase", sys.stdin.buffer))
    stack.callback(file.detach)
    return file


def _read(file: IO[bytes], name: str) -> Iterator[Recorded]:
    for number, line in _lines(file, name):
        try:
            value = json.loads(line)
        except ValueError as error:
            if number > 1:
                raise RecordingError(f"{name}:{number}: is damaged: {_problem(error)}") from error
            yield from _records_in(_document(line, file, name), f"{name}")
            return
        yield from _records_in(value, f"{name}:{number}")


def _lines(file: IO[bytes], name: str) -> Iterator[tuple[int, bytes]]:
    number = 0
    while line := file.readline(MAX_LINE_BYTES + 1):
        number += 1
        if len(line) > MAX_LINE_BYTES:
            raise RecordingError(f"{name}:{number}: has more than {MAX_LINE_BYTES} bytes; no stream record is so large")
        if line.strip():
            yield number, line


def _document(start: bytes, file: IO[bytes], name: str) -> Any:  # noqa: ANN401 - any JSON
    """Return what is no NDJSON: one document over several lines."""
    text = start + file.read(MAX_DOCUMENT_BYTES)
    if len(text) > MAX_DOCUMENT_BYTES:
        raise RecordingError(f"{name}: one document of more than {MAX_DOCUMENT_BYTES} bytes; give one record a line")
    try:
        return json.loads(text)
    except ValueError as error:
        raise RecordingError(f"{name}:{getattr(error, 'lineno', 1)}: is damaged: {_problem(error)}") from error


def _problem(error: ValueError) -> str:
    if isinstance(error, json.JSONDecodeError):
        return f"{error.msg} (column {error.colno})"
    return "not UTF-8" if isinstance(error, UnicodeDecodeError) else str(error)


def _records_in(value: object, place: str) -> Iterator[Recorded]:
    """Yield the record, or those of an event, an answer or a list."""
    records = value.get("Records") if isinstance(value, Mapping) else value
    if isinstance(records, list):
        for number, raw in enumerate(records, 1):
            yield _recorded(raw, f"{place} (record {number})")
    else:
        yield _recorded(value, place)


def _recorded(raw: object, place: str) -> Recorded:
    if not isinstance(raw, Mapping):
        raise RecordingError(f"{place}: is no stream record")
    return Recorded(place, _with_seconds(raw))


def _with_seconds(raw: RawRecord) -> RawRecord:
    """Return the record with its time in seconds: the AWS command line prints a date."""
    body = raw.get("dynamodb")
    time = body.get("ApproximateCreationDateTime") if isinstance(body, Mapping) else None
    if isinstance(body, Mapping) and isinstance(time, str):
        with suppress(ValueError):
            seconds = datetime.fromisoformat(time).timestamp()
            return {**raw, "dynamodb": {**body, "ApproximateCreationDateTime": seconds}}
    return raw
