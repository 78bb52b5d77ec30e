"""A zip whose bytes follow from its contents alone: names in order, one time, one mode for every file.

What is left is zlib: zlib-ng, which some systems put in its place, packs otherwise. Stored files pass it by.
"""

from collections.abc import Mapping
from pathlib import Path
from zipfile import ZIP_DEFLATED, ZIP_STORED, ZipFile, ZipInfo

BEGINNING = (1980, 1, 1, 0, 0, 0)
"""The first moment that a zip can name."""

UNIX = 3
READABLE = 0o100644
"""A plain file that everyone may read: Lambda runs functions as a user of its own."""


def write(path: Path, contents: Mapping[str, bytes], *, stored: bool = False) -> None:
    """Write a zip of these files to the path."""
    with ZipFile(path, "w") as archive:
        for name in sorted(contents):
            archive.writestr(_entry(name), contents[name], ZIP_STORED if stored else ZIP_DEFLATED, 9)


def _entry(name: str) -> ZipInfo:
    entry = ZipInfo(name, BEGINNING)
    entry.create_system = UNIX
    entry.external_attr = READABLE << 16
    return entry
