"""Inputs: bytes from a file or standard input, whatever compressed them, told by content and not by name.

zstd needs the library zstandard, which is loaded for such a file only.
"""

import gzip
import io
import sys
import zlib
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import IO, Any, NamedTuple, cast

from reconciler.errors import ReconcilerError

GZIP_MAGIC = b"\x1f\x8b"
ZSTD_MAGIC = b"\x28\xb5\x2f\xfd"
BUFFER_BYTES = 1 << 20
STANDARD_INPUT = "-"


class RecordingError(ReconcilerError):
    """A recording cannot be read; the message names the file and the line."""


class Damage(NamedTuple):
    """What could not be read, and where: ``file:line``."""

    place: str
    problem: str

    def __str__(self) -> str:
        """Return it as one line."""
        return f"{self.place}: {self.problem}"


OnDamage = Callable[[Damage], None]


def refuse(damage: Damage) -> None:
    """Stop at the first damage: what reading strictly means."""
    raise RecordingError(str(damage))


def name_of(path: str) -> str:
    """Return what a person calls the input."""
    return "standard input" if path == STANDARD_INPUT else path


@contextmanager
def opened(path: str) -> Iterator[IO[bytes]]:
    """Open a file or standard input, decompressed; RecordingError where it cannot be read, then or later."""
    try:
        with ExitStack() as stack:
            file = _standard_input(stack) if path == STANDARD_INPUT else stack.enter_context(Path(path).open("rb"))
            yield _decompressed(file)
    except (OSError, EOFError, zlib.error) as error:
        problem = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        raise RecordingError(f"{name_of(path)}: cannot be read: {problem}") from error


def is_compressed(path: str) -> bool:
    """Say whether a file's bytes are not its text's; OSError where it cannot be opened."""
    with Path(path).open("rb") as file:
        return file.read(len(ZSTD_MAGIC)).startswith((GZIP_MAGIC, ZSTD_MAGIC))


def _decompressed(file: "io.BufferedReader[Any]") -> IO[bytes]:
    magic = file.peek(len(ZSTD_MAGIC))
    if magic.startswith(GZIP_MAGIC):
        return io.BufferedReader(cast("io.RawIOBase", gzip.GzipFile(fileobj=file)), BUFFER_BYTES)
    if magic.startswith(ZSTD_MAGIC):
        return io.BufferedReader(cast("io.RawIOBase", _zstd(file)), BUFFER_BYTES)
    return file


def _zstd(file: IO[bytes]) -> object:
    try:
        import zstandard  # noqa: PLC0415 - for who has such a file
    except ModuleNotFoundError as error:
        raise OSError("it is compressed with zstd, which needs the library zstandard") from error
    return _Zstd(zstandard.ZstdDecompressor().stream_reader(file, read_across_frames=True), zstandard.ZstdError)


class _Zstd(io.RawIOBase):
    """zstd's reader with the standard library's faults: a cut file is an EOFError, a spoilt one an OSError."""

    def __init__(self, reader: Any, fault: type[Exception]) -> None:  # noqa: ANN401 - the library is loaded late
        self._reader, self._fault = reader, fault

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:  # noqa: ANN401 - the standard library's own signature
        try:
            return int(self._reader.readinto(buffer))
        except self._fault as error:
            raise OSError(str(error)) from error


def _standard_input(stack: ExitStack) -> "io.BufferedReader[Any]":
    """Return standard input, which stays open afterwards."""
    file: io.BufferedReader[Any] = io.BufferedReader(cast("io.RawIOBase", sys.stdin.buffer))
    stack.callback(file.detach)
    return file
