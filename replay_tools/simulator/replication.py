"""Replication: N replicas of a table, as DynamoDB Global Tables keep them in eventual mode.

    put      a local write: the Region's newest, on its way to every other Region; links coalesce, item by item
    deliver  last writer wins by (platform time, Region): the loser vanishes, and leaves no trace

What a version is, only the caller knows: the same replication carries real images, and what a plain table would hold.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Generic, TypeVar

T = TypeVar("T")
Link = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Cell(Generic[T]):
    """A version, and the private platform time by which it wins or loses."""

    version: T
    at: int
    region: str

    def beats(self, other: "Cell[T] | None") -> bool:
        """Say whether this cell replaces the other where both meet."""
        return other is None or (self.at, self.region) > (other.at, other.region)


class Replicas(Generic[T]):
    """Each Region's cells, and what is under way between them."""

    def __init__(self, regions: Iterable[str]) -> None:
        """Start empty, with every link whole."""
        self.regions = tuple(regions)
        self.links: dict[Link, dict[str, Cell[T]]] = {
            (source, target): {} for source in self.regions for target in self.regions if source != target
        }
        self._cells: dict[str, dict[str, Cell[T]]] = {region: {} for region in self.regions}
        self._cut: set[Link] = set()
        self._now = 0

    def get(self, region: str, item: str) -> T | None:
        """Return what the Region's replica holds."""
        cell = self._cells[region].get(item)
        return None if cell is None else cell.version

    def items(self) -> list[str]:
        """Return every item that any replica has ever held, sorted."""
        return sorted({item for cells in self._cells.values() for item in cells})

    def put(self, region: str, item: str, version: T) -> None:
        """Write locally, and send it to every other Region in place of what had not left yet."""
        self._now += 1
        cell = self._cells[region][item] = Cell(version, self._now, region)
        for source, target in self.links:
            if source == region:
                self.links[source, target][item] = cell

    def deliver(self, link: Link, item: str) -> tuple[T | None, T] | None:
        """Let what is under way arrive; return what it replaced and itself, or None where it lost or cannot come."""
        if link in self._cut or item not in self.links[link]:
            return None
        arriving, cells = self.links[link].pop(item), self._cells[link[1]]
        standing = cells.get(item)
        if not arriving.beats(standing):
            return None
        cells[item] = arriving
        return standing.version if standing else None, arriving.version

    def cut(self, one: str, other: str) -> None:
        """Part two Regions: nothing arrives until they are healed."""
        self._cut |= {(one, other), (other, one)}

    def heal(self, one: str, other: str) -> None:
        """Join two Regions again."""
        self._cut -= {(one, other), (other, one)}

    def heal_all(self) -> None:
        """Join all Regions again."""
        self._cut.clear()

    def pending(self) -> Iterator[tuple[Link, str]]:
        """Yield what is under way and can arrive."""
        for link, cells in self.links.items():
            if link not in self._cut:
                yield from ((link, item) for item in list(cells))
