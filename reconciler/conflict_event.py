"""Conflict events: a conflict as a TM Forum TMF688 Event, v4.0.0, for whoever has to know.

    eventId         the same for a record that is delivered again: consumers drop what they have seen
    correlationId   the conflict's id: the same in every Region, and each time the same write is lost again
    event           what happened, to which attributes; their values only where they are asked for

By default no value of an item leaves its table: names of attributes, write ids and the key's digest do.
What was lost stands in the conflict history, under the conflict's id.
(https://www.tmforum.org/resources/specification/tmf688-event-management-api-user-guide-v4-0-0/)
"""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from reconciler.conflict import Conflict, bounded
from reconciler.stamps import MAX_MS
from reconciler.wire import Image

BASE_PATH = "/tmf-api/event/v4/"
TYPE, BASE_TYPE = "GlobalTableConflictEvent", "Event"
SCHEMA_LOCATION = f"{BASE_PATH}schema/{TYPE}.schema.json"
REPAIRED, RECORDED = "ConflictRepairedEvent", "ConflictRecordedEvent"
DOMAIN = "DynamoDB Global Tables"
SYSTEM = "global-table-reconciler"

Event = Mapping[str, Any]


def event_of(conflict: Conflict, *, repaired: bool, now_ms: int, with_values: bool = False) -> Event:
    """Return the conflict as an event that is told at `now_ms`; `with_values` adds the key and the three images."""
    occurred = iso_time(conflict.at_ms)
    return {
        "eventId": conflict.event_id,
        "eventTime": iso_time(now_ms),
        "eventType": REPAIRED if repaired else RECORDED,
        "correlationId": conflict.id,
        **({} if occurred is None else {"timeOcurred": occurred}),  # TMF688's own spelling
        "title": f"{conflict.kind.value.replace('_', ' ')}: {'repaired' if repaired else 'recorded'}",
        "description": _description(conflict, repaired=repaired),
        "domain": DOMAIN,
        "priority": _priority(conflict, repaired=repaired),
        "source": {"id": f"{conflict.region}/{conflict.table}"},
        "reportingSystem": {"id": SYSTEM},
        "analyticCharacteristic": [
            {"name": name, "value": value} for name, value in _characteristics(conflict, repaired=repaired).items()
        ],
        "event": {"conflict": _content(conflict, repaired=repaired) | (_values(conflict) if with_values else {})},
        "@type": TYPE,
        "@baseType": BASE_TYPE,
        "@schemaLocation": SCHEMA_LOCATION,
    }


def iso_time(ms: int | None) -> str | None:
    """Return milliseconds since 1970 as an RFC 3339 time, or None where there is no usable one."""
    if ms is None or not 0 <= ms <= MAX_MS:
        return None
    return f"{datetime.fromtimestamp(ms // 1000, UTC):%Y-%m-%dT%H:%M:%S}.{ms % 1000:03}Z"


def _characteristics(conflict: Conflict, *, repaired: bool) -> Mapping[str, str]:
    """Return what a rule may filter by, without reading the event itself."""
    return {
        "conflictId": conflict.id,
        "kind": conflict.kind.value,
        "mode": conflict.mode.value,
        "repaired": str(repaired).lower(),
        "region": conflict.region,
        "table": conflict.table,
        "lostAttributes": str(len(conflict.lost)),
        "lostWrites": str(len(conflict.writes)),
    }


def _content(conflict: Conflict, *, repaired: bool) -> dict[str, Any]:
    return {
        "id": conflict.id,
        "kind": conflict.kind.value,
        "mode": conflict.mode.value,
        "repaired": repaired,
        "region": conflict.region,
        "table": conflict.table,
        "keyDigest": conflict.key_digest,
        "sequenceNumber": conflict.sequence_number,
        **bounded("lostWrites", conflict.writes, "More"),
        **bounded("overwrittenAttributes", conflict.overwritten, "More"),
        **bounded("lostAttributes", conflict.lost, "More"),
    }


def _values(conflict: Conflict) -> dict[str, Image]:
    images = {"loser": conflict.loser, "winner": conflict.winner, "merged": conflict.merged}
    return {"key": conflict.key, **{name: image for name, image in images.items() if image is not None}}


def _description(conflict: Conflict, *, repaired: bool) -> str:
    """Say in a sentence what happened; no value of the item is in it."""
    done = "it was joined back into the item" if repaired else "it stays lost, by policy"
    lost = len(conflict.lost)
    return (
        f"A version of an item in {conflict.table} was lost in {conflict.region} ({conflict.kind.value}): {done}; "
        f"{lost} of its attributes {'is' if lost == 1 else 'are'} no longer as it had them. "
        f"This is {conflict.mode.value}."
    )


def _priority(conflict: Conflict, *, repaired: bool) -> str:
    if not repaired:
        return "High"
    return "Normal" if conflict.lost else "Low"
