"""The same files make the same bytes, wherever and however they are packaged."""

import os
import subprocess
import sys
from pathlib import Path
from zipfile import ZIP_STORED, ZipFile

import pytest

from infra.package.archive import write
from infra.package.bytecode import compiled
from infra.package.contents import modules
from infra.package.errors import PackageError

ROOT = Path(__file__).parents[2]
HERE = f"{sys.version_info.major}.{sys.version_info.minor}"


def test_another_place_time_and_umask_make_the_same_bytes(package, tmp_path):
    """A second process, elsewhere, with other rights, zone and hash seed, makes the very same package."""
    output = tmp_path / "again.zip"
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "TZ": "Pacific/Auckland", "PYTHONHASHSEED": "7"}
    command = ["sh", "-c", 'umask 077; exec "$0" -m infra.package --output "$1"', sys.executable, str(output)]
    done = subprocess.run(  # noqa: S603 - our own code
        command, cwd=tmp_path, env=environment, check=True, capture_output=True, text=True, timeout=60
    )
    assert output.read_bytes() == package.path.read_bytes()
    assert f"CodeSha256 {package.code_sha256}" in done.stdout


def test_order_and_date_of_files_do_not_show(tmp_path):
    """The archive tells of names and contents, and of nothing else."""
    files = {"b.py": b"b", "a/c.py": b"c"}
    write(tmp_path / "1.zip", files)
    write(tmp_path / "2.zip", dict(reversed(files.items())))
    assert (tmp_path / "1.zip").read_bytes() == (tmp_path / "2.zip").read_bytes()
    with ZipFile(tmp_path / "1.zip") as archive:
        assert [(entry.filename, entry.date_time, oct(entry.external_attr >> 16)) for entry in archive.infolist()] == [
            ("a/c.py", (1980, 1, 1, 0, 0, 0), "0o100644"),
            ("b.py", (1980, 1, 1, 0, 0, 0), "0o100644"),
        ]


def test_another_content_makes_other_bytes(tmp_path):
    """The comparison can fail."""
    write(tmp_path / "1.zip", {"a.py": b"a"})
    write(tmp_path / "2.zip", {"a.py": b"b"})
    assert (tmp_path / "1.zip").read_bytes() != (tmp_path / "2.zip").read_bytes()


def test_stored_files_pass_zlib_by(package, tmp_path):
    """The same files, none of them compressed: whichever zlib there is has no say."""
    with ZipFile(package.path) as packed:
        files = {name: packed.read(name) for name in packed.namelist()}
    write(tmp_path / "stored.zip", files, stored=True)
    with ZipFile(tmp_path / "stored.zip") as stored:
        assert {entry.compress_type for entry in stored.infolist()} == {ZIP_STORED}
        assert {name: stored.read(name) for name in stored.namelist()} == files


def test_bytecode_is_the_same_each_time():
    """Compiled twice by one interpreter: the same bytes, with Lambda's paths, valid whatever time their source has."""
    files = dict(modules(ROOT / "handlers"))
    first = compiled(files, sys.executable, HERE)
    assert first == compiled(files, sys.executable, HERE)
    assert len(first) == len(files)
    stream = first[f"handlers/__pycache__/stream.{sys.implementation.cache_tag}.pyc"]
    unchecked_hash = (1).to_bytes(4, "little")
    assert stream[4:8] == unchecked_hash
    assert b"/var/task/handlers/stream.py" in stream


def test_bytecode_takes_the_place_of_compiling(tmp_path):
    """A module whose source says otherwise by now still runs as it was compiled."""
    bytecode = compiled({"a.py": b"print('compiled')"}, sys.executable, HERE)
    for name, content in {"a.py": b"print('source')", **bytecode}.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(content)
    command = [sys.executable, "-c", "import a"]
    assert subprocess.check_output(command, cwd=tmp_path, text=True) == "compiled\n"  # noqa: S603 - our own code


def test_a_module_that_does_not_compile_is_refused():
    """One line names the interpreter and what it said."""
    with pytest.raises(PackageError, match=r": cannot compile every module$"):
        compiled({"a.py": b"def"}, sys.executable, HERE)
