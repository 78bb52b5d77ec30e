"""A partition of minutes: nothing travels between the Regions, both go on writing, and then everything meets at once.

us-east-1  w1 -- w2 --- w3 ----- w4 ----+
                   (cut)                 heal -> one version of each key survives, the workers bring back the rest
eu-west-1    w5 --- w6 ---- w7 -- w8 ---+
"""

import random

import pytest

from reconciler.policy import MINUTE
from tests.faults.site import EAST, WEST
from tests.faults.world import MemoryWorld, memory_world

STORM_KEYS = 2_000


def partitioned(seed: int, *, keys: int, writes: int, minutes: int, **changes: int) -> MemoryWorld:
    """Return a world that has just healed: both Regions wrote for so many minutes without hearing of each other."""
    draw = random.Random(seed)  # noqa: S311 - seeded
    world = memory_world(**changes)
    world.conflict([f"item-{key}" for key in range(keys)], "before")
    world.settle()
    world.replicator.cut(EAST, WEST)
    for number in range(writes):
        world.pass_ms(minutes * MINUTE // writes)
        region = draw.choice([EAST, WEST])
        world.write(region, f"item-{draw.randrange(keys)}", f"{region}-{number}")
        if not draw.randrange(writes // 10):
            world.settle()  # within each Region all goes on: streams are read, workers run
    world.replicator.heal(EAST, WEST)
    return world


@pytest.mark.parametrize("seed", range(5))
def test_a_partition_of_minutes_loses_nothing(seed: int) -> None:
    """Ten minutes, twice as long as `min_window`: within the ledger's bounds, every write is in the table."""
    world = partitioned(seed, keys=5, writes=200, minutes=10)
    account = world.assert_nothing_lost()
    assert account.in_table == account.acknowledged == 210
    assert [*world.east.messages(), *world.west.messages()] == []


@pytest.mark.parametrize("seed", range(5))
def test_a_partition_beyond_the_ledgers_bounds_is_told(seed: int) -> None:
    """Both Regions folded what the other never saw: no write is dropped in silence, a person gets both images."""
    world = partitioned(seed, keys=2, writes=200, minutes=60, max_writes=10, min_window_ms=MINUTE)
    account = world.assert_nothing_lost()
    assert account.acknowledged == 204
    messages = [*world.east.messages(), *world.west.messages()]
    assert {message.reason for message in messages} == {"diverged_beyond_horizon"}
    assert {message.key["Id"]["S"] for message in messages} == {"item-0", "item-1"}
    assert all(message.old_image and message.new_image for message in messages)


def test_a_conflict_storm_of_thousands_of_keys_is_settled() -> None:
    """When the partition ends, every key has lost a write at once: one repair for each, in a few batches."""
    world = memory_world()
    world.replicator.cut(EAST, WEST)
    world.conflict([f"item-{number}" for number in range(STORM_KEYS)], "k")
    world.pass_ms(5 * MINUTE)
    world.settle()
    world.replicator.heal(EAST, WEST)
    account = world.assert_nothing_lost()
    assert account.in_table == account.acknowledged == 2 * STORM_KEYS
    assert world.east.telemetry.totals["repaired"] + world.west.telemetry.totals.get("repaired", 0) == STORM_KEYS
