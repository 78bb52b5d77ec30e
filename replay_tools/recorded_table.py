"""A table as its recording shows it: what `replay` works on when it must change nothing.

recording   a1 -> b1       a1 is lost: the worker repairs the table to a1+b1
            b1 -> b2       the recording knows nothing of that repair, and shows b2
table       a1+b1 -> a1+b2 so what the repair brought back is joined into what is shown next
"""

from collections.abc import Sequence
from dataclasses import replace

from reconciler.adapters.conditions import after, holds
from reconciler.change import Change
from reconciler.classify import Suspect
from reconciler.conflict import Kind
from reconciler.policy import Policy
from reconciler.ports import Stale, StaleItems, Written
from reconciler.records import KeyId, StreamRecord, key_id
from reconciler.settle import settle
from reconciler.wire import Image

MAX_ITEMS = 20_000  # the rest, longest not shown, are forgotten: each comes back with its next record


class RecordedTable:
    """The newest image of each key known so far, with the repairs made meanwhile, in memory."""

    def __init__(self, policy: Policy, region: str) -> None:
        """Start empty."""
        self._policy = policy
        self._region = region
        self._items: dict[KeyId, Image | None] = {}
        self._repaired: set[KeyId] = set()

    def read(self, key: Image) -> Image | None:
        """Return the item."""
        return self._items.get(self._id(key))

    def write(self, change: Change) -> Written | Stale:
        """Make one conditional change, which counts as a repair."""
        current = self.read(change.key)
        if not holds(change, current):
            return Stale(current)
        self._put(change.key, change.item if current is None else after(change, current))
        self._repaired.add(self._id(change.key))
        return Written()

    def transact(self, changes: Sequence[Change], token: str) -> Written | StaleItems:
        """Make all changes or none."""
        del token  # no call is ever repeated here
        currents = [self.read(change.key) for change in changes]
        pairs = list(zip(changes, currents, strict=True))
        stale = {position: current for position, (change, current) in enumerate(pairs) if not holds(change, current)}
        if stale:
            return StaleItems(stale)
        for change, _ in pairs:
            self.write(change)
        return Written()

    def show(self, record: StreamRecord) -> Image | None:
        """Let the recorded image stand there; return the repair that it replaces, if there is one."""
        identity = self._id(record.key)
        repair = self._items.get(identity) if identity in self._repaired else None
        self._repaired.discard(identity)
        self._put(record.key, record.new)
        return repair

    def rejoin(self, repair: Image, record: StreamRecord) -> None:
        """Join a repair that the recording does not know of into what stands there since."""
        current = self.read(record.key)
        suspect = Suspect(Kind.OVERWRITTEN, replace(record, old=repair))
        change = settle([suspect], current, self._policy, self._region).change if current else None
        if change:
            self.write(change)

    def items(self) -> list[Image]:
        """Return every item, longest unchanged first."""
        return [image for image in self._items.values() if image is not None]

    def _id(self, key: Image) -> KeyId:
        return key_id(key, self._policy.key_names)

    def _put(self, key: Image, image: Image | None) -> None:
        identity = self._id(key)
        self._items.pop(identity, None)
        self._items[identity] = image
        if len(self._items) > MAX_ITEMS:
            oldest = next(iter(self._items))
            del self._items[oldest]
            self._repaired.discard(oldest)
