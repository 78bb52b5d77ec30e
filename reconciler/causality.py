"""`Causality`: the one map attribute that holds all bookkeeping; what is malformed in it is named.

Stamp   value stamp of the newest write          Deltas  counter -> write id -> n
Writes  write id -> stamps                       Dots    set -> element -> stamps
Horizon, Folded {Count, Sum}                     Stamps  register -> stamp, where not Stamp; always where removed
Deleted life
"""

from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from reconciler.errors import ItemError
from reconciler.item import Item
from reconciler.ledger import SUM_MODULUS, Ledger
from reconciler.policy import CAUSALITY, Policy
from reconciler.stamps import NEVER, Stamp, WriteId, id_number, parse_stamp, region_code_of
from reconciler.wire import Image, Value, members_of, number_text, whole

REMEMBERED = 4096  # images of one item name nearly the same executions, over and over
MALFORMED = (ValueError, KeyError, TypeError, AttributeError)  # what reading a value of another shape raises
MEMBERS = frozenset({"Stamp", "Writes", "Horizon", "Folded", "Stamps", "Deltas", "Dots", "Deleted"})


def causality_of(image: Image) -> Mapping[str, Value]:
    """Return the members of an image's `Causality`; ItemError where it is not a map of the known members."""
    members = members_of(image.get(CAUSALITY))
    if members is None:
        raise ItemError(CAUSALITY, "is not a map")
    for name in ("Stamp", "Writes"):
        if name not in members:
            raise ItemError(CAUSALITY, f"lacks {name}")
    for name in members:
        if name not in MEMBERS:
            raise ItemError(CAUSALITY, f"has the unknown member {name!r}")
    return members


def decode_ledger(causality: Mapping[str, Value], policy: Policy) -> Ledger:
    """Read the ledger alone, without looking at any attribute."""
    writes = _writes(map_of(causality["Writes"], "Writes"), policy)
    life, horizon = stamp_of(causality, "Deleted"), stamp_of(causality, "Horizon")
    return Ledger(life, horizon, *_folded(causality), writes)


def encode_causality(item: Item) -> dict[str, Value]:
    """Write every member that is not empty, in one order."""
    ledger, newest = item.ledger, item.newest.stamp
    members: dict[str, Value] = {"Stamp": {"N": str(newest)}, "Writes": _encode_stamps(ledger.writes)}
    optional: dict[str, dict[str, Value]] = {
        "Stamps": {
            path: {"N": str(register.stamp)}
            for path, register in item.registers.items()
            if register.stamp != newest or register.value is None
        },
        "Deltas": {
            path: {"M": {identity: {"N": number_text(deltas[identity])} for identity in sorted(deltas)}}
            for path, deltas in item.deltas.items()
        },
        "Dots": {path: _encode_stamps(elements) for path, elements in item.dots.items()},
    }
    members.update((name, {"M": dict(sorted(member.items()))}) for name, member in optional.items() if member)
    if ledger.horizon:
        members["Horizon"] = {"N": str(ledger.horizon)}
        members["Folded"] = {"M": {"Count": {"N": str(ledger.count)}, "Sum": {"N": str(ledger.sum)}}}
    if ledger.life:
        members["Deleted"] = {"N": str(ledger.life)}
    return dict(sorted(members.items()))


def most_bytes(item: Item) -> int:
    """Return, quickly, what `Causality` takes at most, as DynamoDB counts it."""
    entry, stamp, number = 20, 14, 21
    executions = sum(map(len, item.ledger.writes.values()))
    deltas = sum(map(len, item.deltas.values()))
    elements = [element for elements in item.dots.values() for element in elements.items()]
    return (
        200  # the members' own names, `Stamp`, `Horizon`, `Folded` and `Deleted`
        + len(item.ledger.writes) * entry
        + (executions + sum(len(dots) for _, dots in elements) + len(item.registers)) * stamp
        + deltas * (entry + number)
        + sum(len(name.encode("utf-8", "surrogatepass")) + 4 for name, _ in elements)
        + sum(
            len(name.encode("utf-8", "surrogatepass")) + 4
            for names in (item.registers, item.deltas, item.dots)
            for name in names
        )
    )


def _encode_stamps(stamps_by_name: Mapping[Any, frozenset[Stamp]]) -> Value:
    return {"M": {name: {"NS": [*_texts(stamps_by_name[name])]} for name in sorted(stamps_by_name)}}


@lru_cache(maxsize=REMEMBERED)
def _texts(stamps: frozenset[Stamp]) -> tuple[str, ...]:
    return tuple(sorted(map(str, stamps)))


def map_of(value: Value, place: str) -> Mapping[str, Value]:
    """Return a map's members; ItemError where it is none."""
    members = members_of(value)
    if members is None:
        raise ItemError(f"{CAUSALITY}.{place}", "is not a map")
    return members


def entries_of(causality: Mapping[str, Value], name: str) -> list[tuple[str, Value]]:
    """Return what a member that may be left out lists."""
    return list(map_of(causality.get(name, {}), name).items())


def stamp_of(causality: Mapping[str, Value], name: str) -> Stamp:
    """Return the stamp that stands at a member; NEVER where it is left out."""
    return read_stamp(causality[name], name) if name in causality else NEVER


def read_stamp(value: Value, place: str) -> Stamp:
    """Return one stamp; ItemError where it is none."""
    try:
        return _parsed(value["N"])
    except MALFORMED:
        raise ItemError(f"{CAUSALITY}.{place}", "is not a stamp of 25 plain digits") from None


def read_stamps(value: Value, place: str) -> frozenset[Stamp]:
    """Return a set of stamps; ItemError where it is none, or empty."""
    try:
        return frozenset(map(_parsed, _nonempty(value["NS"])))
    except MALFORMED:
        raise ItemError(f"{CAUSALITY}.{place}", "is not a set of stamps") from None


_parsed = lru_cache(maxsize=REMEMBERED)(parse_stamp)


def _writes(members: Mapping[str, Value], policy: Policy) -> dict[WriteId, frozenset[Stamp]]:
    """Return the stamps of each write's executions, each in a Region that the policy knows."""
    regions = len(policy.regions)
    try:
        return {WriteId(name): _parse_executions(regions, name, *value["NS"]) for name, value in members.items()}
    except MALFORMED:
        return {WriteId(name): _read_executions(name, value, policy) for name, value in members.items()}


@lru_cache(maxsize=REMEMBERED)
def _parse_executions(regions: int, identity: str, *texts: str) -> frozenset[Stamp]:
    id_number(WriteId(identity))
    stamps = frozenset(map(parse_stamp, texts))
    if not stamps or not all(1 <= region_code_of(stamp) <= regions for stamp in stamps):
        raise ValueError
    return stamps


def _read_executions(identity: str, value: Value, policy: Policy) -> frozenset[Stamp]:
    """Read once more, with care: whatever is wrong is named."""
    try:
        id_number(WriteId(identity))
    except ValueError:
        raise ItemError(f"{CAUSALITY}.Writes", "has a name that is not a write id") from None
    return frozenset(stamp for stamp in read_stamps(value, "Writes") if policy.region_of(stamp))


def _nonempty(elements: list[str]) -> list[str]:
    if not elements or not isinstance(elements, list):
        raise ValueError
    return elements


def _folded(causality: Mapping[str, Value]) -> tuple[int, int]:
    members = map_of(causality.get("Folded", {}), "Folded")
    if members and "Horizon" not in causality:
        raise ItemError(f"{CAUSALITY}.Folded", "stands without a Horizon")
    return (_natural(members, "Count"), _natural(members, "Sum") % SUM_MODULUS) if members else (0, 0)


def _natural(members: Mapping[str, Value], name: str) -> int:
    number = whole(members.get(name))
    if number is None or number < 0:
        raise ItemError(f"{CAUSALITY}.Folded.{name}", "is not a whole number")
    return number
