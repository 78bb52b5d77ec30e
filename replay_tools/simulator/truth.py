"""Truth: what really happened, as only the simulator can know it, without looking into `Causality` for content.

Each execution of a request has a number; what a version has seen is a set of these numbers, kept as the bits of one
integer. A write has seen what the version that it was made from had seen; a repair, what it joined.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from replay_tools.simulator.steps import Ask, Request


@dataclass(frozen=True, slots=True)
class Truth:
    """The life of a version (the stamp of the delete that began it), and the executions that it has seen."""

    life: int = 0
    seen: int = 0

    def includes(self, other: "Truth") -> bool:
        """Say whether nothing of the other is missing here; what a delete ended is not missing."""
        return other.life < self.life or (other.life == self.life and not other.seen & ~self.seen)

    def joined(self, other: "Truth") -> "Truth":
        """Return what a version has seen that both went into: of two lives the later, whole."""
        if self.life != other.life:
            return self if self.life > other.life else other
        return Truth(self.life, self.seen | other.seen)


NOTHING = Truth()


@dataclass(frozen=True, slots=True)
class Execution:
    """One execution of one request on one item."""

    number: int
    region: str
    ask: Ask
    request: Request
    stamp: int
    """As the item's ledger has it: above everything that the execution had seen."""
    value_stamp: int
    """What orders register values: the client's time where the request gives one."""
    basis: Truth
    """What the execution had seen."""
    generation: int
    """How often the same request had been executed and folded before: the horizon makes a late retry a new write."""
    horizon: int
    """The horizon of the version that it was made from."""

    @property
    def life(self) -> int:
        """The life that it belongs to; a delete begins its own."""
        return self.stamp if self.ask.deletes else self.basis.life

    @property
    def truth(self) -> Truth:
        """What the version that it wrote had seen."""
        return Truth(self.life, self.basis.seen | 1 << self.number)

    @property
    def identity(self) -> tuple[str, int]:
        """What the ledger tells executions apart by."""
        return self.request.key, self.stamp


def numbers(seen: int) -> Iterator[int]:
    """Yield the numbers in a set."""
    while seen:
        lowest = seen & -seen
        yield lowest.bit_length() - 1
        seen ^= lowest
