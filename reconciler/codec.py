"""Items to and from DynamoDB's wire form: lossless, and canonical to the byte.

All bookkeeping is in one map attribute, `Causality`; the user's attributes stay as any reader expects them.
"""

from collections.abc import Mapping
from decimal import Decimal
from functools import lru_cache

from reconciler.causality import (
    MALFORMED,
    REMEMBERED,
    causality_of,
    decode_ledger,
    encode_causality,
    entries_of,
    map_of,
    read_stamp,
    read_stamps,
    stamp_of,
)
from reconciler.errors import ItemError
from reconciler.fitting import elements_of, elements_value, fitting, readable
from reconciler.item import ZERO, Deltas, Item, Newest, Register, sum_exactly
from reconciler.ledger import Ledger
from reconciler.policy import (
    CAUSALITY,
    EXPIRES_AT,
    IDEMPOTENCY_KEY,
    LAST_REGION,
    REGISTERS,
    TIMESTAMP,
    VERSION,
    Kind,
    Policy,
    flatten,
    unflatten,
)
from reconciler.stamps import EARLIEST, Stamp, WriteId, ms_of
from reconciler.wire import EXACT, Image, Value, canonical_number, number_text


def decode(image: Image, policy: Policy, known: Mapping[str, Value | None] | None = None) -> Item:
    """Read an item that has `Causality`; ItemError names the attribute that is malformed.

    `known` are values by path that another image of the item had, read before: what is equal needs no reading again.
    """
    causality = causality_of(image)
    ledger = decode_ledger(causality, policy)
    newest = Newest(stamp_of(causality, "Stamp"), _text_of(image, IDEMPOTENCY_KEY), _text_of(image, LAST_REGION))
    reader = _Reader(policy, ledger, newest.stamp, causality, known or {})
    for path, value in flatten(image, policy):
        reader.read(path, value)
    return reader.item({name: readable(name, value) for name, value in policy.key_of(image).items()}, newest)


class _Reader:
    """Collects content by policy while an image's attributes are read."""

    def __init__(
        self,
        policy: Policy,
        ledger: Ledger,
        newest: Stamp,
        causality: Mapping[str, Value],
        known: Mapping[str, Value | None],
    ) -> None:
        self._policy = policy
        self._known = known
        self._ledger = ledger
        self._newest = newest
        self._stamps = {name: read_stamp(text, "Stamps") for name, text in entries_of(causality, "Stamps")}
        self._deltas = {name: self._read_deltas(name, deltas) for name, deltas in entries_of(causality, "Deltas")}
        self._dots = dict(entries_of(causality, "Dots"))
        self._registers: dict[str, Register] = {}
        self._values: dict[str, Value] = {}
        self._bases: dict[str, Decimal] = {}
        self._elements: dict[str, dict[str, frozenset[Stamp]]] = {}

    def read(self, path: str, value: Value) -> None:
        attribute = self._policy.of(path)
        content = self._known.get(path)
        if content != value:
            content = fitting(path, value, attribute)
        if attribute.kind in REGISTERS:
            self._registers[path] = Register(self._stamps.get(path, self._newest), content)
            return
        match attribute.kind:
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
        deltas = self._deltas_of_counters()
        for path in deltas.keys() - self._bases.keys():
            self._bases[path] = EXACT.minus(self._sum_of_deltas(path))  # an absent counter reads as 0
        return Item(key, self._ledger, newest, self._registers, self._values, self._bases, deltas, self._elements)

    def _deltas_of_counters(self) -> Deltas:
        """Return the deltas that count: those of a name that the policy no longer calls a counter do not."""
        return {
            path: deltas
            for path, deltas in self._deltas.items()
            if deltas and self._policy.of(path).kind is Kind.COUNTER
        }

    def _sum_of_deltas(self, path: str) -> Decimal:
        return sum_exactly(ZERO, self._deltas.get(path, {}))

    def _read_deltas(self, path: str, value: Value) -> dict[WriteId, Decimal]:
        place = f"Deltas.{path}"
        deltas = map_of(value, place)
        for identity in deltas.keys() - self._ledger.writes.keys():
            raise ItemError(f"{CAUSALITY}.{place}", f"the write {identity} is not in Writes")
        try:
            return {WriteId(name): _delta(number["N"]) for name, number in deltas.items()}
        except MALFORMED:
            return {WriteId(name): _read_delta(place, number) for name, number in deltas.items()}

    def _read_dots(self, path: str, content: Value) -> dict[str, frozenset[Stamp]]:
        """Read each live element's dots; one without any was there before the policy said `set`."""
        place = f"Dots.{path}"
        dots = map_of(self._dots.get(path, {}), place)
        unknown = frozenset([max(self._ledger.horizon, EARLIEST)])
        return {
            element: read_stamps(dots[element], place) if element in dots else unknown
            for element in elements_of(content)
        }


@lru_cache(maxsize=REMEMBERED)
def _delta(text: str) -> Decimal:
    return Decimal(canonical_number(text))


def _read_delta(place: str, number: Value) -> Decimal:
    """Read once more, with care: whatever is wrong is named."""
    return Decimal(readable(f"{CAUSALITY}.{place}", number, "N")["N"])


def _text_of(image: Image, name: str) -> str:
    return str(readable(name, image[name], "S")["S"]) if name in image else ""


def encode(item: Item, policy: Policy) -> Image:
    """Write an item in canonical wire form; ItemError where DynamoDB cannot hold it."""
    bookkeeping: dict[str, Value] = {
        VERSION: {"N": str(item.ledger.version)},
        TIMESTAMP: {"N": str(ms_of(item.newest.stamp))},
        CAUSALITY: {"M": encode_causality(item)},
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
    found.update((path, {"N": _encode_number(path, item.total(path))}) for path in item.bases)
    found.update((path, elements_value(path, elements)) for path, elements in item.dots.items())
    return found


def _encode_number(path: str, number: Decimal) -> str:
    try:
        return number_text(number)
    except ValueError as error:
        raise ItemError(path, f"the counter's sum is {error}") from None
