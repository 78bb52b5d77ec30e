"""A fault planted in the reconciler is found by the simulator; without one, it finds nothing."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.simulator.mutations import MUTATIONS, Mutation
from tests.simulator.probe import FOUND

ROOT = Path(__file__).parents[2]
HISTORIES = 150


def probe(package_home: Path, histories: int, *workloads: str) -> subprocess.CompletedProcess[str]:
    """Play histories over the package that stands there."""
    return subprocess.run(  # noqa: S603 - this very interpreter
        [sys.executable, "-m", "tests.simulator.probe", str(histories), *workloads],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": f"{package_home}{os.pathsep}{ROOT}", "PYTHONSAFEPATH": "1"},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.fixture
def package(tmp_path: Path) -> Path:
    """Return a copy of the package."""
    shutil.copytree(ROOT / "reconciler", tmp_path / "reconciler", ignore=shutil.ignore_patterns("__pycache__"))
    return tmp_path


@pytest.mark.parametrize("mutation", MUTATIONS, ids=[mutation.name.replace(" ", "-") for mutation in MUTATIONS])
def test_each_mutation_is_caught(mutation: Mutation, package: Path):
    """The simulator finds the fault."""
    module = package / "reconciler" / mutation.module
    source = module.read_text()
    assert source.count(mutation.old) == 1, "the snippet stands in the module once"
    module.write_text(source.replace(mutation.old, mutation.new))
    result = probe(package, HISTORIES, *mutation.workloads)
    assert result.returncode == FOUND, result.stdout + result.stderr


def test_nothing_is_caught_without_a_mutation(package: Path):
    """The copy itself, unmutated, passes where mutations are caught."""
    workloads = sorted({name for mutation in MUTATIONS for name in mutation.workloads})
    result = probe(package, 4, *workloads)
    assert result.returncode == 0, result.stdout + result.stderr
