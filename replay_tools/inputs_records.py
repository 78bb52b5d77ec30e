"""Stream records in whatever carries them, each given the shape that a Lambda trigger delivers.

    a stream record         {"eventName": ..., "dynamodb": {...}}
    a Lambda event, GetRecords' answer, a list      {"Records": [...]}, [...]
    Kinesis                 {"kinesis": {"data": base64}}, {"Data": base64}, or the bare record that this holds
    an incremental export   {"Metadata": {"WriteTimestampMicros": ...}, "Keys": ..., "OldImage": ..., "NewImage": ...}
    a poison message        {"schema": ".../poison/1", ...}, by itself or as the body of an SQS message

https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/S3DataExport.Output.html
https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/kds.html
"""

import json
from base64 import b64decode
from collections.abc import Iterator, Mapping
from contextlib import suppress
from datetime import datetime
from typing import Any

from reconciler import poison
from reconciler.records import VIEW, RawRecord
from replay_tools.inputs import Damage, OnDamage

TIME = "ApproximateCreationDateTime"
MAX_PENDING = 1_000
"""Messages of the poison queue of which some parts are still missing."""
PER_SECOND = {"MILLISECOND": 10**3, "MICROSECOND": 10**6}


class NotARecordError(ValueError):
    """What was read is no stream record; the message says why."""


class Unpacker:
    """Takes records out of what carries them; remembers parts of poison messages until all have come."""

    def __init__(self, on_damage: OnDamage) -> None:
        """Tell of what is no record."""
        self._on_damage = on_damage
        self._parts: dict[str, list[str]] = {}

    def records_in(self, value: object, place: str) -> Iterator[tuple[str, RawRecord]]:
        """Yield the record, or those of an event, an answer or a list, each with its place."""
        held = _held(value)
        if held is None:
            yield from self._one(value, place)
            return
        for number, raw in enumerate(held, 1):
            yield from self._one(raw, f"{place} (record {number})")

    def end(self, name: str) -> None:
        """Tell of poison messages whose parts did not all come."""
        for identity, parts in self._parts.items():
            self._on_damage(Damage(name, f"poison message {identity}: only {len(parts)} of its parts came"))
        self._parts.clear()

    def _one(self, raw: object, place: str) -> Iterator[tuple[str, RawRecord]]:
        try:
            record = self._record(raw)
        except (NotARecordError, ValueError) as error:
            self._on_damage(Damage(place, str(error)))
            return
        if record is not None:
            yield place, record

    def _record(self, raw: object) -> RawRecord | None:
        """Return the record, None of a part whose message is not complete; NotARecordError where it is none."""
        if not isinstance(raw, Mapping):
            raise NotARecordError("is no stream record")
        if isinstance(body := raw.get("Body", raw.get("body")), str):
            return self._message(body)
        if raw.get("schema") == poison.SCHEMA:
            return self._message(json.dumps(raw))
        if "dynamodb" in raw or not raw.keys() & {"kinesis", "Data", "Metadata", "Item"}:
            return with_seconds(raw)
        return from_kinesis(raw) if "Metadata" not in raw and "Item" not in raw else from_export(raw)

    def _message(self, body: str) -> RawRecord | None:
        identity, complete = _part_of(body)
        parts = self._parts.setdefault(identity, [])
        parts.append(body)
        if len(parts) < complete:
            if len(self._parts) > MAX_PENDING:
                self._parts.pop(next(iter(self._parts)))
                raise NotARecordError(f"more than {MAX_PENDING} poison messages lack parts")
            return None
        return from_poison(poison.parse(self._parts.pop(identity)))


def _held(value: object) -> list[object] | None:
    if isinstance(value, list):
        return value
    if isinstance(value, Mapping):
        for name in ("Records", "Messages"):
            if isinstance(held := value.get(name), list):
                return held
    return None


def _part_of(body: str) -> tuple[str, int]:
    document = json.loads(body)
    if not isinstance(document, dict) or document.get("schema") != poison.SCHEMA:
        raise NotARecordError("is a message, but none of the poison queue's")
    count = str(document.get("part", "1/1")).partition("/")[2]
    return str(document.get("id")), int(count) if count.isdecimal() else 1


def from_kinesis(raw: Mapping[str, Any]) -> RawRecord:
    """Return the change record that a Kinesis record holds."""
    inner = raw.get("kinesis")
    data = inner.get("data") if isinstance(inner, Mapping) else raw.get("Data")
    try:
        record = json.loads(b64decode(data or "", validate=True))
    except (TypeError, ValueError):
        raise NotARecordError("is a Kinesis record whose data is no change record") from None
    if not isinstance(record, Mapping) or "dynamodb" not in record:
        raise NotARecordError("is a Kinesis record whose data is no change record")
    return with_seconds(record)


def from_export(raw: Mapping[str, Any]) -> RawRecord:
    """Return an incremental export's line as a record; its time in microseconds is its sequence number too."""
    keys, old, new = raw.get("Keys"), raw.get("OldImage"), raw.get("NewImage")
    if "Item" in raw or not isinstance(keys, Mapping):
        raise NotARecordError("is a full export's line: only an incremental export has old and new images")
    micros = _micros(raw["Metadata"])
    images = {name: image for name, image in (("OldImage", old), ("NewImage", new)) if image}
    body = {"Keys": keys, **images, "StreamViewType": VIEW, "SequenceNumber": str(micros), TIME: micros / 10**6}
    return {"eventName": "REMOVE" if not new else "MODIFY" if old else "INSERT", "dynamodb": body}


def _micros(metadata: object) -> int:
    value = metadata.get("WriteTimestampMicros") if isinstance(metadata, Mapping) else None
    try:
        return int(value.get("N", "") if isinstance(value, Mapping) else str(value))
    except ValueError:
        raise NotARecordError("is an export's line without WriteTimestampMicros") from None


def from_poison(message: poison.PoisonMessage) -> RawRecord:
    """Return the stream record that a poison message is about."""
    if message.record is not None:
        return with_seconds(message.record)
    old, new = message.old_image, message.new_image
    images = {name: image for name, image in (("OldImage", old), ("NewImage", new)) if image is not None}
    body: dict[str, Any] = {
        "Keys": message.key,
        **images,
        "StreamViewType": VIEW,
        "SequenceNumber": message.sequence_number,
    }
    if message.at_ms is not None:
        body[TIME] = message.at_ms / 1000
    name = "REMOVE" if new is None else "MODIFY" if old is not None else "INSERT"
    return {"eventName": name, "awsRegion": message.region, "dynamodb": body}


def with_seconds(raw: RawRecord) -> RawRecord:
    """Return the record with its time in seconds: the AWS command line prints a date, and Kinesis counts finer."""
    body = raw.get("dynamodb")
    if not isinstance(body, Mapping):
        return raw
    time = body.get(TIME)
    if isinstance(time, str):
        with suppress(ValueError):
            return {**raw, "dynamodb": {**body, TIME: datetime.fromisoformat(time).timestamp()}}
    if "tableName" in raw:
        return _from_kinesis_shape(raw, body)
    return raw


def _from_kinesis_shape(raw: RawRecord, body: Mapping[str, Any]) -> RawRecord:
    """Return Kinesis' change record, which has no sequence number of the table's own, by its event's id."""
    time = body.get(TIME)
    unit = PER_SECOND.get(body.get("ApproximateCreationDateTimePrecision", "MILLISECOND"), 1)
    seconds = {TIME: time / unit} if isinstance(time, int | float) else {}
    return {**raw, "dynamodb": {"SequenceNumber": str(raw.get("eventID", "")), **body, **seconds}}
