"""Every port in memory, behaving as its AWS counterpart does: for tests, the simulator and examples."""

import json
from collections import Counter, OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import replace
from threading import RLock

from reconciler.adapters.conditions import after, holds
from reconciler.change import Change
from reconciler.conflict import Conflict
from reconciler.errors import ItemError, TooLargeError, TransientError
from reconciler.poison import PoisonMessage
from reconciler.ports import Stale, StaleItems, Written
from reconciler.size import MAX_ITEM_BYTES, item_bytes
from reconciler.wire import Image, Value, canonical

OnChange = Callable[[Image, Image | None, Image | None], None]
"""Told of each effective change, under the table's lock and in order: key, old image, new image (None: absent)."""

MAX_TRANSACTION_ITEMS = 100
# DynamoDB forgets a transaction's token after ten minutes; without a clock, the oldest go.
MAX_TOKENS = 1_000


class MemoryTable:
    """A table in a dictionary: canonical values, one lock, the conditions and limits of DynamoDB."""

    def __init__(self, on_change: OnChange | None = None) -> None:
        """Start empty; `on_change` stands where the stream would."""
        self._items: dict[str, Image] = {}
        self._tokens: OrderedDict[str, tuple[Change, ...]] = OrderedDict()
        self._on_change = on_change
        self._lock = RLock()

    def read(self, key: Image) -> Image | None:
        """Return the item."""
        with self._lock:
            return self._items.get(_address(key))

    def write(self, change: Change) -> Written | Stale:
        """Make one conditional change."""
        with self._lock:
            address = _address(change.key)
            current = self._items.get(address)
            if not holds(change, current):
                return Stale(current)
            self._store(address, change.key, _storable(change, current))
            return Written()

    def transact(self, changes: Sequence[Change], token: str) -> Written | StaleItems:
        """Make all changes or none; a token that is remembered with the same changes is the same call."""
        addresses = _distinct(changes)
        with self._lock:
            if self._is_repeated(changes, token):
                return Written()
            currents = [self._items.get(address) for address in addresses]
            stale = {
                position: current
                for position, (change, current) in enumerate(zip(changes, currents, strict=True))
                if not holds(change, current)
            }
            if stale:
                return StaleItems(stale)
            images = [_storable(change, current) for change, current in zip(changes, currents, strict=True)]
            for address, change, image in zip(addresses, changes, images, strict=True):
                self._store(address, change.key, image)
            self._remember(changes, token)
            return Written()

    def put(self, key: Image, image: Image) -> None:
        """Let `image` stand there, whatever stood there before: what replication and foreign writers do."""
        with self._lock:
            self._store(_address(key), key, _checked(_canonical(image)))

    def delete(self, key: Image) -> None:
        """Delete for good, leaving no tombstone: what TTL and foreign deletes do."""
        with self._lock:
            self._store(_address(key), key, None)

    def items(self) -> list[Image]:
        """Return every item, in the order of their keys."""
        with self._lock:
            return [self._items[address] for address in sorted(self._items)]

    def _store(self, address: str, key: Image, new: Image | None) -> None:
        old = self._items.get(address)
        if old == new:
            return
        if new is None:
            del self._items[address]
        else:
            self._items[address] = new
        if self._on_change:
            self._on_change(_canonical(key), old, new)

    def _is_repeated(self, changes: Sequence[Change], token: str) -> bool:
        known = self._tokens.get(token)
        if known is not None and known != tuple(changes):
            raise TransientError("the token was used for another transaction a short time ago; retry with a new one")
        return known is not None

    def _remember(self, changes: Sequence[Change], token: str) -> None:
        self._tokens[token] = tuple(changes)
        while len(self._tokens) > MAX_TOKENS:
            self._tokens.popitem(last=False)


def _address(key: Image) -> str:
    return json.dumps(_canonical(key))


def _distinct(changes: Sequence[Change]) -> list[str]:
    """Return the changes' addresses; ItemError where DynamoDB would refuse the transaction as a whole."""
    addresses = [_address(change.key) for change in changes]
    if not 1 <= len(addresses) <= MAX_TRANSACTION_ITEMS:
        raise ItemError("transaction", f"has {len(addresses)} changes; 1 to {MAX_TRANSACTION_ITEMS} were expected")
    if len(set(addresses)) < len(addresses):
        raise ItemError("transaction", "changes one item twice")
    return addresses


def _storable(change: Change, current: Image | None) -> Image:
    """Return what the change leaves behind, as DynamoDB would store it."""
    for name in change.key:
        if name in change.removes or (not change.creates and name in change.sets):
            raise ItemError(name, "is part of the key and cannot be changed")
    if current is None:
        return _checked(_canonical(change.item))
    image = after(replace(change, sets=_canonical(change.sets)), current)
    return _checked({name: image[name] for name in sorted(image)})


def _canonical(image: Image) -> Image:
    return {name: _canonical_value(name, image) for name in sorted(image)}


def _canonical_value(name: str, image: Image) -> Value:
    try:
        return canonical(image[name])
    except ValueError as error:
        raise ItemError(name, str(error)) from None


def _checked(image: Image) -> Image:
    size = item_bytes(image)
    if size > MAX_ITEM_BYTES:
        raise TooLargeError("item", f"has {size} bytes; DynamoDB holds at most {MAX_ITEM_BYTES}")
    return image


class MemoryQueue:
    """Keeps poison messages in a list, and refuses them while `refusing` is set."""

    def __init__(self) -> None:
        """Start empty and willing."""
        self.messages: list[PoisonMessage] = []
        self.refusing = False

    def send(self, message: PoisonMessage) -> None:
        """Keep the message."""
        if self.refusing:
            raise TransientError("the poison queue refuses")
        self.messages.append(message)


class MemoryRecorder:
    """Keeps what it is told in lists, and fails while `failing` is set."""

    def __init__(self) -> None:
        """Start empty and well."""
        self.conflicts: list[tuple[Conflict, bool]] = []
        """Each with whether it was repaired."""
        self.messages: list[PoisonMessage] = []
        self.faults: list[tuple[tuple[str, ...], BaseException]] = []
        self.failing = False

    def conflict(self, conflict: Conflict, *, repaired: bool) -> None:
        """Keep the conflict."""
        self._fail_if_failing()
        self.conflicts.append((conflict, repaired))

    def poisoned(self, message: PoisonMessage) -> None:
        """Keep the message."""
        self._fail_if_failing()
        self.messages.append(message)

    def failed(self, sequence_numbers: Sequence[str], fault: BaseException) -> None:
        """Keep the numbers and the fault."""
        self._fail_if_failing()
        self.faults.append((tuple(sequence_numbers), fault))

    def _fail_if_failing(self) -> None:
        if self.failing:
            raise TransientError("the recorder fails")


class MemoryMeter:
    """Keeps the sums of what was counted."""

    def __init__(self) -> None:
        """Start at nothing."""
        self.counts: Counter[str] = Counter()

    def add(self, name: str, amount: int = 1) -> None:
        """Add to a metric."""
        self.counts[name] += amount
