"""Replicator: plays the eventual mode of Global Tables (MREC) between regional tables that know nothing of each other.

AWS replicates by itself; moto and DynamoDB Local do not. Here each Region's stream is read, each version of an item
gets a private platform timestamp, and the newest travels to the other Regions, where it replaces what is older:

    us-east-1  v0 -> a1 @7                    -> b1 @8    b1 is newer: a1 is overwritten
    eu-west-1        v0 -> b1 @8  (a1 @7 arrives and is dropped: no error, no record)

As on AWS: the last writer wins per item and nothing tells so; quick successive versions are coalesced, only the newest
travels; a replicated write is not replicated back; deletes travel; while two Regions are cut off from each other, what
they have for each other waits. Timestamps are kept here, never in the items: they follow the order in which the streams
are read, and die with this object, so it is started with the tables.
"""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

from reconciler.policy import Region
from reconciler.records import KeyId, RawRecord, key_id
from reconciler.wire import Image, canonical_text


@dataclass(frozen=True, slots=True)
class Version:
    """What stands, or stood, in a replica since a moment of platform time; `image` None: deleted, or never there."""

    key: Image
    image: Image | None
    at: int


class Replica(Protocol):
    """One Region's table and its stream."""

    def read(self) -> list[RawRecord]:
        """Return the stream's records since the last read, an item's in their order."""
        ...

    def replace(self, key: Image, seen: Image | None, image: Image | None) -> bool:
        """Let `image` stand where `seen` stands (None: absent); False, and nothing done, where anything else does."""
        ...


Place = tuple[Region, KeyId]
Link = tuple[Region, Region]


class Replicator:
    """Carries each item's newest version between Regions; one thread calls `step`, any may cut and heal."""

    def __init__(self, replicas: Mapping[Region, Replica]) -> None:
        """Start with every Region connected, and every stream unread."""
        self._replicas = replicas
        self._order = list(replicas)
        self._now = 0
        self._standing: dict[Place, Version] = {}
        self._echoes: dict[Place, Version] = {}
        self._waiting: dict[Link, dict[KeyId, Version]] = {
            (origin, target): {} for origin in replicas for target in replicas if origin != target
        }
        self._cut: set[frozenset[Region]] = set()
        self.counts: Counter[str] = Counter()
        """How many versions were `delivered`, `coalesced` on their way, and `dropped` on arrival."""

    def cut(self, left: Region, right: Region) -> None:
        """Let nothing travel between two Regions."""
        self._cut.add(frozenset((left, right)))

    def heal(self, left: Region, right: Region) -> None:
        """Let everything that waits, and all that follows, travel again."""
        self._cut.discard(frozenset((left, right)))

    @property
    def waiting(self) -> int:
        """How many versions are on their way, or held back by a cut."""
        return sum(map(len, self._waiting.values()))

    def step(self) -> int:
        """Read every stream, then deliver what may travel; return how many records and deliveries that were.

        0 says that there is nothing left to do, but for what a cut holds back.
        """
        moved = sum(self._read(region) for region in self._order)
        self._order.append(self._order.pop(0))  # who is read last is the newest: no Region always wins
        for (origin, target), versions in self._waiting.items():
            if frozenset((origin, target)) not in self._cut:
                moved += sum(self._deliver(target, identity, versions) for identity in list(versions))
        return moved + len(self._echoes)

    def settle(self, max_steps: int = 1_000) -> None:
        """Step until nothing moves; RuntimeError where that never comes."""
        for _ in range(max_steps):
            if not self.step():
                return
        raise RuntimeError(f"replication still moves after {max_steps} steps")

    def _read(self, region: Region) -> int:
        records = self._replicas[region].read()
        for record in records:
            self._see(region, record)
        return len(records)

    def _see(self, region: Region, record: RawRecord) -> None:
        """Take one record: our own write coming back, a write that changed nothing, or a new version."""
        body = record["dynamodb"]
        place = region, key_id(body["Keys"], sorted(body["Keys"]))
        image = body.get("NewImage")
        echo = self._echoes.get(place)
        if echo is not None and _same(image, echo.image):
            del self._echoes[place]
            if echo.at > self._at(place):
                self._standing[place] = echo
                return
            # A local write slipped in unnoticed just before ours. Ours stands there now, so it is the newest.
        elif _same(image, body.get("OldImage")):
            return  # moto shows a write that changes nothing; AWS does not
        self._now += 1
        self._publish(place, Version(body["Keys"], image, self._now))

    def _publish(self, place: Place, version: Version) -> None:
        region, identity = place
        self._standing[place] = version
        for (origin, _), versions in self._waiting.items():
            if origin == region:
                if identity in versions:
                    self.counts["coalesced"] += 1
                versions[identity] = version

    def _deliver(self, target: Region, identity: KeyId, versions: dict[KeyId, Version]) -> int:
        """Deliver one version where it is newer; one that meets a write not yet read keeps waiting."""
        version, place = versions[identity], (target, identity)
        standing = self._standing.get(place, Version(version.key, None, 0))
        if place in self._echoes:
            return 1
        if version.at <= standing.at:
            self.counts["dropped"] += 1
        elif _same(version.image, standing.image):
            self._standing[place] = version
        elif self._replicas[target].replace(version.key, standing.image, version.image):
            self._echoes[place] = version
            self.counts["delivered"] += 1
        else:
            return 1
        del versions[identity]
        return 1

    def _at(self, place: Place) -> int:
        return self._standing[place].at if place in self._standing else 0


def _same(left: Image | None, right: Image | None) -> bool:
    """Say whether two images are the same to DynamoDB."""
    if left is None or right is None:
        return left is right
    return left == right or canonical_text({"M": left}) == canonical_text({"M": right})
