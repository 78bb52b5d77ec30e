"""A world: Regions with the deployed functions, replication between them, and triggers that deliver as Lambda does.

client -> handlers.write -> replica -> stream -> trigger -> handlers.stream -> replica, poison queue
                               ^                    |
                               +--- replicator      +-- failed at n: n and all after it come again
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Generic, TypeVar

from reconciler.policy import Region
from reconciler.records import RawRecord
from replay_tools.replicator import Replicator
from tests.faults.accounting import Account, Books
from tests.faults.site import EAST, WEST, Clock, MemorySite, Site, policy

MAX_ROUNDS = 200
S = TypeVar("S", bound=Site)


@dataclass
class World(Generic[S]):
    """Two Regions, their clients' books, and what AWS does between them."""

    sites: Mapping[Region, S]
    books: Books = field(default_factory=Books)
    pending: dict[Region, list[RawRecord]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Connect the Regions."""
        self.replicator = Replicator({region: site.replica for region, site in self.sites.items()})
        self.pending = {region: [] for region in self.sites}

    def write(self, region: Region, item: str, key: str, **more: Any) -> str:
        """Execute a request and note the answer; return its status."""
        request = self.books.request(item, key, **more)
        return self.books.acknowledge(request, self.sites[region].write(request))

    def conflict(self, items: Sequence[str], name: str, **more: Any) -> None:
        """Let both Regions write each item before they meet, so that one write of each pair is dropped."""
        for item in items:
            for region in self.sites:
                self.write(region, item, f"{name}-{region}-{item}", **more)

    def replicate(self) -> None:
        """Let everything that may travel arrive."""
        self.replicator.settle()

    def batch(self, region: Region) -> list[RawRecord]:
        """Return what the Region's trigger has to deliver: what failed before, and what is new."""
        self.pending[region] += self.sites[region].records()
        return self.pending[region]

    def deliver(self, region: Region) -> int:
        """Deliver one batch as Lambda does; return how many records it had."""
        records = self.batch(region)
        if records:
            self.pending[region] = from_lowest(records, self.sites[region].work(records))
        return len(records)

    def settle(self, max_rounds: int = MAX_ROUNDS) -> int:
        """Let replication and triggers run until nothing moves; return how many rounds that took."""
        for number in range(max_rounds):
            self.replicate()
            if not sum([self.deliver(region) for region in self.sites]):
                return number
        raise AssertionError("the world does not come to rest")

    def account(self) -> Account:
        """Say where every acknowledged write is."""
        messages = [message for site in self.sites.values() for message in site.messages()]
        return self.books.account([site.items() for site in self.sites.values()], messages)

    def assert_nothing_lost(self) -> Account:
        """Come to rest, and find every acknowledged write in the table or in the queue with both images."""
        self.settle()
        account = self.account()
        assert not account.wrong, account.wrong
        assert account.acknowledged == account.in_table + account.in_queue > 0
        return account


class MemoryWorld(World[MemorySite]):
    """A world in memory, with a clock for each Region."""

    @property
    def east(self) -> MemorySite:
        """The first Region."""
        return self.sites[EAST]

    @property
    def west(self) -> MemorySite:
        """The second Region."""
        return self.sites[WEST]

    def pass_ms(self, ms: int) -> None:
        """Let true time pass, in both Regions."""
        for site in self.sites.values():
            site.clock.now_ms += ms


def memory_world(**changes: Any) -> MemoryWorld:
    """Return two Regions in memory, whose policy has some fields changed."""
    by = replace(policy(), **changes)
    return MemoryWorld({region: MemorySite(region, by, Clock()) for region in (EAST, WEST)})


def from_lowest(records: Sequence[RawRecord], failed: Sequence[str]) -> list[RawRecord]:
    """Return what Lambda delivers again: the lowest record that failed, and all after it."""
    numbers = [record["dynamodb"]["SequenceNumber"] for record in records]
    return list(records[min(map(numbers.index, failed)) :]) if failed else []
