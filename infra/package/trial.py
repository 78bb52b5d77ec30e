"""The finished package, tried in a process that has nothing else: no project, no other packages, no bytecode.

Its own code reads the policy file, so that whatever the policy imports must be in the package; then every function is
imported, each by a new process, as a cold start does.
"""

import re
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from zipfile import ZipFile

from infra.package.errors import PackageError

TRIAL_SECONDS = 60
ENTRY = b"def lambda_handler("
"""What makes a module of handlers/ a function."""

_LOAD_POLICY = """
import sys
sys.path.insert(0, sys.argv[1])
from reconciler.errors import ConfigurationError
from reconciler.policy import Policy
try:
    Policy.load(sys.argv[2])
except ConfigurationError as error:
    sys.exit(sys.argv[2] + str(error).removeprefix("policy file"))
"""

_IMPORT = """
import sys, time
sys.path.insert(0, sys.argv[1])
begun = time.perf_counter()
__import__(sys.argv[2])
print(time.perf_counter() - begun)
"""


def load_policy(package: Path, policy: Path) -> None:
    """Let the package's code read the policy file where it lies; PackageError says what it says."""
    _run(_LOAD_POLICY, package, str(policy))


def import_seconds(package: Path, folder: Path) -> Mapping[str, float]:
    """Unpack into an empty folder; return what it takes to import each function there, on this machine.

    PackageError where one cannot be imported.
    """
    with ZipFile(package) as archive:
        archive.extractall(folder)
        names = [name for name in archive.namelist() if re.fullmatch(r"handlers/\w+\.py", name)]
        functions = [name[:-3].replace("/", ".") for name in names if ENTRY in archive.read(name)]
    return {function: float(_run(_IMPORT, folder, function)) for function in functions}


def _run(code: str, path: Path, argument: str) -> str:
    command = [sys.executable, "-I", "-S", "-B", "-c", code, str(path.resolve()), argument]
    done = subprocess.run(command, capture_output=True, text=True, timeout=TRIAL_SECONDS, check=False)  # noqa: S603 - our own code
    if done.returncode:
        raise PackageError(done.stderr.strip().splitlines()[-1])
    return done.stdout
