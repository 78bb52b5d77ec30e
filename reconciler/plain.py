"""Plain items: what has no `Causality` yet, read approximately, and adopted by the first write through the writer.

Two images without a ledger carry no order but (Timestamp, LastUpdatedRegion): decisions here are approximate.
Adoption is a fold: whatever happened before becomes one anonymous execution history at the item's own time.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal

from reconciler.errors import ItemError
from reconciler.fitting import elements_of, fitting, readable
from reconciler.item import ZERO, Item, Newest, Register
from reconciler.join import join_values
from reconciler.ledger import Ledger
from reconciler.policy import (
    CAUSALITY,
    EXPIRES_AT,
    IDEMPOTENCY_KEY,
    LAST_REGION,
    LEGACY_PREFIX,
    SEMILATTICES,
    TIMESTAMP,
    VERSION,
    Kind,
    Policy,
    flatten,
    unflatten,
)
from reconciler.stamps import MAX_MS, MIN_MS, Stamp, WriteId, client_stamp, id_number, write_id
from reconciler.wire import Image, Value, canonical_number, canonical_text, whole

_NEWEST = frozenset({TIMESTAMP, LAST_REGION, IDEMPOTENCY_KEY})  # of one write: never mixed from two


@dataclass(frozen=True, slots=True)
class PlainItem:
    """An item without `Causality`; `timestamp_ms` is None where it is unmanaged."""

    image: Image
    version: int
    timestamp_ms: int | None
    region: str
    idempotency_key: str

    @property
    def id(self) -> WriteId:
        """The write id of the key, or one derived from the canonical image where there is none."""
        return write_id(self.idempotency_key or self.text)

    @property
    def text(self) -> str:
        """The canonical image, serialised; ItemError names the attribute that is no wire value."""
        return canonical_text({"M": _readable_image(self.image)})

    @property
    def stamp(self) -> Stamp:
        """The stamp that adoption gives to everything in the item; the earliest where it has no usable time."""
        return client_stamp(MIN_MS if self.timestamp_ms is None else self.timestamp_ms, self.id)

    @property
    def time(self) -> tuple[int, Decimal, str]:
        """The `Timestamp` as it stands, in whatever unit: a number, above a text, above none."""
        value = self.image.get(TIMESTAMP) or {}
        try:
            return 2, Decimal(canonical_number(value["N"])), ""
        except (KeyError, TypeError, AttributeError, ValueError):
            text = _text(value)
            return int(bool(text)), ZERO, text

    @property
    def order(self) -> tuple[tuple[int, Decimal, str], str, str]:
        """Which of two plain items is the later."""
        return self.time, self.region, self.text


def read_plain(image: Image) -> PlainItem:
    """Read an image without `Causality`; nothing in it can be malformed, only unusable."""
    time = whole(image.get(TIMESTAMP))
    return PlainItem(
        image,
        max(whole(image.get(VERSION)) or 0, 0),
        time if time is not None and MIN_MS <= time <= MAX_MS else None,
        _text(image.get(LAST_REGION)),
        _text(image.get(IDEMPOTENCY_KEY)),
    )


def has_clock(image: Image) -> bool:
    """Say whether a plain image has the Version and usable Timestamp that the seed's writers give."""
    return whole(image.get(VERSION)) is not None and read_plain(image).timestamp_ms is not None


def succeeds(new: PlainItem, old: PlainItem) -> bool | None:
    """Say whether `new` was written over `old` by someone who saw it; None where either is unmanaged."""
    if old.timestamp_ms is None or new.timestamp_ms is None:
        return None
    return follows(new, old)


def follows(new: PlainItem, old: PlainItem) -> bool:
    """Say whether `new` shows no sign of having missed `old`; no time counts as the earliest."""
    if new.version == old.version:
        return new.id == old.id
    return new.version > old.version and new.time >= old.time


def resolve_plain(left: PlainItem, right: PlainItem, policy: Policy) -> PlainItem:
    """Return the later of two plain items, with what only the other has; Version becomes the greater + 1.

    Attributes whose policy needs no stamps (max, min, union, rank, custom) join exactly.
    """
    if left.text == right.text:
        return left
    earlier, later = sorted((left, right), key=lambda item: item.order)
    mine, others = dict(flatten(later.image, policy)), dict(flatten(earlier.image, policy))
    leaves = {**others, **mine}
    for path in mine.keys() & others.keys():
        attribute = policy.of(path)
        if attribute.kind in SEMILATTICES:
            values = (fitting(path, content[path], attribute) for content in (mine, others))
            leaves[path] = join_values(path, attribute, *values)
    kept = {name: value for name, value in earlier.image.items() if name not in _NEWEST}
    image = {**kept, **later.image, **unflatten(leaves, policy)}
    image[VERSION] = {"N": str(max(left.version, right.version) + 1)}
    return read_plain(_readable_image({name: image[name] for name in image if not name.startswith(LEGACY_PREFIX)}))


def adopt(plain: PlainItem, policy: Policy) -> Item:
    """Return the plain item with a ledger: one folded history at its own time; ItemError names what does not fit."""
    if EXPIRES_AT in plain.image:
        raise ItemError(EXPIRES_AT, "is reserved for tombstones; an item that has one cannot be adopted")
    stamp = plain.stamp
    content = _Content(stamp)
    for path, value in flatten(plain.image, policy):
        content.add(path, fitting(path, value, policy.of(path)), policy)
    return Item(
        _readable_image(policy.key_of(plain.image)),
        Ledger(horizon=stamp, count=plain.version, sum=id_number(plain.id)),
        Newest(stamp, plain.idempotency_key, plain.region),
        content.registers,
        content.values,
        content.bases,
        {},
        content.dots,
    )


def adoption_included(plain: PlainItem, ledger: Ledger) -> bool:
    """Say whether a ledger that was adopted from a plain item was adopted from this one, or from a successor."""
    if plain.version == ledger.count and ledger.sum != id_number(plain.id):
        return False
    return plain.version <= ledger.count and plain.stamp <= ledger.horizon


@dataclass(frozen=True, slots=True)
class _Content:
    stamp: Stamp
    registers: dict[str, Register] = field(default_factory=dict)
    values: dict[str, Value] = field(default_factory=dict)
    bases: dict[str, Decimal] = field(default_factory=dict)
    dots: dict[str, Mapping[str, frozenset[Stamp]]] = field(default_factory=dict)

    def add(self, path: str, value: Value, policy: Policy) -> None:
        match policy.of(path).kind:
            case Kind.LATEST | Kind.MANUAL:
                self.registers[path] = Register(self.stamp, value)
            case Kind.COUNTER:
                self.bases[path] = Decimal(value["N"])
            case Kind.SET:
                self.dots[path] = {element: frozenset([self.stamp]) for element in elements_of(value)}
            case _:
                self.values[path] = value


def is_plain(image: Image) -> bool:
    """Say whether an image has no `Causality`."""
    return CAUSALITY not in image


def _readable_image(image: Image) -> Image:
    return {name: readable(name, image[name]) for name in sorted(image)}


def _text(value: Value | None) -> str:
    text = value.get("S") if isinstance(value, Mapping) else None
    return text if isinstance(text, str) else ""
