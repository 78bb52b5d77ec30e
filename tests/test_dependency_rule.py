"""The dependency rule: the core imports the standard library and itself, and reads nothing of the world around it."""

import ast
import sys
from pathlib import Path

import pytest

import reconciler

CORE = sorted(Path(reconciler.__file__).parent.glob("*.py"))
AMBIENT = {"os", "random", "secrets", "socket", "subprocess", "time", "uuid"}


def imported(path):
    """Return the modules that a file imports, but for what only the type checker sees."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    hidden = {
        id(node)
        for block in ast.walk(tree)
        if isinstance(block, ast.If) and "TYPE_CHECKING" in ast.unparse(block.test)
        for node in ast.walk(block)
    }
    for node in ast.walk(tree):
        if id(node) not in hidden and isinstance(node, ast.ImportFrom):
            yield node.module or ""
        elif id(node) not in hidden and isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)


@pytest.mark.parametrize("path", CORE, ids=lambda path: path.stem)
def test_the_core_imports_the_standard_library_and_itself(path):
    """No adapter, no edge, no package, no clock and no randomness stands behind any core module."""
    for module in imported(path):
        top = module.partition(".")[0]
        assert top == "reconciler" or top in sys.stdlib_module_names, module
        assert not module.startswith("reconciler.adapters"), module
        assert top not in AMBIENT, module


def test_the_rule_looks_at_every_core_module():
    """There is a core to look at."""
    assert {"join", "worker", "writer"} <= {path.stem for path in CORE}
