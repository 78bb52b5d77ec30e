"""What the vectors tell: short histories of one item, executed by the project's own writer and joined by its join."""

from collections.abc import Mapping
from typing import Any

from reconciler.adapters.memory import MemoryTable
from reconciler.codec import decode, encode
from reconciler.join import diverged, join
from reconciler.plain import adopt, is_plain, read_plain
from reconciler.policy_file import loads
from reconciler.wire import Image
from reconciler.writer import Writer

START_MS = 1_700_000_000_000
US, EU = "us-east-1", "eu-west-1"
KEY: Image = {"Id": {"S": "sub-1"}}
POLICY_TOML = """\
[table]
name = "GlobalEventTable"
partition_key = "Id"
regions = ["us-east-1", "eu-west-1"]
window = "1h"
max_writes = 3
min_window = "1s"
tombstone_ttl = "30d"

[attributes]
Balance = "counter"
Tags = "set"
Limit = "max"
Floor = "min"
Seen = "union"
Status = { policy = "rank", order = ["pending", "active", "closed"] }
Profile = { policy = "map", members = { LoginCount = "counter" } }
"""
POLICY = loads(POLICY_TOML)
Vector = dict[str, Any]


class _NoMeter:
    def add(self, name: str, amount: int = 1) -> None:
        """Measure nothing."""


def write(found: Image | None, request: Mapping[str, Any], region: str = US, after_ms: int = 0) -> Vector:
    """Return what the writer makes of a request, as a vector, `after_ms` after the start."""
    table = MemoryTable()
    if found is not None:
        table.put(KEY, found)
    now_ms = START_MS + after_ms
    writer = Writer(
        table, region, POLICY, clock=lambda: now_ms, new_key=lambda: "unused", pause=lambda _: None, meter=_NoMeter()
    )
    told = writer.process_event({"Id": "sub-1", **request})
    return {
        "region": region,
        "now_ms": now_ms,
        "request": {"Id": "sub-1", **request},
        "found": found,
        "status": told["status"],
        "version": told["version"],
        "token": told["token"],
        "item": table.read(KEY),
    }


def after(found: Image | None, *requests: tuple[Mapping[str, Any], str, int]) -> Any:
    """Return the item after these requests, each with its Region and time."""
    for request, region, after_ms in requests:
        found = write(found, request, region, after_ms)["item"]
    return found


def joined(left: Image, right: Image) -> Vector:
    """Return the join of two images, as a vector; a plain one is adopted first."""
    ours, theirs = _item(left), _item(right)
    return {
        "left": left,
        "right": right,
        "joined": encode(join(ours, theirs, POLICY), POLICY),
        "diverged": diverged(ours, theirs),
    }


def adopted(image: Image) -> Vector:
    """Return a plain item's adoption, as a vector."""
    return {"plain": image, "adopted": encode(_item(image), POLICY)}


def _item(image: Image) -> Any:
    return adopt(read_plain(image), POLICY) if is_plain(image) else decode(image, POLICY)
