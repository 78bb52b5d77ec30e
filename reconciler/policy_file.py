"""The policy file: TOML to a `Policy`; every mistake is one error that names its place.

    [table]        key schema, Regions and bounds; what is left out has the default of `Policy`
    [attributes]   name = "latest"                                        a policy's name, or where it needs more:
                   name = { policy = "rank", order = ["low", "high"] }    strings or integers, lowest first
                   name = { policy = "map", members = { name = ... } }    members may be maps themselves
                   name = { policy = "custom", function = "package.module:function" }

Places are written as in TOML, elements counted from 0: ``table.regions[1]``, ``attributes.Profile.members."A b"``.
A value that is absent is read as None, which TOML does not have.
"""

import json
import re
import tomllib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from decimal import Decimal
from difflib import get_close_matches
from enum import Enum
from importlib import import_module
from pathlib import Path
from typing import Any

from reconciler.errors import PolicyFileError
from reconciler.policy import (
    BOOKKEEPING,
    DAY,
    HOUR,
    LEGACY_PREFIX,
    MINUTE,
    SECOND,
    AttributePolicy,
    Kind,
    OnDeleted,
    OnForeign,
    OnHardDelete,
    Policy,
    Recreate,
    Region,
    split_path,
)
from reconciler.wire import EXACT, MAX_DEPTH, Value, from_plain

Reader = Callable[[object, str], Any]

MAX_REGIONS = 99  # a stamp has two digits for the Region code
MIN_CAUSALITY_BYTES, MAX_CAUSALITY_BYTES = 1024, 400 * 1024  # the latter is DynamoDB's limit for a whole item
SHORTEST_TTL_MS = 24 * HOUR  # a stream's records last as long, and must not outlive the tombstones that they may meet
UNITS = {"ms": 1, "s": SECOND, "m": MINUTE, "h": HOUR, "d": DAY}
# Bounded, so that every duration is exact and small.
_DURATION = re.compile(r"([0-9]{1,12}(?:\.[0-9]{1,6})?)(ms|s|m|h|d)")
_BARE_KEY = re.compile(r"[A-Za-z0-9_-]+")
_TYPE_NAMES = {
    type(None): "missing",
    str: "a string",
    bool: "a boolean",
    int: "an integer",
    float: "a float",
    list: "an array",
    dict: "a table",
}
_KEY_OF_KIND = {Kind.RANK: "order", Kind.MAP: "members", Kind.CUSTOM: "function"}


def load(path: Path) -> Policy:
    """Read a policy file; PolicyFileError names the file that cannot be read, or the place in it that is wrong."""
    try:
        text = path.read_bytes().decode("utf-8-sig")  # some editors begin a file with a byte order mark
    except OSError as error:
        raise PolicyFileError(str(path), f"cannot be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise PolicyFileError(str(path), f"is not UTF-8: {error.reason} at byte {error.start}") from error
    return loads(text, str(path))


def loads(text: str, place: str = "text") -> Policy:
    """Read a policy from TOML; PolicyFileError names the place that is wrong (`place` itself where it is no TOML)."""
    document = _parse(text, place)
    _refuse_unknown(document, "", ["table", "attributes"])
    policy = _read_table(document.get("table"))
    attributes = _table(document.get("attributes", {}), "attributes", "a table")
    for name in attributes:
        _check_name(name, _at("attributes", name), policy)
    policies = _read_policies(attributes, "attributes")
    for name in policies:
        _check_path(name, policies)
    return replace(policy, attributes=policies)


def _parse(text: str, place: str) -> dict[str, Any]:
    try:
        return tomllib.loads(text)
    except (ValueError, RecursionError) as error:  # ValueError: bad syntax, or an integer of thousands of digits
        line, column = text.count("\n") + 1, len(text) - text.rfind("\n")
        end = f"(at line {line}, column {column}: the end of the document)"
        problem = str(error).replace("(at end of document)", end)
        raise PolicyFileError(place, f"cannot be read: {problem}") from error


# The section `table`


def _read_table(value: object) -> Policy:
    table = _table(value, "table", "a table with name, partition_key and regions")
    _refuse_unknown(table, "table", _READERS)
    fields = {
        field: read(table.get(key), f"table.{key}")
        for key, (field, read) in _READERS.items()
        if key in table or key in _REQUIRED
    }
    policy = Policy(**fields)
    _check_table(policy)
    return policy


def _check_table(policy: Policy) -> None:
    """Refuse what is wrong only together, or against a default."""
    if policy.partition_key == policy.sort_key:
        raise PolicyFileError("table.sort_key", f"is {policy.sort_key!r}, as partition_key is; expected another name")
    if policy.window_ms < policy.min_window_ms:
        spans = f"is {_span(policy.window_ms)}; expected at least min_window, {_span(policy.min_window_ms)}"
        raise PolicyFileError("table.window", spans)
    if policy.tombstone_ttl_ms <= SHORTEST_TTL_MS:
        spans = f"is {_span(policy.tombstone_ttl_ms)}; expected more than {_span(SHORTEST_TTL_MS)} of stream"
        raise PolicyFileError("table.tombstone_ttl", f"{spans}, TTL sweeping and the longest partition")


def _span(ms: int) -> str:
    unit = next(name for name in ("h", "m", "s", "ms") if ms % UNITS[name] == 0)
    return f"{ms // UNITS[unit]}{unit}"


def _text(value: object, place: str) -> str:
    if not isinstance(value, str) or not value:
        raise _wrong_type(value, place, "a non-empty string")
    return value


def _key_attribute(value: object, place: str) -> str:
    name = _text(value, place)
    _refuse_reserved(name, place)
    return name


def _regions(value: object, place: str) -> tuple[Region, ...]:
    if not isinstance(value, list) or not value:
        raise _wrong_type(value, place, "a non-empty array of Region names")
    if len(value) > MAX_REGIONS:
        raise PolicyFileError(place, f"has {len(value)} Regions; expected at most {MAX_REGIONS}")
    regions = [Region(_text(name, f"{place}[{index}]")) for index, name in enumerate(value)]
    _refuse_repeated(regions, place)
    return tuple(regions)


def _duration(value: object, place: str) -> int:
    if not isinstance(value, str):
        raise _wrong_type(value, place, 'a duration, such as "24h"')
    found = _DURATION.fullmatch(value)
    if not found:
        expected = f'a number and a unit ({", ".join(UNITS)}), such as "24h"'
        raise PolicyFileError(place, f"{value!r} is no duration; expected {expected}")
    ms = EXACT.multiply(Decimal(found[1]), Decimal(UNITS[found[2]]))
    if not ms or ms != int(ms):
        raise PolicyFileError(place, f"{value!r} is not a whole number of milliseconds of at least 1")
    return int(ms)


def _integer(allowed: range, expected: str) -> Reader:
    def read(value: object, place: str) -> int:
        if type(value) is not int:  # to Python a boolean is an integer too; to TOML it is not
            raise _wrong_type(value, place, expected)
        if value not in allowed:
            raise PolicyFileError(place, f"is out of range; expected {expected}")
        return value

    return read


def _word(words: type[Enum], what: str) -> Reader:
    known = [word.value for word in words]

    def read(value: object, place: str) -> Enum:
        if not isinstance(value, str):
            raise _wrong_type(value, place, f"one of {', '.join(known)}")
        if value not in known:
            raise _unknown(what, value, place, known)
        return words(value)

    return read


_REQUIRED = frozenset({"name", "partition_key", "regions"})
_READERS: dict[str, tuple[str, Reader]] = {
    "name": ("name", _text),
    "partition_key": ("partition_key", _key_attribute),
    "sort_key": ("sort_key", _key_attribute),
    "regions": ("regions", _regions),
    "window": ("window_ms", _duration),
    "max_writes": ("max_writes", _integer(range(1, 2**63), "an integer of at least 1")),
    "min_window": ("min_window_ms", _duration),
    "max_causality_bytes": (
        "max_causality_bytes",
        _integer(
            range(MIN_CAUSALITY_BYTES, MAX_CAUSALITY_BYTES + 1),
            f"an integer from {MIN_CAUSALITY_BYTES} to {MAX_CAUSALITY_BYTES}",
        ),
    ),
    "max_clock_skew": ("max_clock_skew_ms", _duration),
    "tombstone_ttl": ("tombstone_ttl_ms", _duration),
    "lost_to_delete": ("lost_to_delete", _word(OnDeleted, "value")),
    "recreate": ("recreate", _word(Recreate, "value")),
    "hard_delete": ("hard_delete", _word(OnHardDelete, "value")),
    "foreign_writes": ("foreign_writes", _word(OnForeign, "value")),
}


# The section `attributes`


def _check_name(name: str, place: str, policy: Policy) -> None:
    _refuse_reserved(name, place)
    if name in policy.key_names:
        raise PolicyFileError(place, "is a key attribute, which has no policy")


def _check_path(name: str, policies: Mapping[str, AttributePolicy]) -> None:
    first = split_path(name)[0]
    if first != name and first in policies and policies[first].kind is Kind.MAP:
        expected = f"its member under {_at('attributes', first)}.members"
        raise PolicyFileError(_at("attributes", name), f"reads as a path into the map {first!r}; expected {expected}")


def _read_policies(table: Mapping[str, object], place: str, depth: int = 0) -> dict[str, AttributePolicy]:
    if depth > MAX_DEPTH:
        raise PolicyFileError(place, f"is nested deeper than {MAX_DEPTH} levels, the most that DynamoDB holds")
    if "" in table:
        raise PolicyFileError(_at(place, ""), "a name is never empty")
    return {name: _read_policy(value, _at(place, name), depth) for name, value in table.items()}


def _read_policy(value: object, place: str, depth: int) -> AttributePolicy:
    if isinstance(value, str):
        kind, table = _KIND(value, place), {}
    else:
        table = _table(value, place, "a policy's name, or a table with its policy")
        kind = _KIND(table.get("policy"), f"{place}.policy")
    _refuse_keys_of_others(table, place, kind)
    match kind:
        case Kind.RANK:
            return AttributePolicy(kind, order=_order(table.get("order"), f"{place}.order"))
        case Kind.MAP:
            members = _table(table.get("members", {}), f"{place}.members", "a table of the members' policies")
            return AttributePolicy(kind, members=_read_policies(members, f"{place}.members", depth + 1))
        case Kind.CUSTOM:
            name = _text(table.get("function"), f"{place}.function")
            return AttributePolicy(kind, function=_import(name, f"{place}.function"), function_name=name)
        case _:
            return AttributePolicy(kind)


_KIND = _word(Kind, "policy")


def _refuse_keys_of_others(table: Mapping[str, object], place: str, kind: Kind) -> None:
    for owner, key in _KEY_OF_KIND.items():
        if key in table and owner is not kind:
            raise PolicyFileError(_at(place, key), f"belongs to policy {owner.value!r}; this one is {kind.value!r}")
    _refuse_unknown(table, place, ["policy", *([_KEY_OF_KIND[kind]] if kind in _KEY_OF_KIND else [])])


def _order(value: object, place: str) -> tuple[Value, ...]:
    if not isinstance(value, list) or not value:
        raise _wrong_type(value, place, "a non-empty array of strings or integers, lowest first")
    order = [_rank(rank, f"{place}[{index}]") for index, rank in enumerate(value)]
    _refuse_repeated(order, place)
    return tuple(order)


def _rank(value: object, place: str) -> Value:
    if type(value) not in {str, int}:  # a boolean is no integer here either
        raise _wrong_type(value, place, "a string or an integer")
    try:
        return from_plain(value)
    except ValueError as error:
        raise PolicyFileError(place, f"DynamoDB cannot hold it: {error}") from error


def _import(name: str, place: str) -> Callable[[Any, Any], Any]:
    module_name, _, function_name = name.partition(":")
    if not module_name or not function_name:
        raise PolicyFileError(place, f'{name!r} names no function; expected "package.module:function"')
    try:
        module = import_module(module_name)
    except (Exception, SystemExit) as error:  # whatever a user's module raises while it is imported
        raise PolicyFileError(place, f"cannot import {module_name!r}: {type(error).__name__}: {error}") from error
    function: Callable[[Any, Any], Any] | None = getattr(module, function_name, None)
    if not callable(function):
        problem = "is not callable" if hasattr(module, function_name) else "does not exist"
        raise PolicyFileError(place, f"{function_name!r} {problem} in the module {module_name!r}")
    return function


# What is refused, in the same words everywhere


def _table(value: object, place: str, expected: str) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise _wrong_type(value, place, expected)
    return value


def _refuse_reserved(name: str, place: str) -> None:
    if name in BOOKKEEPING or name.startswith(LEGACY_PREFIX):
        raise PolicyFileError(place, f"{name!r} is reserved: {', '.join(sorted(BOOKKEEPING))} and {LEGACY_PREFIX}*")


def _refuse_unknown(table: Iterable[str], place: str, known: Iterable[str]) -> None:
    for key in table:
        if key not in known:
            raise _unknown("key", key, _at(place, key), list(known))


def _refuse_repeated(values: list[Any], place: str) -> None:
    for index, value in enumerate(values):
        if value in values[:index]:
            raise PolicyFileError(f"{place}[{index}]", "stands there twice; expected every element once")


def _unknown(what: str, word: str, place: str, known: list[str]) -> PolicyFileError:
    near = get_close_matches(word.casefold(), known, n=1, cutoff=0.7)
    hint = f"did you mean {near[0]!r}?" if near else f"expected one of {', '.join(known)}"
    return PolicyFileError(place, f"unknown {what} {word!r}; {hint}")


def _wrong_type(value: object, place: str, expected: str) -> PolicyFileError:
    names = _TYPE_NAMES if value else _TYPE_NAMES | {str: "an empty string", list: "an empty array"}
    return PolicyFileError(place, f"is {names.get(type(value), 'a date or time')}; expected {expected}")


def _at(place: str, key: str) -> str:
    name = key if _BARE_KEY.fullmatch(key) else json.dumps(key, ensure_ascii=False)
    return f"{place}.{name}" if place else name
