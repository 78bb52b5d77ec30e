"""Modules compiled beforehand: Lambda's file system is read-only, so each cold start would compile them anew.

Only the functions' own version of Python can do it, and it may not be the one that packages; so it has to be asked
for. The result is named unchecked: it is used whatever time its source has, and holds no path of this machine.
"""

import subprocess
from collections.abc import Mapping
from pathlib import Path
from tempfile import TemporaryDirectory

from infra.package.errors import PackageError

COMPILE_SECONDS = 300
TASK = "/var/task"
"""Where Lambda unpacks a function: tracebacks name files there."""

_SCRIPT = """
import compileall, sys
folder, expected, task = sys.argv[1:]
found = "%d.%d" % sys.version_info[:2]
if found != expected:
    sys.exit(f"is Python {found}; the functions run on {expected}")
from py_compile import PycInvalidationMode
done = compileall.compile_dir(
    folder, quiet=2, stripdir=folder, prependdir=task, invalidation_mode=PycInvalidationMode.UNCHECKED_HASH
)
sys.exit(None if done else "cannot compile every module")
"""


def compiled(contents: Mapping[str, bytes], interpreter: str, version: str) -> Mapping[str, bytes]:
    """Return what the interpreter makes of the modules, by names beside theirs.

    PackageError where there is no such interpreter, it has another version, or a module does not compile.
    """
    with TemporaryDirectory() as name:
        folder = Path(name).resolve()
        for place, content in contents.items():
            if place.endswith(".py"):
                (folder / place).parent.mkdir(parents=True, exist_ok=True)
                (folder / place).write_bytes(content)
        _compile(folder, interpreter, version)
        return {path.relative_to(folder).as_posix(): path.read_bytes() for path in sorted(folder.rglob("*.pyc"))}


def _compile(folder: Path, interpreter: str, version: str) -> None:
    command = [interpreter, "-I", "-S", "-c", _SCRIPT, str(folder), version, TASK]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=COMPILE_SECONDS, check=False)  # noqa: S603 - as asked for
    except OSError as error:
        raise PackageError(f"{interpreter}: cannot be run: {error.strerror}") from error
    if done.returncode:
        said = done.stderr.strip().splitlines() or ["failed without a word"]
        raise PackageError(f"{interpreter}: {said[-1]}")
