"""The README's pictures are what their code draws today, and show what happens."""

import re
import shutil
import struct
from collections import Counter

import pytest

from tests.core.histories import history
from tests.infra.planting import INFRA

PICTURES = INFRA / "diagrams"
NAMES = ("architecture", "sequence")
README_WIDTH = 900

needs_graphviz = pytest.mark.skipif(shutil.which("dot") is None, reason="Graphviz (dot) is not installed")


def committed(name):
    """Return a picture's SVG as it is committed."""
    return (PICTURES / f"{name}.svg").read_text(encoding="utf-8")


def structure(svg):
    """Return what a picture says and of how many parts it is: places differ by Graphviz's version and fonts."""
    texts = Counter(re.findall(r"<text\b[^>]*>(.*?)</text>", svg))
    return texts, Counter(re.findall(r'class="(node|edge|cluster)"', svg)), svg.count("<image")


@needs_graphviz
def test_the_pictures_are_what_the_code_draws(tmp_path):
    """Drawn again, each picture has the same texts and parts; `python -m infra.diagrams` writes them."""
    main = pytest.importorskip("infra.diagrams.__main__", reason="the package diagrams is not installed").main
    main(tmp_path)
    for name in NAMES:
        assert structure((tmp_path / f"{name}.svg").read_text(encoding="utf-8")) == structure(committed(name))
        assert (tmp_path / f"{name}.png").read_bytes()[:4] == b"\x89PNG"


@pytest.mark.parametrize("name", NAMES)
def test_a_picture_stands_alone(name):
    """Icons are inside, and nothing tells of the machine that drew it."""
    svg = committed(name)
    assert all(link.startswith("data:image/png;base64,") for link in re.findall(r'href="([^"]*)"', svg))
    assert "<!--" not in svg
    assert not re.search(r"/(home|root|work|usr|tmp|Users)/", svg)
    assert len(re.findall("<title>", svg)) == 1


@pytest.mark.parametrize("name", NAMES)
def test_a_picture_is_sharp_where_the_readme_shows_it(name):
    """It has more pixels than the README is wide, and its SVG is not wider by far, which would make texts small."""
    width, _ = struct.unpack(">II", (PICTURES / f"{name}.png").read_bytes()[16:24])
    assert width > README_WIDTH
    points = float(re.search(r'<svg width="([\d.]+)pt"', committed(name))[1])
    assert points <= README_WIDTH * 1.05


def test_the_sequence_shows_what_happens():
    """The very history, played: both Regions end with what the picture says."""
    start = "A: Balance+100 #k0 | A>>B"
    lost = history(f"{start} | A: Balance+10 #k1 | B: Balance+50 #k2")
    repaired = history(f"{start} | A: Balance+10 #k1 | B: Balance+50 #k2 | A>B | B>>A")
    shown = set(re.findall(r">Balance (\d+)<", committed("sequence")))
    assert shown == {
        "100",
        str(lost.at("A", "Balance")),
        str(lost.at("B", "Balance")),
        str(repaired.everywhere("Balance")),
    }
