"""The account itself: whatever a fault could do to a write, it would be seen."""

from collections.abc import Mapping
from typing import Any

import pytest

from reconciler.wire import from_plain
from tests.faults.site import EAST, WEST
from tests.faults.world import MemoryWorld, memory_world


def test_without_workers_a_write_is_lost() -> None:
    """Last writer wins, and nobody brings the other write back: that is what the account must find."""
    world = memory_world()
    world.conflict(["x"], "k")
    world.replicate()
    account = world.account()
    assert (account.acknowledged, account.in_table, account.in_queue) == (2, 1, 0)
    assert account.wrong == (f"x: k-{EAST}-x is lost",)


@pytest.fixture
def settled() -> MemoryWorld:
    """A world in which all is well."""
    world = memory_world()
    world.conflict(["x"], "k")
    world.assert_nothing_lost()
    return world


@pytest.mark.parametrize(
    ("damage", "says"),
    [
        ({"Balance": 4}, "x: Balance is 4, its writes come to 3"),
        ({"Balance": 2}, "x: Balance is 2, its writes come to 3"),
        ({"Data": "data of another"}, "x: Data is not that of its newest write"),
    ],
)
def test_a_write_that_counts_twice_or_in_part_is_found(
    settled: MemoryWorld, damage: Mapping[str, Any], says: str
) -> None:
    """A counter that does not add up, a register that belongs to no write."""
    (image,) = settled.east.items()
    damaged = {**image, **{name: from_plain(value) for name, value in damage.items()}}
    for site in settled.sites.values():
        site.table.put({"Id": {"S": "x"}}, damaged)
    assert settled.account().wrong == (says,)


def test_regions_that_differ_are_found(settled: MemoryWorld) -> None:
    """Even where each of them is fine by itself."""
    settled.sites[WEST].write(settled.books.request("x", "late"))
    assert settled.account().wrong == ("x: the Regions differ",)


def test_a_lost_write_is_accounted_for_by_a_message_with_both_images() -> None:
    """One image alone would not do: a person could not settle it."""
    world = memory_world()
    world.conflict(["x"], "k", owned=True)
    world.replicate()
    before = world.east.items()
    world.deliver(EAST)
    (message,) = world.east.messages()
    for site in world.sites.values():
        site.table.put({"Id": {"S": "x"}}, before[0])
    account = world.account()
    assert (account.in_table, account.in_queue, account.wrong) == (1, 1, ())
    assert message.new_image == before[0]
