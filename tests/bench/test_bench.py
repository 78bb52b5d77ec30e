"""The bench runs: every table has its rows, and the plot is a picture. No test asserts a time."""

import json
import subprocess
import sys
from xml.etree import ElementTree as ET

import pytest

TIMEOUT_S = 180


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """Run everything at the smallest size, once, in a process of its own: its clients live as long as that."""
    out = tmp_path_factory.mktemp("bench")
    command = [sys.executable, "-m", "tests.bench", "--smallest", "--out", str(out)]
    result = subprocess.run(command, capture_output=True, check=True, text=True, timeout=TIMEOUT_S)  # noqa: S603
    return result.stdout, out


ROWS = [
    "2 records, no conflict, 1 KB",
    "records, no conflict, 100 KB in one text",
    "records, no conflict, 100 KB, nested",
    "2 records, all conflicts, 1 KB",
    "records, a storm on 1 keys",
    "strict: 2 records, no conflict",
    "strict: 2 records, all conflicts",
    "import and first event, no conflict",
    "import and first event, a conflict",
    "a write through EventProcessor",
    "a write through handlers.write",
    "2 registers, both set",
    "2 registers, in turn",
    "a counter",
    "a set of up to 10",
    "Where the processor time goes: 2 records without a conflict",
    "Where the processor time goes: 2 records, all conflicts",
    "Batch size: cost of a batch",
    "Ledger length: cost of a record",
    "Image size: cost of a record",
    "Keys in a batch: cost of a batch",
    "Share of conflicts: cost of a batch",
    "Regions: cost of an item",
]


@pytest.mark.parametrize("row", ROWS)
def test_every_row_is_printed(run, row):
    """Each thing that is measured has its line."""
    assert row in run[0]


def test_each_conflict_is_one_request_and_no_read(run):
    """The server was asked for one update for each conflict, and one for each key of a storm."""
    rows = {row["work"]: row for row in json.loads((run[1] / "bench.json").read_text())["rows"]}
    assert rows["2 records, no conflict, 1 KB"]["ours_asked"] == {}
    assert rows["2 records, all conflicts, 1 KB"]["ours_asked"] == {"UpdateItem": 2}
    assert rows["4 records, a storm on 1 keys"]["ours_asked"] == {"UpdateItem": 1}


def test_the_plain_worker_repairs_too(run):
    """It is given the same work, and does it: one put for each conflict, in a storm as well."""
    rows = {row["work"]: row for row in json.loads((run[1] / "bench.json").read_text())["rows"]}
    assert rows["2 records, no conflict, 1 KB"]["plain_asked"] == {}
    assert rows["2 records, all conflicts, 1 KB"]["plain_asked"] == {"PutItem": 2}
    assert rows["4 records, a storm on 1 keys"]["plain_asked"] == {"PutItem": 2}


def test_the_plot_is_a_picture_of_every_curve(run):
    """The plot is well-formed, and names each thing that is varied."""
    picture = ET.fromstring((run[1] / "growth.svg").read_text(encoding="utf-8"))  # noqa: S314 - our own
    words = [element.text for element in picture.iter("{http://www.w3.org/2000/svg}text")]
    assert {"Batch size", "Ledger length", "Image size", "Keys in a batch", "Share of conflicts", "Regions"} <= {*words}
