"""A Region's clock is an hour wrong: order follows the stamps, nothing is lost, and the skew is measured and told."""

import pytest

from reconciler.errors import RequestError
from reconciler.policy import DAY, HOUR, MINUTE
from tests.faults.site import EAST, NOW, WEST
from tests.faults.world import MemoryWorld, memory_world

ITEMS = ("x", "y", "z")


def skewed(off_ms: int, **changes: int) -> MemoryWorld:
    """Return a world whose first Region's clock is wrong from the start."""
    world = memory_world(**changes)
    world.east.clock.off_ms = off_ms
    return world


@pytest.mark.parametrize("off_ms", [HOUR, -HOUR])
def test_conflicts_are_settled_as_ever(off_ms: int) -> None:
    """Both Regions write at once, again and again: every write counts, and the Regions agree."""
    world = skewed(off_ms)
    for number in range(10):
        world.conflict(ITEMS, f"k{number}", owned=True)
        world.pass_ms(MINUTE)
        world.settle()
    account = world.assert_nothing_lost()
    assert account.in_table == account.acknowledged == 60


@pytest.mark.parametrize("off_ms", [HOUR, -HOUR])
def test_the_right_regions_worker_says_how_far_it_is_off(off_ms: int) -> None:
    """The Region that is behind, whichever is wrong, counts the other's items as skewed: an alarm can stand on it."""
    world = skewed(off_ms)
    world.conflict(ITEMS, "k")
    world.settle()
    behind, ahead = (world.west, world.east) if off_ms > 0 else (world.east, world.west)
    assert behind.telemetry.totals["skewed_items"] >= len(ITEMS)
    assert "skewed_items" not in ahead.telemetry.totals


@pytest.mark.parametrize("off_ms", [HOUR, -HOUR])
def test_a_clock_that_is_set_right_again_does_no_harm(off_ms: int) -> None:
    """A write that has seen the wrong Region's goes after it, by however little."""
    world = skewed(off_ms)
    world.conflict(ITEMS, "wrong")
    world.settle()
    world.east.clock.off_ms = 0
    for region in (EAST, WEST):
        for item in ITEMS:
            assert world.write(region, item, f"right-{region}-{item}") == "applied"
        world.settle()
    assert {image["Data"]["S"] for image in world.east.items()} == {f"data of right-{WEST}-{item}" for item in ITEMS}
    assert world.assert_nothing_lost().in_table == 12


def test_a_client_that_is_right_is_refused_where_the_clock_is_late() -> None:
    """The error names the field, how far it is ahead, and the limit; nothing was written."""
    world = skewed(-HOUR)
    with pytest.raises(RequestError) as refusal:
        world.write(EAST, "x", "k", Timestamp=NOW)
    assert str(refusal.value) == "Timestamp: is 3600000 ms ahead of this Region's clock; at most 5000 are accepted"
    assert world.write(WEST, "x", "k", Timestamp=NOW) == "applied"
    world.assert_nothing_lost()


@pytest.mark.parametrize("off_ms", [HOUR, -HOUR])
def test_a_wrong_clock_folds_nothing_that_is_young(off_ms: int) -> None:
    """80 writes within a minute of true time pass twice `max_writes`, and all stay named: none can diverge."""
    world = skewed(off_ms, max_writes=10)
    for number in range(40):
        world.conflict(["x"], f"k{number}")
        world.pass_ms(500)
        if number % 10 == 9:
            world.settle()
    account = world.assert_nothing_lost()
    assert account.in_table == account.acknowledged == 80
    assert world.east.messages() + world.west.messages() == []


@pytest.mark.parametrize("off_ms", [HOUR, -HOUR])
def test_a_delete_and_a_write_under_a_wrong_clock_agree(off_ms: int) -> None:
    """The delete beats what it had not seen, is told of, and its tombstone outlives an hour by far."""
    world = skewed(off_ms)
    world.conflict(["x"], "k")
    world.settle()
    world.sites[EAST].write({"Id": "x", "IdempotencyKey": "gone", "Delete": True})
    world.sites[WEST].write({"Id": "x", "IdempotencyKey": "late", "Add": {"Balance": 5}})
    world.pass_ms(DAY)
    world.settle()
    (image,) = world.east.items()
    assert world.west.items() == [image]
    assert "Balance" not in image
    assert int(image["ExpiresAt"]["N"]) * 1_000 > NOW + 29 * DAY
    told = [conflict.kind.value for site in (world.east, world.west) for conflict, _ in site.telemetry.conflicts]
    assert "lost_to_delete" in told
