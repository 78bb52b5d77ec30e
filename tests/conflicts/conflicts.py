"""Conflicts to tell of."""

from dataclasses import replace
from typing import Any

from reconciler.conflict import Conflict, Kind, Mode
from reconciler.stamps import WriteId

SECRET = "do-not-tell-me"  # noqa: S105 - the very thing that must not appear
AT = 1_700_000_000_123
NOW = 1_700_000_001_000
KEY = {"Id": {"S": SECRET}}
LOST = {**KEY, "Data": {"S": f"lost {SECRET}"}, "Note": {"S": SECRET}}
WON = {**KEY, "Data": {"S": f"won {SECRET}"}}
MERGED = {**WON, "Note": {"S": SECRET}}
CONFLICT = Conflict(
    kind=Kind.OVERWRITTEN,
    mode=Mode.EXACT,
    region="us-east-1",
    table="GlobalEventTable",
    key=KEY,
    sequence_number="7",
    loser=LOST,
    winner=WON,
    merged=MERGED,
    writes=(WriteId("write-of-us-east"),),
    overwritten=("Data", "Note"),
    lost=("Data",),
    at_ms=AT,
)


def conflict(number: int = 0, **changes: Any) -> Conflict:
    """Return a conflict of an item of its own for each number."""
    key = {"Id": {"S": f"item-{number}"}}
    images = {name: {**getattr(CONFLICT, name), **key} for name in ("loser", "winner", "merged")}
    return replace(CONFLICT, key=key, **{**images, **changes})
