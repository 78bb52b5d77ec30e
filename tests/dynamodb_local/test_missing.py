"""Where DynamoDB Local cannot run, one line says what is missing, and how to get it."""

import os
import shutil
import subprocess
import sys
from hashlib import sha256
from pathlib import Path

import pytest

from replay_tools import child_server
from replay_tools.child_server import StartError
from replay_tools.dynamodb_local import jars, server
from replay_tools.dynamodb_local.jars import MissingError, class_path, fetch, find_java
from replay_tools.dynamodb_local.server import dynamodb_local

JDK = "java.base@17.0.15\njdk.compiler@17.0.15"
JAR = b"a jar"


@pytest.fixture
def programs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A PATH with nothing on it but what a test puts there."""
    folder = tmp_path / "bin"
    folder.mkdir()
    monkeypatch.setenv("PATH", str(folder))
    return folder


@pytest.fixture
def lib(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder of jars, in which one is pinned."""
    pins = tmp_path / "lib.sha256"
    pins.write_text(f"{sha256(JAR).hexdigest()}  one.jar\n")
    monkeypatch.setattr(jars, "PINS", pins)
    monkeypatch.setattr(jars, "LIB", tmp_path / "lib")
    return tmp_path / "lib"


def install(programs: Path, name: str, script: str) -> None:
    """Put a program on the PATH."""
    program = programs / name
    program.write_text(f"#!/bin/sh\n{script}\n")
    program.chmod(0o755)


def install_java(programs: Path, modules: str = JDK, otherwise: str = "exit 1") -> None:
    """Put a java on the PATH that knows its modules, and else does as told."""
    install(programs, "java", f'if [ "$1" = --list-modules ]; then echo "{modules}"; else {otherwise}; fi')


def copying(content: bytes) -> str:
    """Return a Maven that copies one jar of this content."""
    return f"/bin/mkdir -p {jars.LIB} && printf '%s' '{content.decode()}' > {jars.LIB}/one.jar"


def test_without_java_it_says_which_to_install(programs: Path) -> None:
    """The version is named."""
    with pytest.raises(MissingError, match=r"java was not found; install a JDK of version 17 or newer"):
        find_java()


@pytest.mark.parametrize(
    ("modules", "problem"),
    [
        ("java.base@11.0.2\njdk.compiler@11.0.2", "older than version 17"),
        ("Unrecognized option: --list-modules", "older than version 17"),
        ("java.base@17.0.15\njava.sql@17.0.15", "belongs to a JRE"),
    ],
)
def test_a_java_that_will_not_do_is_named(programs: Path, modules: str, problem: str) -> None:
    """Too old, far too old, or without a compiler."""
    install_java(programs, modules)
    with pytest.raises(MissingError, match=problem) as raised:
        find_java()
    assert str(programs / "java") in str(raised.value)


@pytest.mark.parametrize("release", ["17", "17.0.15", "21.0.1", "25-ea"])
def test_a_java_that_will_do_is_found(programs: Path, release: str) -> None:
    """Seventeen and whatever came after it."""
    install_java(programs, f"java.base@{release}\njdk.compiler@{release}")
    assert find_java() == str(programs / "java")


def test_without_maven_it_says_what_to_install(programs: Path, lib: Path) -> None:
    """Maven is needed only where the jars are not there yet."""
    install_java(programs)
    with pytest.raises(MissingError, match="mvn was not found; install Apache Maven"):
        fetch()
    lib.mkdir()
    (lib / "one.jar").write_bytes(JAR)
    assert not fetch()


def test_maven_fetches_what_is_pinned(programs: Path, lib: Path) -> None:
    """What is copied is found by the pins, and nothing is fetched twice."""
    install_java(programs)
    install(programs, "mvn", copying(JAR))
    assert fetch()
    assert not fetch()
    assert class_path() == str(lib / "one.jar")


def test_a_jar_that_is_not_the_pinned_one_is_refused(programs: Path, lib: Path) -> None:
    """Whoever served it: it never runs."""
    install_java(programs)
    install(programs, "mvn", copying(b"another"))
    with pytest.raises(MissingError, match=r"not the pinned ones, one\.jar first"):
        fetch()
    with pytest.raises(MissingError, match="make dynamodb-local"):
        class_path()


@pytest.mark.usefixtures("lib")
def test_maven_s_own_words_are_told(programs: Path) -> None:
    """Where Maven fails, it knows why."""
    install_java(programs)
    install(programs, "mvn", "echo no way out; exit 1")
    with pytest.raises(MissingError, match="Maven failed: no way out"):
        fetch()


def test_a_server_that_does_not_start_says_why(programs: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Java's last words are in the error."""
    install_java(programs, otherwise="echo out of memory >&2; exit 1")
    monkeypatch.setattr(server, "class_path", lambda: "")
    with pytest.raises(StartError, match="did not start: out of memory"), dynamodb_local():
        pytest.fail("there is no server")


def test_a_server_that_says_nothing_is_given_up(programs: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither its start nor its end is waited for without a bound."""
    install_java(programs, otherwise="exec /bin/sleep 600")
    monkeypatch.setattr(server, "class_path", lambda: "")
    monkeypatch.setattr(child_server, "START_SECONDS", 0.2)
    monkeypatch.setattr(child_server, "STOP_SECONDS", 0.2)
    with pytest.raises(StartError), dynamodb_local():
        pytest.fail("there is no server")


def test_the_make_target_stops_before_the_tests(programs: Path) -> None:
    """Without Java, make says what is missing, and runs nothing."""
    make = shutil.which("make", path=os.defpath)
    assert make is not None
    done = subprocess.run(  # noqa: S603 - make, with our own Makefile
        [make, "-o", ".venv/installed", f"PY={sys.executable}", "test-dynamodb-local"],
        cwd=jars.ROOT,
        env={"PATH": str(programs)},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.returncode == 2
    assert "Error: DynamoDB Local: java was not found; install a JDK" in done.stderr
    assert "pytest" not in done.stdout
