"""Three Regions with a table and a stream each, joined by a replicator, for histories."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from reconciler.adapters.binary import from_boto, to_boto
from reconciler.adapters.memory import MemoryTable
from reconciler.adapters.streams import StreamReader
from reconciler.policy import Region
from reconciler.records import RawRecord
from reconciler.wire import Image, canonical_image, from_plain, same
from replay_tools.demo.bootstrap import Engine
from replay_tools.replica import DynamoDBReplica
from replay_tools.replicator import Replica, Replicator

A, B, C = Region("us-east-1"), Region("eu-west-1"), Region("ap-south-1")


class MemoryReplica:
    """A replica in memory, whose stream shows each effective change once."""

    def __init__(self) -> None:
        """Start empty."""
        self._records: list[RawRecord] = []
        self.table = MemoryTable(self._show)
        self.lags = False

    def read(self) -> list[RawRecord]:
        """Return the records since the last read."""
        if self.lags:
            return []
        records, self._records = self._records, []
        return records

    def replace(self, key: Image, seen: Image | None, image: Image | None) -> bool:
        """Let `image` stand where `seen` stands."""
        if not _equal(self.table.read(key), seen):
            return False
        self.put(key, image)
        return True

    def put(self, key: Image, image: Image | None) -> None:
        """Let `image` stand there (None: nothing), as a client of this Region."""
        if image is None:
            self.table.delete(key)
        else:
            self.table.put(key, image)

    def get(self, key: Image) -> Image | None:
        """Return what stands there."""
        return self.table.read(key)

    def _show(self, key: Image, old: Image | None, new: Image | None) -> None:
        images = {"OldImage": old, "NewImage": new}
        shown = {name: image for name, image in images.items() if image is not None}
        self._records.append({"eventName": "MODIFY", "dynamodb": {"Keys": key, **shown}})


class MotoReplica(DynamoDBReplica):
    """A replica in moto, with writes of a client that knows nothing of replication."""

    def __init__(self, engine: Engine, region: Region, name: str) -> None:
        """Create the table."""
        self._dynamodb = engine.dynamodb(region)
        self._name = name
        arn = engine.create_table(region, name)
        super().__init__(self._dynamodb, name, StreamReader(engine.streams(region), arn, region))

    def put(self, key: Image, image: Image | None) -> None:
        """Let `image` stand there (None: nothing), as a client of this Region."""
        if image is None:
            self._dynamodb.delete_item(TableName=self._name, Key=dict(key))
        else:
            self._dynamodb.put_item(TableName=self._name, Item=to_boto(image))

    def get(self, key: Image) -> Image | None:
        """Return what stands there."""
        item = self._dynamodb.get_item(TableName=self._name, Key=dict(key)).get("Item")
        return None if item is None else from_boto(item)


@dataclass
class _Tap:
    """A replica, in the gap between whose reading and writing others can write."""

    replica: MemoryReplica | MotoReplica
    then: list[Callable[[], None]] = field(default_factory=list)

    def read(self) -> list[RawRecord]:
        records = self.replica.read()
        while self.then:
            self.then.pop(0)()
        return records

    def replace(self, key: Image, seen: Image | None, image: Image | None) -> bool:
        return self.replica.replace(key, seen, image)


class Regions:
    """Regions by name; what their clients do, and what stands there."""

    def __init__(self, replicas: Mapping[Region, "MemoryReplica | MotoReplica"]) -> None:
        """Connect them."""
        self._replicas = replicas
        self._taps = {region: _Tap(replica) for region, replica in replicas.items()}
        self.replicator = Replicator(dict[Region, Replica](self._taps))

    def put(self, region: Region, item: str, **attributes: Any) -> None:
        """Put an item, whatever stood there."""
        key = {"Id": {"S": item}}
        self._replicas[region].put(key, {**key, **{name: from_plain(value) for name, value in attributes.items()}})

    def delete(self, region: Region, item: str) -> None:
        """Delete an item for good."""
        self._replicas[region].put({"Id": {"S": item}}, None)

    def parted(self, *writes: Callable[[], None]) -> None:
        """Let the writes happen one after another while A and B are cut off from each other, and heal."""
        self.replicator.cut(A, B)
        for write in writes:
            write()
            self.replicator.settle()
        self.replicator.heal(A, B)
        self.replicator.settle()

    def after_next_read(self, region: Region, *writes: Callable[[], None]) -> None:
        """Let the writes happen once the Region's stream has been read, and before anything is delivered."""
        self._taps[region].then = list(writes)

    def image(self, region: Region, item: str) -> Image | None:
        """Return what stands in one Region."""
        return self._replicas[region].get({"Id": {"S": item}})

    def value(self, region: Region, item: str) -> str | None:
        """Return the item's `v` in one Region."""
        image = self.image(region, item)
        return image["v"]["S"] if image else None

    def everywhere(self, item: str) -> str | None:
        """Return the item's `v` in every Region; AssertionError where that differs."""
        images = [self.image(region, item) for region in self._replicas]
        assert all(_equal(image, images[0]) for image in images), images
        return images[0]["v"]["S"] if images[0] else None


def _equal(left: Image | None, right: Image | None) -> bool:
    if left is None or right is None:
        return left is right
    return same({"M": canonical_image(left)}, {"M": canonical_image(right)})
