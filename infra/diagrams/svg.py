"""Graphviz's SVG as a file that stands alone: icons inside, and nothing of the machine that made it."""

import re
from base64 import b64encode
from pathlib import Path

FORMATS = {"png": "144", "svg": "72"}
"""Each format's resolution: a PNG is sharp where a screen has two pixels for each point; an SVG is so anyway."""


def self_contained(svg: str, title: str) -> str:
    """Return the SVG with its icons as data, without version comments, and with one title instead of nodes' names."""
    svg = re.sub(r"<!--.*?-->\n?", "", svg, flags=re.DOTALL)
    svg = re.sub(r"<title>.*?</title>\n?", "", svg, flags=re.DOTALL)
    svg = re.sub(r'xlink:href="([^"#]+\.png)"', lambda icon: f'xlink:href="{_data(Path(icon[1]))}"', svg)
    return re.sub(r"(<svg\b[^>]*>)", rf"\1\n<title>{title}</title>", svg, count=1)


def _data(icon: Path) -> str:
    return f"data:image/png;base64,{b64encode(icon.read_bytes()).decode()}"
