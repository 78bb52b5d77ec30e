"""JSON values one after another: NDJSON line by line in bounded memory, or one document over several lines, read whole.

A damaged line is told, and does not stop the rest.
"""

import io
import json
import sys
from collections.abc import Iterator
from typing import IO, Any

from replay_tools.inputs import Damage, OnDamage

try:
    from orjson import loads as _fast_loads
except ModuleNotFoundError:  # the library makes it faster, and changes nothing else
    _fast_loads = json.loads  # type: ignore[assignment]  # it takes what is passed here

MAX_LINE_BYTES = 16 << 20  # a Lambda event has at most 6 MB, a page of GetRecords a little more than 1 MB
MAX_DOCUMENT_BYTES = 64 << 20  # of JSON over several lines, which is read whole


Located = tuple[int, int, Any]
"""The number of a line (0: the whole document), its first byte, decompressed, and the value that it holds."""


def place_of(name: str, number: int) -> str:
    """Return where a person finds it."""
    return f"{name}:{number}" if number else name


def read_values(
    file: IO[bytes], name: str, on_damage: OnDamage, start: int = 0, end: int | None = None
) -> Iterator[Located]:
    """Yield what each line holds, or the one document; what is damaged goes to `on_damage`.

    `start` is where the file stands; reading ends with the line that reaches `end`.
    """
    reader = _Reader(name, on_damage, start)
    if not start:
        yield from reader.first(file)
    yield from reader.lines(file, sys.maxsize if end is None else end)


class _Reader:
    """Goes through a file, and knows where it is."""

    def __init__(self, name: str, on_damage: OnDamage, offset: int) -> None:
        self._name, self._on_damage = name, on_damage
        self._number, self._offset = 0, offset

    def first(self, file: IO[bytes]) -> Iterator[Located]:
        """Yield the first value: a line's, or that of a document over several."""
        line = file.readline(MAX_LINE_BYTES + 1)
        while line.isspace():
            self._pass(line)
            line = file.readline(MAX_LINE_BYTES + 1)
        if len(line) > MAX_LINE_BYTES or is_json(line):
            yield from self.lines(io.BytesIO(line), sys.maxsize)
            self._skip_rest(line, file)
        elif line:
            yield from self._document(line, file)

    def lines(self, file: IO[bytes], end: int) -> Iterator[Located]:
        """Yield a value for each line."""
        number, offset, readline = self._number, self._offset, file.readline
        while offset < end and (text := readline(MAX_LINE_BYTES + 1)):
            number, start, offset = number + 1, offset, offset + len(text)
            try:
                value = _fast_loads(text)
            except (ValueError, RecursionError):
                yield from self._with_care(number, start, text)
                if len(text) > MAX_LINE_BYTES:
                    self._offset = offset
                    self._skip_rest(text, file)
                    offset = self._offset
            else:
                yield number, start, value
        self._number, self._offset = number, offset

    def _with_care(self, number: int, start: int, text: bytes) -> Iterator[Located]:
        place = place_of(self._name, number)
        if len(text) > MAX_LINE_BYTES:
            self._on_damage(Damage(place, f"has more than {MAX_LINE_BYTES} bytes; no stream record is so large"))
        elif not text.isspace():
            try:
                yield number, start, parse(text)
            except RecursionError:
                self._on_damage(Damage(place, "is nested too deeply"))
            except ValueError as error:
                self._on_damage(Damage(place, f"is damaged: {_problem(error)}"))

    def _skip_rest(self, text: bytes, file: IO[bytes]) -> None:
        """Pass by what is left of a line that was too long."""
        while len(text) > MAX_LINE_BYTES and not text.endswith(b"\n"):
            text = file.readline(MAX_LINE_BYTES + 1)
            self._offset += len(text)

    def _document(self, line: bytes, file: IO[bytes]) -> Iterator[Located]:
        """Yield the one document that begins here, or tell what is damaged: the document, or only this line."""
        start, rest = self._offset, file.read(MAX_DOCUMENT_BYTES)
        damage: Damage | None = None
        if len(line) + len(rest) > MAX_DOCUMENT_BYTES:
            rest += file.readline(MAX_LINE_BYTES)
            limit = f"one document of more than {MAX_DOCUMENT_BYTES} bytes; give one record a line"
            damage = Damage(self._name, limit)
        else:
            try:
                yield 0, start, parse(line + rest)
            except RecursionError:
                damage = Damage(self._name, "is nested too deeply")
            except ValueError as error:
                number = getattr(error, "lineno", 1) + self._number
                damage = Damage(place_of(self._name, number), f"is damaged: {_problem(error)}")
        if damage and is_json(next((text for text in io.BytesIO(rest) if text.strip()), b"")):
            yield from self.lines(io.BytesIO(line + rest), sys.maxsize)
        elif damage:
            self._on_damage(damage)

    def _pass(self, line: bytes) -> None:
        self._number += 1
        self._offset += len(line)


def parse(text: bytes) -> Any:  # noqa: ANN401 - any JSON
    """Return a JSON value; ValueError where it is none, RecursionError where it is too deep."""
    try:
        return _fast_loads(text)
    except ValueError:
        return json.loads(text)  # half a character is JSON to the standard library, and its errors are better to read


def is_json(text: bytes) -> bool:
    """Say whether a line is a value by itself."""
    try:
        parse(text)
    except (ValueError, RecursionError):
        return False
    return True


def _problem(error: ValueError) -> str:
    if isinstance(error, json.JSONDecodeError):
        return f"{error.msg} (column {error.colno})"
    return "not UTF-8" if isinstance(error, UnicodeDecodeError) else str(error)
