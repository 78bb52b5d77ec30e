"""The conflict history table, read: one item's conflicts by its key, or all of a span of time; nothing is written."""

from collections.abc import Iterator, Mapping
from typing import Any

import boto3  # noqa: TID251 - the reader's own composition root: nobody but `conflicts` loads it
from botocore.config import Config  # noqa: TID251 - the same

from reconciler.adapters.faults import faults
from reconciler.errors import ConfigurationError
from replay_tools.conflicts_told import NAMES, Told, Wanted, stored_keys, told_of_entry

CONNECT_SECONDS, READ_SECONDS, ATTEMPTS = 2, 10, 3
MAX_PAGES = 10_000  # of 1 MB
LATEST = "\uffff"  # behind every time


def read_history(table: str, region: str, wanted: Wanted) -> Iterator[Told]:
    """Yield the conflicts that are asked for: an item's in order, others as the table has them."""
    retries: Any = {"mode": "standard", "total_max_attempts": ATTEMPTS}
    config = Config(connect_timeout=CONNECT_SECONDS, read_timeout=READ_SECONDS, retries=retries)
    with faults("Reading the history", table):
        client = boto3.client("dynamodb", region_name=region, config=config)
    for request in _requests(table, wanted):
        operation = "Query" if "KeyConditionExpression" in request else "Scan"
        for entry in _pages(getattr(client, operation.lower()), request, f"{operation} on {table}"):
            told = _told(entry, table)
            if wanted.has(told):
                yield told


def _requests(table: str, wanted: Wanted) -> Iterator[dict[str, Any]]:
    names = {f"#{number}": name for number, name in enumerate(NAMES)}
    common = {"TableName": table, "ProjectionExpression": ", ".join(names), "ExpressionAttributeNames": names}
    span = {":since": {"S": wanted.since}, ":until": {"S": wanted.until or LATEST}}
    if not wanted.keys:
        spanned = {"FilterExpression": "#1 BETWEEN :since AND :until", "ExpressionAttributeValues": span}
        yield common | (spanned if wanted.since or wanted.until else {})
        return
    for key in stored_keys(wanted.keys):
        values = {":key": {"S": key}} | (span if wanted.since or wanted.until else {})
        condition = "#0 = :key" + (" AND #1 BETWEEN :since AND :until" if len(values) > 1 else "")
        yield common | {"KeyConditionExpression": condition, "ExpressionAttributeValues": values}


def _pages(call: Any, request: dict[str, Any], action: str) -> Iterator[Mapping[str, Any]]:  # noqa: ANN401 - boto3's own
    start: dict[str, Any] = {}
    for _ in range(MAX_PAGES):
        with faults(*action.split(" on ")):
            answer = call(**request, **start)
        yield from answer["Items"]
        if not answer.get("LastEvaluatedKey"):
            return
        start = {"ExclusiveStartKey": answer["LastEvaluatedKey"]}
    raise ConfigurationError(f"{action}: more than {MAX_PAGES} pages; narrow it with --key, --since and --until")


def _told(entry: Mapping[str, Any], table: str) -> Told:
    try:
        return told_of_entry(entry)
    except (AttributeError, KeyError, TypeError) as error:
        raise ConfigurationError(f"table {table!r} holds what is no conflict: is it the history?") from error
