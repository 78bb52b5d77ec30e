"""Values: a record's two versions as text for people, printable whatever an item holds.

    {"place": "us.ndjson:3", "operation": "MODIFY", "says": [...],
     "after": [[name, text], ...] or null where the item is gone,
     "before": [[name, text or null where absent], ...] of what differs alone, or null where there was no item}

Pairs and not objects: an attribute may be called ``__proto__``.
"""

import json
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

from reconciler.wire import Image, Value, plain

MAX_CHARACTERS = 2_000  # of one value; the page says where one is cut


def content(place: str, operation: str, old: Image | None, new: Image | None) -> str:
    """Return both versions in JSON."""
    pairs = {
        "place": place,
        "operation": operation,
        "after": None if new is None else [[printable(name), text(new[name])] for name in sorted(new)],
        "before": None if old is None else _before(old, new or {}),
    }
    return json.dumps(pairs, separators=(",", ":"))


def _before(old: Image, new: Image) -> Sequence[tuple[str, str | None]]:
    names = sorted(name for name in old.keys() | new.keys() if old.get(name) != new.get(name))
    return [(printable(name), text(old[name]) if name in old else None) for name in names]


def text(value: Value) -> str:
    """Return a wire value as one line of printable text, cut where it is long; as it came, where it is no value."""
    try:
        written = _written(plain(value))
    except (AttributeError, ArithmeticError, KeyError, TypeError, ValueError):
        written = json.dumps(value, default=str)
    whole = printable(written)
    return whole if len(whole) <= MAX_CHARACTERS else f"{whole[:MAX_CHARACTERS]}… ({len(whole)} characters)"


def printable(written: str) -> str:
    """Escape what has no glyph, or turns the direction of what follows."""
    if written.isprintable():
        return written
    return "".join(letter if letter.isprintable() else f"\\u{ord(letter):04x}" for letter in written)


def key_text(key: Image) -> str:
    """Return a key as a person reads it: its value alone where it has one part."""
    parts = {name: text(value) for name, value in key.items()}
    if len(parts) == 1:
        (only,) = parts.values()
        return only[1:-1] if only.startswith('"') else only
    return " ".join(f"{printable(name)}={value}" for name, value in parts.items()) or "(no key)"


def _written(value: Any) -> str:  # noqa: ANN401 - any Python value
    match value:
        case set() | frozenset():
            return f"{{{', '.join(sorted(map(_written, value)))}}}"
        case list():
            return f"[{', '.join(map(_written, value))}]"
        case Mapping():
            return f"{{{', '.join(f'{name}: {_written(value[name])}' for name in sorted(value))}}}"
        case _:
            return _scalar(value)


def _scalar(value: object) -> str:
    match value:
        case str():
            return f'"{value}"'
        case None | bool():
            return json.dumps(value)
        case bytes():
            return f"binary of {len(value)} bytes"
        case Decimal():
            return f"{value:f}"
        case _:
            return str(value)
