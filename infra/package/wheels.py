"""The pinned dependencies as wheels of the function's own platform, whatever machine packages them.

They are fetched once, and looked at each time: what ships is what was pinned, whoever served it.
"""

import re
import subprocess
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from hashlib import file_digest, sha256
from pathlib import Path
from tempfile import TemporaryDirectory
from zipfile import BadZipFile, ZipFile

from infra.package.errors import PackageError

PLATFORMS = {"arm64": "aarch64", "x86_64": "x86_64"}
"""The architectures of Lambda, in the words of wheels."""

GLIBC = ("manylinux_2_34", "manylinux_2_28", "manylinux_2_17", "manylinux2014")
"""What runs on Amazon Linux 2023, which Lambda's Python 3.12 and later stand on: its glibc is 2.34."""

FETCH_SECONDS = 300
PURE = "purelib"
SCRIPTS = "scripts"
_HASH = re.compile(r"--hash=sha256:([0-9a-f]{64})")
_DATA = re.compile(r"[^/]+\.data/([^/]+)/(.*)")


@dataclass(frozen=True, slots=True)
class Target:
    """What the functions run on."""

    python: str = "3.13"
    architecture: str = "arm64"

    def __str__(self) -> str:
        """Name it as one says it."""
        return f"Python {self.python} on {self.architecture}"

    def pip_arguments(self) -> Iterator[str]:
        """Yield what makes pip choose wheels of this target."""
        yield from ("--only-binary=:all:", "--implementation", "cp", "--python-version", self.python)
        for glibc in GLIBC:
            yield from ("--platform", f"{glibc}_{PLATFORMS[self.architecture]}")


LAMBDA = Target()
"""What worker.yaml says."""


def wheels(lock: Path, target: Target, cache: Path) -> Sequence[Path]:
    """Return the wheels that a lock file pins, by name; pip fetches them where the cache has none of this lock yet.

    PackageError where pip fails, or where a wheel is not one of those that are pinned.
    """
    pins = _read(lock)
    name = sha256("\n".join([*target.pip_arguments(), pins]).encode()).hexdigest()[:16]
    folder = cache / name
    if not folder.is_dir():
        _fetch(lock, target, folder)
    found = sorted(folder.glob("*.whl"))
    hashes = set(_HASH.findall(pins))
    for wheel in found:
        if _digest(wheel) not in hashes:
            raise PackageError(f"{wheel}: is not pinned in {lock}; remove {folder} and try again")
    return found


def _read(lock: Path) -> str:
    try:
        return lock.read_text(encoding="utf-8")
    except OSError as error:
        raise PackageError(f"{lock}: cannot be read: {error.strerror}") from error


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return file_digest(file, "sha256").hexdigest()


def _fetch(lock: Path, target: Target, folder: Path) -> None:
    """Fill the folder, or leave none: it gets its name once all wheels are there, whoever was first."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory(dir=folder.parent) as begun:
        command = [sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check", "--no-deps"]
        command += [
            *target.pip_arguments(),
            "--require-hashes",
            "--dest",
            f"{begun}/wheels",
            "--requirement",
            str(lock),
        ]
        try:
            done = subprocess.run(command, capture_output=True, text=True, timeout=FETCH_SECONDS, check=False)  # noqa: S603 - our own pip
        except subprocess.TimeoutExpired as error:
            raise PackageError(f"{lock}: pip did not fetch the wheels within {FETCH_SECONDS} s") from error
        if done.returncode:
            raise PackageError(f"{lock}: pip cannot fetch wheels for {target}: {_reason(done.stderr)}")
        try:
            Path(begun, "wheels").rename(folder)
        except OSError:
            if not folder.is_dir():
                raise


def _reason(said: str) -> str:
    """Return pip's own word for what went wrong, without how it got there."""
    lines = said.strip().splitlines() or ["it said nothing"]
    errors = [line for line in lines if line.startswith("ERROR:")]
    return (errors or lines)[-1].removeprefix("ERROR:").strip()


def files(wheel: Path) -> Iterator[tuple[str, bytes]]:
    """Yield what a wheel installs beside each other on the path: names and contents; scripts are left out.

    PackageError where it is no zip, or installs anything elsewhere.
    """
    try:
        with ZipFile(wheel) as archive:
            for name in archive.namelist():
                place = _place(name, wheel)
                if place and not name.endswith("/"):
                    yield place, archive.read(name)
    except BadZipFile as error:
        raise PackageError(f"{wheel}: is no wheel: {error}") from error


def _place(name: str, wheel: Path) -> str | None:
    """Return where a wheel's file goes; None for a script."""
    match = _DATA.fullmatch(name)
    if match is None:
        return name
    kind, place = match.groups()
    if kind not in {PURE, "platlib", SCRIPTS}:
        raise PackageError(f"{wheel.name}: installs {name}, which has no place in a function's package")
    return None if kind == SCRIPTS else place
