"""Histories in the simulator's language, played in two or three Regions."""

from typing import Any

from reconciler.wire import plain_image
from replay_tools.simulator.language import read
from replay_tools.simulator.oracle import judge
from replay_tools.simulator.verdict import Violation
from replay_tools.simulator.workloads import EVERY_KIND, policy_for
from replay_tools.simulator.world import World


def play(text: str, regions: int = 2, skew_ms: dict[str, int] | None = None, **limits: Any) -> World:
    """Play a history as far as it goes."""
    world = World(policy_for(regions, EVERY_KIND, **limits), skew_ms)
    world.play(read(text))
    return world


def settled(text: str, regions: int = 2, **limits: Any) -> World:
    """Play a history to its end."""
    world = play(text, regions, **limits)
    world.settle()
    return world


def sentences(violations: list[Violation]) -> list[str]:
    """Return what is wrong, readably."""
    return [str(violation) for violation in violations]


def verdict(world: World) -> list[str]:
    """Return what the oracle finds wrong, readably."""
    return sentences(judge(world))


def shown(world: World, region: str, item: str = "x") -> dict[str, Any] | None:
    """Return the user's attributes of an item as a reader in a Region sees them."""
    image = world.get(region, item).image
    return (
        None
        if image is None
        else {name: value for name, value in plain_image(image).items() if world.policy.is_users(name)}
    )


def operations(world: World, region: str) -> list[str]:
    """Return the names of a Region's stream records."""
    return [record.raw["eventName"] for record in world.regions[region].stream]
