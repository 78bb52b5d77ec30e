"""Recordings of plain tables whose losses are known: a simulated Global Table, seeded, with lag and coalescing."""

from collections.abc import Callable
from dataclasses import dataclass, field
from random import Random

from reconciler.wire import Image
from replay_tools.audit.chains import Step
from replay_tools.simulator.replication import Replicas

REGIONS = ("us-east-1", "eu-west-1", "ap-south-1")
Change = Callable[[Random, Image, str, int], Image]


@dataclass(frozen=True)
class Held:
    """A version, and the writes that it includes."""

    image: Image | None
    seen: frozenset[tuple[str, str]] = frozenset()


@dataclass
class World:
    """A Global Table of plain items that writes down every stream, and what each replacement forgot."""

    regions: tuple[str, ...] = REGIONS[:2]
    streams: dict[str, dict[str, list[Step]]] = field(default_factory=dict)
    lost: set[tuple[str, str, str]] = field(default_factory=set)
    """Item, Region and sequence number of every write that was overwritten."""
    now_ms: int = 1_700_000_000_000
    rounding_ms: int = 1_000

    def __post_init__(self):
        """Start with empty replicas."""
        self.replicas: Replicas[Held] = Replicas(self.regions)
        self.numbers = dict.fromkeys(self.regions, 0)

    def write(self, region: str, item: str, image: Image | None) -> None:
        """Write locally; a write that changes nothing is none."""
        standing = self.replicas.get(region, item) or Held(None)
        if standing.image != image:
            number = self._record(region, item, standing.image, image)
            self.replicas.put(region, item, Held(image, standing.seen | {(region, number)}))

    def deliver(self, source: str, target: str, item: str) -> None:
        """Let what is under way arrive; what it replaced without having seen it is lost."""
        moved = self.replicas.deliver((source, target), item)
        if moved is None:
            return
        old, new = moved
        old = old or Held(None)
        self.lost |= {(item, *write) for write in old.seen - new.seen}
        if old.image != new.image:
            self._record(target, item, old.image, new.image)

    def settle(self) -> None:
        """Let everything arrive."""
        self.replicas.heal_all()
        for link, item in list(self.replicas.pending()):
            self.now_ms += 5
            self.deliver(*link, item)

    def _record(self, region: str, item: str, old: Image | None, new: Image | None) -> str:
        self.numbers[region] += 1
        number = f"{self.numbers[region]:06}"
        at_ms = self.now_ms // self.rounding_ms * self.rounding_ms
        by_region = self.streams.setdefault(item, {name: [] for name in self.regions})
        by_region[region].append(Step(region, old, new, number, at_ms))
        return number


def play(  # noqa: PLR0913 - each a property of the world
    seed: int,
    change: Change,
    *,
    steps: int = 400,
    items: int = 30,
    regions: int = 2,
    step_ms: int = 400,
    rounding_ms: int = 1_000,
) -> World:
    """Return a world after so many random steps, settled in the end."""
    random = Random(seed)  # noqa: S311 - seeded
    world = World(REGIONS[:regions], rounding_ms=rounding_ms)
    for serial in range(steps):
        world.now_ms += random.randrange(step_ms)
        item = f"item-{random.randrange(items)}"
        region = random.choice(world.regions)
        image = (world.replicas.get(region, item) or Held(None)).image
        world.write(region, item, change(random, image or {"Id": {"S": item}}, region, serial))
        for link, name in list(world.replicas.pending()):
            if random.random() < 0.3:
                world.now_ms += random.randrange(100)
                world.deliver(*link, name)
    world.settle()
    return world


def single_attribute(random: Random, image: Image, region: str, serial: int) -> Image:
    """One text that every write replaces."""
    return {**image, "Data": {"S": f"value {serial}"}}


def many_attributes(random: Random, image: Image, region: str, serial: int) -> Image:
    """Eight attributes, of which a write changes one or two."""
    names = random.sample("abcdefgh", random.choice([1, 2]))
    return {**image, **{name: {"S": f"{name} {serial}"} for name in names}}


def versioned(random: Random, image: Image, region: str, serial: int) -> Image:
    """One text, and a number that counts the writes."""
    version = int(image.get("Rev", {"N": "0"})["N"]) + 1
    return {**image, "Data": {"S": f"value {serial}"}, "Rev": {"N": str(version)}}


def signed(random: Random, image: Image, region: str, serial: int) -> Image:
    """One text, and the Region that wrote it."""
    return {**image, "Data": {"S": f"value {serial}"}, "Site": {"S": region}}


def counter(random: Random, image: Image, region: str, serial: int) -> Image:
    """A balance that goes up and down, and a note now and then."""
    balance = int(image.get("Balance", {"N": "0"})["N"]) + random.choice([5, -3, 12, -7])
    note = {"Note": {"S": f"note {serial}"}} if random.random() < 0.5 else {}
    return {**image, "Balance": {"N": str(balance)}, **note}


def seed_shape(random: Random, image: Image, region: str, serial: int) -> Image:
    """What this project's first version wrote."""
    version = int(image.get("Version", {"N": "0"})["N"]) + 1
    return {
        **image,
        "Data": {"S": f"value {serial}"},
        "Version": {"N": str(version)},
        "Timestamp": {"N": str(1_700_000_000_000 + serial)},
        "LastUpdatedRegion": {"S": region},
        "IdempotencyKey": {"S": f"k{serial}"},
    }
