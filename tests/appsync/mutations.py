"""Stale mutations, as AppSync hands them to the conflict function."""

import json
from typing import Any

from handlers.appsync import conflict_handler
from handlers.settings import Settings
from reconciler.policy import Policy
from tests.core.histories import POLICY, START_MS

REGION, TABLE = "us-east-1", "Table"
SETTINGS = Settings(table_name=TABLE, policy_file="policy.toml", region=REGION)
EXISTING: dict[str, Any] = {
    "Id": "x",
    "Data": "existing",
    "Version": 5,
    "Timestamp": START_MS,
    "IdempotencyKey": "k5",
    "_version": 5,
    "_lastChangedAt": START_MS + 9,
}
NEW: dict[str, Any] = {
    **EXISTING,
    "Data": "new",
    "Version": 6,
    "Timestamp": START_MS + 1,
    "IdempotencyKey": "k6",
}
"""The item with the mutation on top, as an UpdateItem would leave it."""


class Lines:
    """A log that keeps its lines."""

    def __init__(self) -> None:
        """Begin without lines."""
        self.lines: list[dict[str, Any]] = []

    def info(self, event: str, **values: Any) -> None:
        """Keep a line, which must be JSON."""
        self.lines.append(json.loads(json.dumps({"event": event, **values})))


def mutation(new: Any = NEW, existing: Any = EXISTING, field: str = "updateItem", **resolver: Any) -> dict[str, Any]:
    """Return the event of one stale mutation."""
    of_resolver = {"tableName": TABLE, "awsRegion": REGION, "parentType": "Mutation", "field": field, **resolver}
    return {"newItem": new, "existingItem": existing, "arguments": {}, "resolver": of_resolver, "identity": None}


def answered(event: Any, policy: Policy = POLICY) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return the function's answer, by way of JSON, and its one log line."""
    log = Lines()
    answer = conflict_handler(SETTINGS, policy=policy, logger=log)(event, None)  # type: ignore[arg-type]
    (line,) = log.lines
    return json.loads(json.dumps(answer, allow_nan=False)), line


def item_of(base: dict[str, Any], **attributes: Any) -> dict[str, Any]:
    """Return an item with these attributes; None is GraphQL's null, and `...` leaves one out."""
    return {name: value for name, value in {**base, **attributes}.items() if value is not ...}


def users(item: dict[str, Any]) -> dict[str, Any]:
    """Return an item without what is AppSync's own."""
    return {name: value for name, value in item.items() if not name.startswith("_")}
