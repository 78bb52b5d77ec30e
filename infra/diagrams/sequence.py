"""One conflict across two Regions, from both clients' writes to the repair: time runs downwards.

    client A      worker A      table A   |   table B      client B
                                   | <-- 150 overwrites 110 -- |

Graphviz draws it, and lays out nothing: every part has its place.
"""

from dataclasses import dataclass
from pathlib import Path

from graphviz import Digraph  # type: ignore[import-untyped]

from infra.diagrams.svg import FORMATS, self_contained

TITLE = "One conflict across two Regions"
INK, GREY, RED, GREEN = "#1f2937", "#9ca3af", "#c81e1e", "#15803d"
RED_FILL, GREEN_FILL, FILL = "#fdecec", "#e7f6ec", "#ffffff"
REGION_FILL = "#eef2f7"
FONT = "Arial"
POINTS = 72  # to the inch, in which Graphviz sizes nodes
Point = tuple[int, int]

LIFELINES = CLIENT_A, WORKER_A, TABLE_A, TABLE_B, CLIENT_B = (70, 230, 420, 650, 800)
NAMES = ("Client A", "Worker", "Replica", "Replica", "Client B")
REGIONS = (("us-east-1", 145, 485), ("eu-west-1", 585, 715))
TOP, BOTTOM = 0, -620


@dataclass(frozen=True, slots=True)
class Message:
    """An arrow from one lifeline to another; it ends in a cross where it is rejected."""

    y: int
    source: int
    target: int
    label: str
    color: str = INK
    rejected: bool = False


@dataclass(frozen=True, slots=True)
class Note:
    """What stands on a lifeline at a moment."""

    y: int
    x: int
    label: str
    color: str = INK
    fill: str = FILL
    width: int = 110


STORY: tuple[Message | Note, ...] = (
    Note(-75, TABLE_A, "Balance 100"),
    Note(-75, TABLE_B, "Balance 100"),
    Message(-130, CLIENT_A, TABLE_A, "Add 10"),
    Note(-165, TABLE_A, "Balance 110"),
    Message(-155, CLIENT_B, TABLE_B, "Add 50"),
    Note(-190, TABLE_B, "Balance 150"),
    Message(-232, TABLE_A, TABLE_B, "110 is older: dropped", RED, rejected=True),
    Message(-275, TABLE_B, TABLE_A, "150 overwrites 110", RED),
    Note(-310, TABLE_A, "Balance 150", RED, RED_FILL),
    Note(-310, CLIENT_A, "10 are gone:\nno error, no log", RED, RED_FILL, 120),
    Message(-365, TABLE_A, WORKER_A, "stream: old 110, new 150"),
    Note(-415, WORKER_A, "The winner's ledger\nlacks the write of 10:\njoin both", INK, FILL, 150),
    Message(-475, WORKER_A, TABLE_A, "one conditional write", GREEN),
    Note(-510, TABLE_A, "Balance 160", GREEN, GREEN_FILL),
    Message(-555, TABLE_A, TABLE_B, "160 replicates", GREEN),
    Note(-590, TABLE_B, "Balance 160", GREEN, GREEN_FILL),
)


def write(folder: Path) -> None:
    """Write sequence.png and sequence.svg."""
    png, svg = (drawn(dpi).pipe(kind, neato_no_op=2) for kind, dpi in FORMATS.items())
    (folder / "sequence.png").write_bytes(png)
    (folder / "sequence.svg").write_text(self_contained(svg.decode(), TITLE), encoding="utf-8")


def drawn(dpi: str) -> Digraph:
    """Return the picture, every part at its place."""
    graph = Digraph(
        engine="neato",
        graph_attr={"bgcolor": "white", "dpi": dpi, "pad": "0.25", "outputorder": "nodesfirst"},
        node_attr={"fontname": FONT, "fontsize": "13", "shape": "box", "style": "filled", "fixedsize": "true"},
        edge_attr={"arrowsize": "0.8"},
    )
    for name, left, right in REGIONS:
        _region(graph, name, left, right)
    for x, name in zip(LIFELINES, NAMES, strict=True):
        _box(graph, (x, (TOP + BOTTOM) // 2), (1, TOP - BOTTOM), "", fillcolor=GREY, color=GREY)
        _box(graph, (x, TOP), (100, 28), name, fillcolor=INK, color=INK, fontcolor="white")
    for part in STORY:
        if isinstance(part, Message):
            _message(graph, part)
        else:
            size = (part.width, 10 + 16 * len(part.label.splitlines()))
            _box(graph, (part.x, part.y), size, part.label, fillcolor=part.fill, color=part.color, fontcolor=part.color)
    return graph


def _region(graph: Digraph, name: str, left: int, right: int) -> None:
    middle, height = (left + right) // 2, TOP - BOTTOM + 75
    _box(
        graph, (middle, (TOP + BOTTOM + 30) // 2), (right - left, height), "", fillcolor=REGION_FILL, color=REGION_FILL
    )
    _box(graph, (middle, TOP + 35), (right - left, 20), name, style="", color="transparent", fontcolor=INK)


def _message(graph: Digraph, message: Message) -> None:
    end, head = (message.target - 30, "none") if message.rejected else (message.target, "normal")
    _arrow(graph, (message.source, message.y), (end, message.y), color=message.color, penwidth="1.8", arrowhead=head)
    if message.rejected:
        _box(
            graph,
            (end, message.y),
            (24, 32),
            "\N{MULTIPLICATION SIGN}",
            style="",
            color="transparent",
            fontcolor=message.color,
            fontsize="28",
        )
    left, right = sorted((message.source, message.target))
    first = min(
        (x for x in LIFELINES if left <= x <= right and x != message.source), key=lambda x: abs(x - message.source)
    )
    middle = ((message.source + first) // 2, message.y + 13)  # before the arrow crosses another lifeline
    _box(
        graph,
        middle,
        (len(message.label) * 8, 18),
        message.label,
        style="",
        color="transparent",
        fontcolor=message.color,
    )


def _box(graph: Digraph, at: Point, size: tuple[int, int], label: str, **looks: str) -> None:
    width, height = (str(side / POINTS) for side in size)
    graph.node(_new_name(graph), label, pos=_pos(at), width=width, height=height, **looks)


def _arrow(graph: Digraph, start: Point, end: Point, **looks: str) -> None:
    names = []
    for point in (start, end):
        names.append(_new_name(graph))
        graph.node(names[-1], "", pos=_pos(point), shape="point", style="invis", width="0", height="0")
    graph.edge(*names, **looks)


def _new_name(graph: Digraph) -> str:
    return f"n{len(graph.body)}"


def _pos(point: Point) -> str:
    return f"{point[0]},{point[1]}!"
