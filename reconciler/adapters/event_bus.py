"""The event bus: conflicts as TMF688 events on Amazon EventBridge, so that rules can act on them.

    source global-table-reconciler    detail-type ConflictRepairedEvent, ConflictRecordedEvent    detail the event

An event without values always fits the bus; one whose images make it too large is sent without them, and says so.
(https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-putevents.html)
"""

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from reconciler.conflict import Conflict
from reconciler.conflict_event import SYSTEM, Event, event_of

MAX_ENTRIES = 10
MAX_BYTES = 256 << 10  # of one call, all its entries together
OMITTED = ("key", "loser", "winner", "merged")

Entry = Mapping[str, str]
PutEvents = Callable[..., Mapping[str, Any]]
"""``put_events`` of a boto3 client."""


class EventBus:
    """A sink that puts events on one bus."""

    name = "event_bus"

    def __init__(self, put_events: PutEvents, bus: str, *, with_values: bool = False) -> None:
        """Put events on `bus`, a name or ARN; `with_values` adds the items' keys and images."""
        self._put_events = put_events
        self._bus = bus
        self._with_values = with_values

    def entry_of(self, conflict: Conflict, *, repaired: bool, now_ms: int) -> Entry:
        """Return the conflict as an entry that fits the bus."""
        event = event_of(conflict, repaired=repaired, now_ms=now_ms, with_values=self._with_values)
        entry = self._entry(event)
        if size_of(entry) <= MAX_BYTES:
            return entry
        return self._entry(_without_values(event_of(conflict, repaired=repaired, now_ms=now_ms)))

    def batches(self, entries: Sequence[Entry]) -> Iterable[list[Entry]]:
        """Yield the entries by ten, and fewer where they are large."""
        batch: list[Entry] = []
        room = MAX_BYTES
        for entry in entries:
            size = size_of(entry)
            if batch and (len(batch) == MAX_ENTRIES or size > room):
                yield batch
                batch, room = [], MAX_BYTES
            batch.append(entry)
            room -= size
        if batch:
            yield batch

    def send(self, batch: list[Entry]) -> list[Entry]:
        """Put one batch; return the entries that the bus did not take."""
        answer = self._put_events(Entries=batch)
        if not answer["FailedEntryCount"]:
            return []
        return [entry for entry, told in zip(batch, answer["Entries"], strict=True) if "ErrorCode" in told]

    def _entry(self, event: Event) -> Entry:
        return {
            "Source": SYSTEM,
            "DetailType": event["eventType"],
            "Detail": json.dumps(event, separators=(",", ":")),
            "EventBusName": self._bus,
        }


def size_of(entry: Entry) -> int:
    """Return how many bytes EventBridge counts for an entry, its time and bus included."""
    return sum(len(text.encode()) for text in entry.values())


def _without_values(event: Event) -> Event:
    """Return the event, which has no values, with word of that."""
    conflict = {**event["event"]["conflict"], "omitted": list(OMITTED)}
    return {**event, "event": {"conflict": conflict}}
