"""What is deployed: the table's replicas, and beside each of them the same stack."""

from pathlib import Path

from diagrams import Cluster, Diagram, Edge, Node  # type: ignore[import-untyped]
from diagrams.aws.compute import LambdaFunction  # type: ignore[import-untyped]
from diagrams.aws.database import DynamodbTable  # type: ignore[import-untyped]
from diagrams.aws.general import Users  # type: ignore[import-untyped]
from diagrams.aws.integration import Appsync, EventbridgeCustomEventBusResource, SimpleQueueServiceSqsQueue  # type: ignore[import-untyped]

from infra.diagrams.svg import FORMATS, self_contained

TITLE = "What is deployed in each Region"
INK, GREEN, FILL, FONT = "#1f2937", "#15803d", "#eef2f7", "Arial"
TEXT = {"fontname": FONT, "fontcolor": INK}
GRAPH = {
    **TEXT,
    "bgcolor": "white",
    "label": "",
    "nodesep": "0.3",
    "pad": "0.2",
    "ranksep": "0.55",
    "splines": "spline",
}
NODE = {**TEXT, "fontsize": "14", "fixedsize": "true", "imagescale": "true", "labelloc": "b", "imagepos": "tc"}
REGION = {**TEXT, "bgcolor": FILL, "pencolor": FILL, "fontsize": "15", "labeljust": "r", "margin": "12"}
ICON = {"width": "1.0", "height": "1.3"}


def write(folder: Path) -> None:
    """Write architecture.png and architecture.svg."""
    name = folder / "architecture"
    for kind, dpi in FORMATS.items():
        looks = {"graph_attr": {**GRAPH, "dpi": dpi}, "node_attr": NODE}
        with Diagram(TITLE, filename=str(name), outformat=kind, show=False, **looks):
            _regions()
    svg = name.with_suffix(".svg")
    svg.write_text(self_contained(svg.read_text(encoding="utf-8"), TITLE), encoding="utf-8")


def _regions() -> None:
    others, clients = (_icon(Users, "clients", f"clients of {region}") for region in ("eu-west-1", "us-east-1"))
    with Cluster("eu-west-1, the same again", graph_attr=REGION):
        other, _ = _worker(others, "eu-west-1")
    with Cluster("us-east-1", graph_attr=REGION):
        replica, stream = _worker(clients, "us-east-1")
        queue = _icon(SimpleQueueServiceSqsQueue, "poison queue")
        redrive = _icon(LambdaFunction, "redrive")
        bus = _icon(EventbridgeCustomEventBusResource, "event bus")
        appsync = _icon(Appsync, "AppSync")
        history = _icon(DynamodbTable, "history")
    stream >> _edge("poison") >> queue >> _edge() >> redrive
    stream >> _edge("conflicts", weight="9") >> bus >> _edge(style="dashed") >> appsync  # optional
    stream >> _edge() >> history
    replica << _edge(xlabel="replication ", penwidth="2", constraint="false") >> other


def _worker(clients: Node, region: str) -> tuple[Node, Node]:
    """Draw a Region's way from its clients to its stream function; return the replica and that function."""
    write_function = _icon(LambdaFunction, "write", f"write {region}")
    replica = _icon(DynamodbTable, "replica", f"replica {region}")
    stream = _icon(LambdaFunction, "stream", f"stream {region}")
    clients >> _edge(weight="9") >> write_function >> _edge(weight="9") >> replica
    replica >> _edge("both images", weight="9") >> stream
    stream >> _edge("repair", GREEN, penwidth="2", constraint="false") >> replica
    return replica, stream


def _icon(kind: type[Node], label: str, name: str = "") -> Node:
    return kind(label, nodeid=name or label, **ICON)


def _edge(label: str = "", color: str = INK, **looks: str) -> Edge:
    return Edge(label=label, color=color, fontname=FONT, fontsize="13", fontcolor=color, **looks)
