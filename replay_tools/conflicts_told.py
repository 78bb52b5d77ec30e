"""Conflicts as they were told: out of the history table, or out of TMF688 events, in one form without values."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from reconciler.conflict_event import iso_time
from reconciler.policy import Policy
from reconciler.wire import canonical_image, digest, stable_json
from replay_tools.explain_text import plain_or_raw, printable, shown_key
from replay_tools.inputs import Damage, OnDamage, name_of, opened
from replay_tools.inputs_json import place_of, read_values

Told = Mapping[str, Any]
FIELDS = {
    "conflict": "ConflictId",
    "event": "EventId",
    "table": "Table",
    "region": "Region",
    "kind": "Kind",
    "mode": "Mode",
    "repaired": "Repaired",
    "sequence_number": "SequenceNumber",
    "key_digest": "KeyDigest",
}
LISTS = {"writes": "LostWrites", "overwritten": "Overwritten", "lost": "Lost"}
NAMES = ("ItemKey", "Entry", *FIELDS.values(), *LISTS.values(), *(f"{name}More" for name in LISTS.values()))
EVENT_FIELDS = {
    "conflict": "id",
    "table": "table",
    "region": "region",
    "kind": "kind",
    "mode": "mode",
    "repaired": "repaired",
    "sequence_number": "sequenceNumber",
    "key_digest": "keyDigest",
}
EVENT_LISTS = {"writes": "lostWrites", "overwritten": "overwrittenAttributes", "lost": "lostAttributes"}


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which conflicts are asked for; times as RFC 3339 texts in UTC, which are in order as texts."""

    keys: tuple[str, ...] = ()
    """The item's key as canonical JSON, once for each type that it may have; none: any item."""
    since: str = ""
    until: str = ""
    kinds: tuple[str, ...] = ()

    def has(self, told: Told) -> bool:
        """Say whether a conflict is asked for; one without a time is in no span of time."""
        at = told["at"] or ""
        return (
            (not self.keys or told["key_digest"] in {digest(json.loads(key)) for key in self.keys})
            and (not self.since or at >= self.since)
            and (not self.until or "" < at < self.until)
            and (not self.kinds or told["kind"] in self.kinds)
        )


def keys_of(text: str | None, policy: Policy) -> tuple[str, ...]:
    """Return the keys that a person's `--key` may mean; ValueError where it means none.

    DynamoDB's JSON says the types; a bare value, or ``NAME=VALUE`` pairs by commas, may be text or a number.
    """
    if text is None:
        return ()
    if text.startswith("{"):
        return (_canonical(json.loads(text)),)
    names = policy.key_names
    pairs = [pair.partition("=") for pair in text.split(",")]
    named = {name: value for name, separator, value in pairs if separator}
    if len(names) == 1 and named.keys() != set(names):
        named = {names[0]: text}
    if named.keys() != set(names):
        raise ValueError(f"the key is {', '.join(names)}: give NAME=VALUE for each, by commas")
    return tuple(
        dict.fromkeys(
            _canonical({name: {letter: value} for name, value in named.items()})
            for letter in ("S", "N")
            if letter == "S" or all(map(_is_number, named.values()))
        )
    )


def moment(text: str | None) -> str:
    """Return a time as the history has it; without a zone it is UTC. ValueError where it is none."""
    if text is None:
        return ""
    at = datetime.fromisoformat(text)
    at = at if at.tzinfo else at.replace(tzinfo=UTC)
    return iso_time(round(at.timestamp() * 1000)) or ""


def told_of_entry(entry: Mapping[str, Any]) -> Told:
    """Return what an entry of the history table says."""
    lists = {name: [text["S"] for text in entry[stored]["L"]] for name, stored in LISTS.items() if stored in entry}
    more = {f"{name}_more": int(entry[f"{s}More"]["N"]) for name, s in LISTS.items() if f"{s}More" in entry}
    values = {name: next(iter(entry[stored].values())) for name, stored in FIELDS.items()}
    return {"at": entry["Entry"]["S"].partition("#")[0] or None, "key": _plain_key(entry["ItemKey"]["S"])} | {
        **values,
        **lists,
        **more,
    }


def read_events(path: str, on_damage: OnDamage) -> Iterator[Told]:
    """Yield the conflicts in a file of events: NDJSON, a list, or as a bus delivers them, under ``detail``."""
    with opened(path) as file:
        for line, _, value in read_values(file, name_of(path), on_damage):
            place = place_of(name_of(path), line)
            for number, event in enumerate(value if isinstance(value, list) else [value], 1):
                told = _told_of_event(event)
                if told is None:
                    where = f"{place} (event {number})" if isinstance(value, list) else place
                    on_damage(Damage(where, "is no conflict event"))
                else:
                    yield told


def line_of(told: Told) -> str:
    """Return a conflict as one line for a person: when, where, which item, how it was lost, and what of it."""
    key = shown_key(told["key"]) if isinstance(told["key"], Mapping) else f"key digest {told['key_digest']}"
    fate = "repaired" if told["repaired"] else "stays lost"
    names = _listed(told, "lost") or "no attribute"
    return printable(
        f"{told['at'] or 'at no known time'}  {told['region']}  {told['table']}  item {key}  {told['kind']}: {fate}; "
        f"not as they were: {names}  ({told['mode']}, conflict {told['conflict']})"
    )


def _listed(told: Told, name: str) -> str:
    more = [f"{told[f'{name}_more']} more"] if f"{name}_more" in told else []
    return ", ".join([*told.get(name, ()), *more])


def _told_of_event(event: object) -> Told | None:
    event = event["detail"] if isinstance(event, dict) and isinstance(event.get("detail"), dict) else event
    body = event.get("event") if isinstance(event, dict) else None
    conflict = body.get("conflict") if isinstance(body, dict) else None
    if not isinstance(event, dict) or not isinstance(conflict, dict):
        return None
    if any(stored not in conflict for stored in EVENT_FIELDS.values()):
        return None
    key = conflict.get("key")
    more = {f"{name}_more": conflict[f"{s}More"] for name, s in EVENT_LISTS.items() if f"{s}More" in conflict}
    return {
        "at": event.get("timeOcurred"),
        "key": {name: plain_or_raw(value) for name, value in key.items()} if isinstance(key, dict) else None,
        "event": event.get("eventId"),
        **{name: conflict[stored] for name, stored in EVENT_FIELDS.items()},
        **{name: conflict.get(stored, []) for name, stored in EVENT_LISTS.items()},
        **more,
    }


def _plain_key(text: str) -> Mapping[str, Any] | None:
    """Return the key that an entry names; None where it was too long, and only its digest stands there."""
    try:
        return {name: plain_or_raw(value) for name, value in json.loads(text).items()}
    except (AttributeError, ValueError):
        return None


def _canonical(key: Mapping[str, Any]) -> str:
    return stable_json(canonical_image(key))


def _is_number(text: str) -> bool:
    try:
        canonical_image({"": {"N": text}})
    except ValueError:
        return False
    return True


def stored_keys(keys: Sequence[str]) -> list[str]:
    """Return what `ItemKey` holds for each key."""
    return [key if len(key.encode()) <= MAX_KEY_BYTES else digest(json.loads(key)) for key in keys]


MAX_KEY_BYTES = 2048
