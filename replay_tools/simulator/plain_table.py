"""The plain table: the same requests on a Global Table without a worker, where the last writer wins and that is all.

Only what each version has seen is kept: enough to say what a client was promised and did not get.
"""

from collections.abc import Iterable, Sequence

from replay_tools.simulator.replication import Replicas
from replay_tools.simulator.steps import Cut, Deliver, Fault, Heal, Request, Settle, Step, Wait, When, Work
from replay_tools.simulator.world import LONG_WAIT_MS

BEFORE_WRITE = Fault(When.BEFORE)


class PlainTable:
    """Replicas that keep the newest version of an item and forget the rest."""

    def __init__(self, regions: Sequence[str]) -> None:
        """Start empty."""
        self._replicas: Replicas[frozenset[str]] = Replicas(regions)
        self._written: set[tuple[str, str]] = set()

    def play(self, steps: Iterable[Step]) -> None:
        """Play what concerns clients and replication; there is no worker, and nobody writes past the writer."""
        for step in steps:
            match step:
                case Request():
                    self._request(step)
                case Deliver(source, target, item):
                    for name in [item] if item else list(self._replicas.links[source, target]):
                        self._replicas.deliver((source, target), name)
                case Work():
                    self.play(step.meanwhile)
                case Cut(one, other):
                    self._replicas.cut(one, other)
                case Heal(one, other):
                    self._replicas.heal(one, other)
                case Wait(ms) if ms >= LONG_WAIT_MS:
                    self.settle()
                case Settle():
                    self.settle()

    def settle(self) -> None:
        """Let everything arrive."""
        self._replicas.heal_all()
        for link, item in list(self._replicas.pending()):
            self._replicas.deliver(link, item)

    def lost(self) -> int:
        """Return how many writes no replica has any more, counted by request and item."""
        region = self._replicas.regions[0]
        kept = {(item, key) for item in self._replicas.items() for key in self._seen(region, item)}
        return len(self._written - kept)

    def _request(self, request: Request) -> None:
        self.play(request.meanwhile)
        if request.fault == BEFORE_WRITE:
            return
        for ask in request.asks:
            seen = self._seen(request.region, ask.item)
            if request.key not in seen:
                self._replicas.put(request.region, ask.item, seen | {request.key})
                self._written.add((ask.item, request.key))

    def _seen(self, region: str, item: str) -> frozenset[str]:
        return self._replicas.get(region, item) or frozenset()
