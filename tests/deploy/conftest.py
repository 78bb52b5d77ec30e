"""A package with nothing but a policy, and the two programs alone on the PATH."""

from pathlib import Path
from zipfile import ZipFile

import pytest
from click.testing import CliRunner

from infra.deploy import __main__ as command
from infra.deploy.package import APPSYNC_POLICY, POLICY, Package, read
from tests.deploy.fakes import Tools

ROOT = Path(__file__).parents[2]


@pytest.fixture
def package(tmp_path, monkeypatch) -> Package:
    """The package that the command finds: the example policies, and no code."""
    path = tmp_path / "function.zip"
    with ZipFile(path, "w") as archive:
        for policy in (POLICY, APPSYNC_POLICY):
            archive.write(ROOT / policy, policy)
    monkeypatch.setattr(command, "PACKAGE", path)
    return read(path)


@pytest.fixture
def tools(package, tmp_path, monkeypatch) -> Tools:
    """`aws` and `sam`, as fakes."""
    folder = tmp_path / "bin"
    folder.mkdir()
    monkeypatch.setenv("PATH", str(folder))
    return Tools(folder, package.code_sha256)


@pytest.fixture
def deploy(package):
    """The command; it returns exit status, what it printed, and what it complained of."""

    def run(*arguments):
        done = CliRunner().invoke(command.main, arguments)
        return done.exit_code, done.stdout.splitlines(), done.stderr.splitlines()

    return run
