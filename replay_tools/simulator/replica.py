"""A replica: one Region's table as the writer and the worker meet it, with the faults of one step.

It answers `ports.Table` with the memory adapter's conditions. Who is at work (a client, a worker) says what its writes
have seen.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Protocol

from reconciler.adapters.conditions import after, holds
from reconciler.change import Change
from reconciler.ports import Stale, StaleItems, Written
from reconciler.wire import Image, same
from replay_tools.simulator.steps import Fault, When
from replay_tools.simulator.truth import NOTHING, Truth


@dataclass(frozen=True, slots=True)
class Version:
    """What a replica holds: an image (None: deleted for good), and what it has seen."""

    image: Image | None
    truth: Truth


ABSENT = Version(None, NOTHING)


class Crash(BaseException):
    """The process died: no handler of exceptions can hold it up."""


class Hazard:
    """Lets a process die at the effect that the fault names, and lets other steps happen before its first write."""

    def __init__(self, fault: Fault | None, meanwhile: Callable[[], None]) -> None:
        """Count effects from 1."""
        self._fault = fault
        self._meanwhile: Callable[[], None] | None = meanwhile
        self._effects = 0

    def before(self) -> None:
        """Come to the next effect."""
        self._effects += 1
        self._die(When.BEFORE)

    def before_write(self) -> None:
        """Come to the next effect, which is a write; what happens meanwhile happens once."""
        meanwhile, self._meanwhile = self._meanwhile, None
        if meanwhile:
            meanwhile()
        self.before()

    def after(self) -> None:
        """Leave the effect behind."""
        self._die(When.AFTER)

    @property
    def echoes(self) -> bool:
        """Whether this effect's answer is lost, and the call repeated."""
        return self._is_now(When.ECHO)

    def _die(self, when: When) -> None:
        if self._is_now(when):
            raise Crash

    def _is_now(self, when: When) -> bool:
        return self._fault is not None and self._fault.when is when and self._fault.effect == self._effects


class Actor(Protocol):
    """Who is at work."""

    hazard: Hazard

    def saw(self, item: str, version: Version) -> None:
        """Take note of what was read."""
        ...

    def truth_of(self, item: str, current: Version, image: Image) -> Truth:
        """Say what the image that is being written has seen."""
        ...


class Store(Protocol):
    """Where a Region's versions are."""

    def get(self, region: str, item: str) -> Version:
        """Return what stands there."""
        ...

    def put(self, region: str, item: str, version: Version) -> None:
        """Let it stand there, streamed and on its way."""
        ...


class Replica:
    """One Region's table, for the actor of the moment."""

    def __init__(self, region: str, store: Store) -> None:
        """Belong to `region`."""
        self._region = region
        self._store = store
        self._actor: Actor

    @contextmanager
    def serving(self, actor: Actor) -> Iterator[None]:
        """Serve the actor, then again whom it interrupted."""
        before = getattr(self, "_actor", actor)
        self._actor = actor
        try:
            yield
        finally:
            self._actor = before

    def read(self, key: Image) -> Image | None:
        """Return the item."""
        return self._seen(item_of(key)).image

    def write(self, change: Change) -> Written | Stale:
        """Make one conditional change."""
        self._actor.hazard.before_write()
        item = item_of(change.key)
        current = self._store.get(self._region, item)
        if not holds(change, current.image):
            return Stale(self._seen(item).image)
        self._put(item, change, current)
        self._actor.hazard.after()
        return Stale(self._seen(item).image) if self._actor.hazard.echoes else Written()

    def transact(self, changes: Sequence[Change], _token: str) -> Written | StaleItems:
        """Make all changes or none."""
        self._actor.hazard.before_write()
        items = [item_of(change.key) for change in changes]
        currents = [self._store.get(self._region, item) for item in items]
        stale = [
            position
            for position, (change, current) in enumerate(zip(changes, currents, strict=True))
            if not holds(change, current.image)
        ]
        if stale:
            return StaleItems({position: self._seen(items[position]).image for position in stale})
        for item, change, current in zip(items, changes, currents, strict=True):
            self._put(item, change, current)
        self._actor.hazard.after()
        if self._actor.hazard.echoes:
            return StaleItems({position: self._seen(item).image for position, item in enumerate(items)})
        return Written()

    def _seen(self, item: str) -> Version:
        version = self._store.get(self._region, item)
        self._actor.saw(item, version)
        return version

    def _put(self, item: str, change: Change, current: Version) -> None:
        image = change.item if current.image is None else after(change, current.image)
        if not is_same(current.image, image):
            self._store.put(self._region, item, Version(image, self._actor.truth_of(item, current, image)))


def is_same(left: Image | None, right: Image | None) -> bool:
    """Say whether two images are equal to DynamoDB: a write that changes nothing makes no record."""
    if left is None or right is None:
        return left is right
    return left == right or (left.keys() == right.keys() and all(same(left[name], right[name]) for name in left))


def item_of(key: Image) -> str:
    """Return an item's name: the simulator's tables have one key attribute, with text."""
    return str(next(iter(key.values()))["S"])
