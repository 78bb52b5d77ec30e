"""A conflict storm on the engine, while it throttles, fails, and drops answers: it takes longer, and loses nothing."""

import pytest

from tests.faults.engine import EngineWorld
from tests.faults.faulty_server import Fault, passed
from tests.faults.site import EAST, WEST
from tests.faults.strikes import dropped_after, every, refused, refused_after

pytestmark = pytest.mark.dynamodb_local
STORM_KEYS = 2_000
ITEMS = [f"item-{number}" for number in range(60)]
WEATHER = {
    "fine": passed,
    "one in three is throttled": every(3, refused("ProvisionedThroughputExceededException")),
    "one in three fails": every(3, refused("InternalServerError", 500)),
    "one in three fails after the commit": every(3, refused_after("InternalServerError")),
    "one answer in three is dropped": every(3, dropped_after),
}


@pytest.mark.parametrize("fault", WEATHER.values(), ids=[name.replace(" ", "-") for name in WEATHER])
def test_a_storm_in_bad_weather(world: EngineWorld, fault: Fault) -> None:
    """Both sides write every key during a partition; then all of it meets, under the weather."""
    world.replicator.cut(EAST, WEST)
    world.conflict(ITEMS, "k", owned=True)
    world.settle()
    world.replicator.heal(EAST, WEST)
    for action in ("UpdateItem", "PutItem"):
        world.engine.dynamodb.always(action, fault)
    world.engine.sqs.always("SendMessage", fault)
    account = world.assert_nothing_lost()
    assert account.in_table == account.acknowledged == 2 * len(ITEMS)
    assert len(world.engine.queue.messages) == len(ITEMS)


def test_a_storm_of_thousands_of_keys(world: EngineWorld) -> None:
    """When the partition ends, every key has lost a write at once: one repair for each, and no failure."""
    keys = [f"key-{number}" for number in range(STORM_KEYS)]
    world.replicator.cut(EAST, WEST)
    world.conflict(keys, "k")
    world.settle()
    world.replicator.heal(EAST, WEST)
    account = world.assert_nothing_lost()
    assert account.in_table == account.acknowledged == 2 * STORM_KEYS
    assert sum(site.telemetry.totals.get("repaired", 0) for site in world.sites.values()) == STORM_KEYS
    assert world.engine.queue.messages == []
