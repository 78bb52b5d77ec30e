"""What DynamoDB Local runs on: Java, and the files that Maven copies to .dynamodb-local; the pinned ones, or none.

`infra/dynamodb-local/lib.sha256` names every file and its hash: what runs is what was committed, whoever served it.
"""

import shutil
import subprocess
from collections.abc import Mapping
from hashlib import file_digest
from pathlib import Path

from reconciler.errors import ConfigurationError

ROOT = Path(__file__).parents[2]
RECIPE = ROOT / "infra" / "dynamodb-local"
POM, PINS, LAUNCHER = RECIPE / "pom.xml", RECIPE / "lib.sha256", RECIPE / "Loopback.java"
LIB = ROOT / ".dynamodb-local" / "lib"

MIN_JAVA = 17
ASK_SECONDS = 30
FETCH_SECONDS = 600

GET_JAVA = f"install a JDK of version {MIN_JAVA} or newer (Debian: openjdk-17-jdk-headless), its java on the PATH"
GET_MAVEN = "install Apache Maven (Debian: maven), its mvn on the PATH"
GET_JARS = "fetch them with make dynamodb-local"


class MissingError(ConfigurationError):
    """DynamoDB Local cannot run here: says what is missing, and how to get it."""

    def __init__(self, what: str, how: str) -> None:
        """Say both in one line."""
        super().__init__(f"DynamoDB Local: {what}; {how}")


def find_java() -> str:
    """Return the path of a java that compiles; MissingError where there is none, or only an older one."""
    java = shutil.which("java")
    if java is None:
        raise MissingError("java was not found", GET_JAVA)
    version, modules = _java_release(java)
    if version < MIN_JAVA:
        raise MissingError(f"{java} is older than version {MIN_JAVA}", GET_JAVA)
    if "jdk.compiler" not in modules:
        raise MissingError(f"{java} belongs to a JRE, which has no compiler", GET_JAVA)
    return java


def _java_release(java: str) -> tuple[int, frozenset[str]]:
    """Return version and modules of a java; version 0 where it is too old to know modules."""
    command = [java, "--list-modules"]
    said = subprocess.run(command, capture_output=True, text=True, timeout=ASK_SECONDS, check=False).stdout  # noqa: S603 - found on the PATH
    versions = dict(line.strip().partition("@")[::2] for line in said.splitlines())
    digits = versions.get("java.base", "0").partition(".")[0].partition("-")[0].partition("+")[0]
    return int(digits), frozenset(versions)


def pinned() -> Mapping[str, str]:
    """Return the pinned hash of every file by its name."""
    lines = (line.split() for line in PINS.read_text().splitlines())
    return {name: digest for digest, name in lines}


def unlike_pins() -> list[str]:
    """Return the names of pinned files that are not there, or are others."""
    return [name for name, digest in pinned().items() if _digest(LIB / name) != digest]


def _digest(path: Path) -> str | None:
    if not path.is_file():
        return None
    with path.open("rb") as file:
        return file_digest(file, "sha256").hexdigest()


def class_path() -> str:
    """Return the pinned jars, and no other file, as a class path; MissingError where one is missing or another."""
    wrong = unlike_pins()
    if wrong:
        raise MissingError(f"{len(wrong)} of its files are missing or not the pinned ones, {wrong[0]} first", GET_JARS)
    return ":".join(str(LIB / name) for name in pinned() if name.endswith(".jar"))


def fetch() -> bool:
    """Let Maven copy the files where they are not there yet; say whether that was needed.

    MissingError where Java or Maven is missing, Maven fails, or what it copied is not what is pinned.
    """
    find_java()
    if not unlike_pins():
        return False
    _run_maven()
    class_path()
    return True


def _run_maven() -> None:
    maven = shutil.which("mvn")
    if maven is None:
        raise MissingError("mvn was not found", GET_MAVEN)
    shutil.rmtree(LIB, ignore_errors=True)
    command = [maven, "-B", "-q", "--strict-checksums", "-f", str(POM), "dependency:copy-dependencies"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=FETCH_SECONDS, check=False)  # noqa: S603 - found on the PATH
    if done.returncode:
        raise MissingError(f"Maven failed: {done.stdout.strip()[-1000:]}", "see what it says, and try again")
