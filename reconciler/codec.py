"""Items to and from DynamoDB's wire form: lossless, and canonical to the byte.

All bookkeeping is in one map attribute, `Causality`; the user's attributes stay as any reader expects them.

    Stamp   value stamp of the newest write          Deltas  counter -> write id -> n
    Writes  write id -> stamps                       Dots    set -> element -> stamps
    Horizon, Folded {Count, Sum}                     Stamps  register -> stamp, where not Stamp; always where removed
    Deleted life
"""

from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any, TypeVar

from reconciler.errors import ItemError
from reconciler.item import ZERO, Item, Newest, Register, sum_exactly
from reconciler.ledger import Ledger
from reconciler.policy import (
    CAUSALITY,
    EXPIRES_AT,
    IDEMPOTENCY_KEY,
    LAST_REGION,
    REGISTERS,
    TIMESTAMP,
    VERSION,
    AttributePolicy,
    Kind,
    Policy,
    flatten,
    type_letter,
    unflatten,
)
from reconciler.stamps import EARLIEST, NEVER, Stamp, WriteId, id_number, ms_of, parse_stamp, region_code_of
from reconciler.wire import EXACT, SET_TYPES, Image, Value, canonical, number_text

T = TypeVar("T")
MEMBERS = frozenset({"Stamp", "Writes", "Horizon", "Folded", "Stamps", "Deltas", "Dots", "Deleted"})


def decode(image: Image, policy: Policy) -> Item:
    """Read an item that has `Causality`; ItemError names the attribute that is malformed."""
    causality = causality_of(image)
    ledger = decode_ledger(causality, policy)
    newest = Newest(_stamp(causality, "Stamp"), _text_of(image, IDEMPOTENCY_KEY), _text_of(image, LAST_REGION))
    reader = _Reader(policy, ledger, newest.stamp, causality)
    for path, value in flatten(image, policy):
        reader.read(path, value)
    return reader.item({name: _canonical(name, value) for name, value in policy.key_of(image).items()}, newest)


def causality_of(image: Image) -> Mapping[str, Value]:
    """Return the members of an image's `Causality`; ItemError where it is not a map of the known members."""
    value = image.get(CAUSALITY)
    members = value.get("M") if isinstance(value, Mapping) else None
    if not isinstance(members, Mapping):
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
    folded = _map(causality.get("Folded", {"M": {}}), "Folded")
    writes = {
        _write_id(identity, "Writes"): _ledger_stamps(stamps, policy)
        for identity, stamps in _map(causality["Writes"], "Writes").items()
    }
    life, horizon = _stamp(causality, "Deleted"), _stamp(causality, "Horizon")
    return Ledger(life, horizon, _count(folded, "Count"), _count(folded, "Sum"), writes)


class _Reader:
    """Collects content by policy while an image's attributes are read."""

    def __init__(self, policy: Policy, ledger: Ledger, newest: Stamp, causality: Mapping[str, Value]) -> None:
        self._policy = policy
        self._ledger = ledger
        self._newest = newest
        self._stamps = {name: _as_stamp(text, "Stamps") for name, text in _optional(causality, "Stamps")}
        self._deltas = {name: self._read_deltas(name, deltas) for name, deltas in _optional(causality, "Deltas")}
        self._dots = dict(_optional(causality, "Dots"))
        self._registers: dict[str, Register] = {}
        self._values: dict[str, Value] = {}
        self._bases: dict[str, Decimal] = {}
        self._elements: dict[str, dict[str, frozenset[Stamp]]] = {}

    def read(self, path: str, value: Value) -> None:
        attribute = self._policy.of(path)
        content = fitting(path, value, attribute)
        match attribute.kind:
            case Kind.LATEST | Kind.MANUAL:
                self._registers[path] = Register(self._stamps.get(path, self._newest), content)
            case Kind.COUNTER:
                self._bases[path] = EXACT.subtract(Decimal(content["N"]), self._sum_of_deltas(path))
            case Kind.SET:
                self._elements[path] = self._read_dots(path, content)
            case _:
                self._values[path] = content

    def item(self, key: Image, newest: Newest) -> Item:
        """Return what was read, with the registers that were removed."""
        for path, stamp in self._stamps.items():
            if path not in self._registers and self._policy.of(path).kind in REGISTERS:
                self._registers[path] = Register(stamp, None)
        for path in self._deltas.keys() - self._bases.keys():
            if self._policy.of(path).kind is Kind.COUNTER:
                self._bases[path] = EXACT.minus(self._sum_of_deltas(path))  # an absent counter reads as 0
        deltas = {path: deltas for path, deltas in self._deltas.items() if path in self._bases}
        return Item(key, self._ledger, newest, self._registers, self._values, self._bases, deltas, self._elements)

    def _sum_of_deltas(self, path: str) -> Decimal:
        return sum_exactly(ZERO, self._deltas.get(path, {}))

    def _read_deltas(self, path: str, value: Value) -> dict[WriteId, Decimal]:
        deltas = {}
        for identity, number in _map(value, f"Deltas.{path}").items():
            if identity not in self._ledger.writes:
                raise ItemError(f"{CAUSALITY}.Deltas.{path}", f"the write {identity} is not in Writes")
            deltas[WriteId(identity)] = Decimal(_canonical(f"{CAUSALITY}.Deltas.{path}", number, "N")["N"])
        return deltas

    def _read_dots(self, path: str, content: Value) -> dict[str, frozenset[Stamp]]:
        """Read each live element's dots; one without any was there before the policy said `set`."""
        dots = _map(self._dots.get(path, {"M": {}}), f"Dots.{path}")
        unknown = {"NS": [str(max(self._ledger.horizon, EARLIEST))]}
        return {
            element: frozenset(_stamps(dots.get(element, unknown), f"Dots.{path}")) for element in elements_of(content)
        }


def encode(item: Item, policy: Policy) -> Image:
    """Write an item in canonical wire form; ItemError where DynamoDB cannot hold it."""
    bookkeeping: dict[str, Value] = {
        VERSION: {"N": str(item.ledger.version)},
        TIMESTAMP: {"N": str(ms_of(item.newest.stamp))},
        CAUSALITY: {"M": _encode_causality(item)},
    }
    if item.newest.region:
        bookkeeping[LAST_REGION] = {"S": item.newest.region}
    if item.newest.idempotency_key:
        bookkeeping[IDEMPOTENCY_KEY] = {"S": item.newest.idempotency_key}
    if item.ledger.is_tombstone:
        bookkeeping[EXPIRES_AT] = {"N": str(expires_at(item.ledger.life, policy))}
    image = {**item.key, **unflatten(leaves(item), policy), **bookkeeping}
    return {name: image[name] for name in sorted(image)}


def expires_at(life: Stamp, policy: Policy) -> int:
    """Return when a tombstone may go, in whole seconds since 1970, rounded up."""
    return -(-(ms_of(life) + policy.tombstone_ttl_ms) // 1000)


def leaves(item: Item) -> dict[str, Value]:
    """Return the user's attributes, and map members by path."""
    found = dict(item.values)
    found.update((path, register.value) for path, register in item.registers.items() if register.value is not None)
    for path in item.bases.keys() | item.deltas.keys():
        found[path] = {"N": _encode_number(path, item.total(path))}
    for path, elements in item.dots.items():
        if elements:
            found[path] = elements_value(path, elements)
    return found


def _encode_causality(item: Item) -> dict[str, Value]:
    ledger, newest = item.ledger, item.newest.stamp
    members: dict[str, Value] = {"Stamp": {"N": str(newest)}, "Writes": _encode_stamps(ledger.writes)}
    optional = {
        "Stamps": {
            path: {"N": str(register.stamp)}
            for path, register in item.registers.items()
            if register.stamp != newest or register.value is None
        },
        "Deltas": {
            path: {"M": {identity: {"N": number_text(deltas[identity])} for identity in sorted(deltas)}}
            for path, deltas in item.deltas.items()
            if deltas
        },
        "Dots": {path: _encode_stamps(elements) for path, elements in item.dots.items() if elements},
    }
    members.update((name, {"M": dict(sorted(member.items()))}) for name, member in optional.items() if member)
    if ledger.horizon:
        members["Horizon"] = {"N": str(ledger.horizon)}
        members["Folded"] = {"M": {"Count": {"N": str(ledger.count)}, "Sum": {"N": str(ledger.sum)}}}
    if ledger.life:
        members["Deleted"] = {"N": str(ledger.life)}
    return dict(sorted(members.items()))


def _encode_stamps(stamps_by_name: Mapping[Any, frozenset[Stamp]]) -> Value:
    return {"M": {name: {"NS": sorted(map(str, stamps_by_name[name]))} for name in sorted(stamps_by_name)}}


def _encode_number(path: str, number: Decimal) -> str:
    try:
        return number_text(number)
    except ValueError as error:
        raise ItemError(path, f"the counter's sum is {error}") from None


# What fits a policy


def fitting(path: str, value: Value, attribute: AttributePolicy) -> Value:
    """Return the canonical value; ItemError where its type does not fit the attribute's policy."""
    content = _canonical(path, value)
    problem = misfit(content, attribute)
    if problem:
        raise ItemError(path, problem)
    return content


def misfit(value: Value, attribute: AttributePolicy) -> str | None:
    """Say why a canonical value does not fit a policy, or None."""
    letter = type_letter(value)
    match attribute.kind:
        case Kind.COUNTER if letter != "N":
            return f"is {letter}, but its policy is counter, which wants N"
        case Kind.SET | Kind.UNION if letter not in SET_TYPES:
            return f"is {letter}, but its policy is {attribute.kind.value}, which wants SS, NS or BS"
        case Kind.MAX | Kind.MIN if letter not in {"N", "S", "B"}:
            return f"is {letter}, but its policy is {attribute.kind.value}, which wants N, S or B"
        case Kind.RANK if value not in attribute.order:
            return "is not in the order of its policy rank"
        case _:
            return None


def elements_of(value: Value) -> list[str]:
    """Return a canonical set's elements by type and value: ``S:red``, ``N:7``, ``B:base64``."""
    letter = next(iter(value))
    return [f"{SET_TYPES[letter]}:{element}" for element in value[letter]]


def elements_value(path: str, elements: Mapping[str, Any]) -> Value:
    """Return the set of these elements; ItemError where they are of several types."""
    letters = {element[0] for element in elements}
    if len(letters) > 1:
        raise ItemError(path, f"a set cannot hold elements of several types ({', '.join(sorted(letters))})")
    return canonical({f"{letters.pop()}S": [element[2:] for element in elements]})


# Reading, with errors that name the place


def _canonical(place: str, value: Value, letter: str | None = None) -> Value:
    try:
        content = canonical(value)
    except ValueError as error:
        raise ItemError(place, str(error)) from None
    if letter and letter not in content:
        raise ItemError(place, f"is {type_letter(content)} where {letter} was expected")
    return content


def _text_of(image: Image, name: str) -> str:
    return str(_canonical(name, image[name], "S")["S"]) if name in image else ""


def _map(value: Value, place: str) -> Mapping[str, Value]:
    members = value.get("M", {} if not value else None) if isinstance(value, Mapping) else None
    if not isinstance(members, Mapping):
        raise ItemError(f"{CAUSALITY}.{place}", "is not a map")
    return members


def _optional(causality: Mapping[str, Value], name: str) -> list[tuple[str, Value]]:
    return list(_map(causality.get(name, {"M": {}}), name).items())


def _stamp(causality: Mapping[str, Value], name: str) -> Stamp:
    return _as_stamp(causality[name], name) if name in causality else NEVER


def _as_stamp(value: Value, place: str) -> Stamp:
    return _checked(lambda: parse_stamp(value["N"]), place, "is not a stamp of 25 plain digits")


def _stamps(value: Value, place: str) -> list[Stamp]:
    return _checked(lambda: [parse_stamp(text) for text in _nonempty(value["NS"])], place, "is not a set of stamps")


def _ledger_stamps(value: Value, policy: Policy) -> frozenset[Stamp]:
    stamps = frozenset(_stamps(value, "Writes"))
    for stamp in stamps:
        if not 1 <= region_code_of(stamp) <= len(policy.regions):
            policy.region_of(stamp)
    return stamps


def _nonempty(elements: list[str]) -> list[str]:
    if not elements or not isinstance(elements, list):
        raise ValueError
    return elements


def _write_id(text: str, place: str) -> WriteId:
    _checked(lambda: id_number(WriteId(text)), place, "has a name that is not a write id")
    return WriteId(text)


def _count(folded: Mapping[str, Value], name: str) -> int:
    if not folded:
        return 0
    return _checked(lambda: _natural(folded[name]["N"]), f"Folded.{name}", "is not a whole number")


def _natural(text: str) -> int:
    number = Decimal(text)
    if number < 0 or number != number.to_integral_value():
        raise ValueError
    return int(number)


def _checked(read: Callable[[], T], place: str, problem: str) -> T:
    try:
        return read()
    except (ValueError, KeyError, TypeError, AttributeError, ArithmeticError):
        raise ItemError(f"{CAUSALITY}.{place}", problem) from None
