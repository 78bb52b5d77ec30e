"""The package, made once for all tests of a process; pip fetches the wheels the first time."""

from pathlib import Path
from zipfile import ZipFile

import pytest

from infra.package.build import Package, build


@pytest.fixture(scope="session")
def package(tmp_path_factory) -> Package:
    """The package, as ``make package`` makes it."""
    return build(tmp_path_factory.mktemp("package") / "function.zip")


@pytest.fixture(scope="session")
def unpacked(package, tmp_path_factory) -> Path:
    """The package as Lambda lays it out: a folder that is alone on the path."""
    folder: Path = tmp_path_factory.mktemp("task")
    with ZipFile(package.path) as archive:
        archive.extractall(folder)
    return folder
