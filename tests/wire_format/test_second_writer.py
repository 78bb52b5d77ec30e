"""A second writer, in another language and from the page alone, stores the same bytes."""

import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.wire_format.make_vectors import FILE

NODE = shutil.which("node")
SCRIPT = Path(__file__).with_name("second_writer.mjs")
NOT_DONE = {  # deletes, folding, adopting and refusals: of these it makes the token only
    "the same key again",
    "another version expected",
    "a delete",
    "a delete of nothing",
    "a write after a delete",
    "the sixth write folds three",
    "a write on a plain item",
}
pytestmark = pytest.mark.skipif(NODE is None, reason="needs Node.js")


def tried(vectors: Path) -> tuple[int, Any]:
    """Return the second writer's exit code, and what it tells."""
    done = subprocess.run([str(NODE), str(SCRIPT), str(vectors)], capture_output=True, timeout=60, check=False)  # noqa: S603 - our own script
    return done.returncode, json.loads(done.stdout)


def test_a_writer_in_another_language_stores_the_same_bytes() -> None:
    """Every write id, every stamp, every token, and every write of the operations that it knows."""
    code, told = tried(FILE)
    vectors = json.loads(FILE.read_text(encoding="utf-8"))
    names = {vector["name"] for vector in vectors["writes"]} - NOT_DONE
    assert (code, told["wrong"]) == (0, [])
    assert set(told["tried"]) == names | {"write_ids", "stamps", "client_stamps", "tokens"}


def test_the_second_writer_is_not_easily_pleased(tmp_path: Path) -> None:
    """One digit of one stamp, and it says which vector is wrong."""
    vectors = json.loads(FILE.read_text(encoding="utf-8"))
    vectors["writes"][2]["item"]["Causality"]["M"]["Stamp"]["N"] = "1700000000000000001051002"
    broken = tmp_path / "vectors.json"
    broken.write_text(json.dumps(vectors), encoding="utf-8")
    code, told = tried(broken)
    assert (code, [each["name"] for each in told["wrong"]]) == (1, ["one register set"])
