"""Two Regions with the templates' own stacks and the package in them; replication is the project's own."""

import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from infra.e2e.region import Region
from reconciler import policy
from reconciler.wire import Image
from replay_tools.replicator import Replicator

A, B = "us-east-1", "eu-west-1"
PATIENCE_S = 30


def eventually(ask: Callable[[], Any]) -> Any:
    """Return what `ask` finds, as soon as it finds something."""
    deadline = time.monotonic() + PATIENCE_S
    while time.monotonic() < deadline:
        if found := ask():
            return found
        time.sleep(0.05)
    raise AssertionError(f"nothing within {PATIENCE_S} s")


class World:
    """What a test acts on."""

    def __init__(self, endpoint: str, package: Path) -> None:
        """Deploy both stacks in both Regions."""
        self.regions: Mapping[str, Region] = {name: Region(name, endpoint, eventually) for name in (A, B)}
        for name, other in ((A, B), (B, A)):
            self.regions[name].deploy_table(other)
            self.regions[name].deploy_worker(package)
        self.replicator = Replicator({policy.Region(name): self.regions[name].replica() for name in self.regions})

    def write(self, region: str, **request: Any) -> Any:
        """Return the write function's answer."""
        return self.regions[region].invoke("write", request)

    def cut(self) -> None:
        """Let nothing travel between the Regions."""
        self.replicator.cut(policy.Region(A), policy.Region(B))

    def heal(self) -> None:
        """Let everything travel again."""
        self.replicator.heal(policy.Region(A), policy.Region(B))

    def everywhere(self, key: str, is_there: Callable[[Image], bool]) -> Image:
        """Let replication run until both Regions hold the same item, and it is as told; return it."""

        def agreed() -> Image | None:
            self.replicator.step()
            here, there = (region.item(key) for region in self.regions.values())
            return here if here is not None and here == there and is_there(here) else None

        found: Image = eventually(agreed)
        return found
