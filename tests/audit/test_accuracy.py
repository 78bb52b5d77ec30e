"""How often the audit is right, held against simulated Global Tables that know what they lost.

`pytest -s tests/audit/test_accuracy.py` prints the counts.
"""

from typing import NamedTuple

import pytest

from replay_tools.audit.exact import Ledgers
from replay_tools.audit.habits import Learner
from replay_tools.audit.judge import judge, learn
from tests.audit import worlds
from tests.audit.worlds import World, play

SEEDS = range(3)


class Score(NamedTuple):
    """Writes by what they were, and what they were taken for."""

    lost: int = 0
    missed: int = 0
    false: int = 0
    elsewhere: int = 0
    """Found as lost, but said to be another Region's write."""


def score(world: World) -> Score:
    """Audit every item, and compare."""
    learner = Learner(world.regions)
    for steps in world.streams.values():
        learn(steps, learner)
    habits = learner.habits()
    found = {
        (item, finding.region, finding.sequence_number): finding
        for item, steps in world.streams.items()
        for finding in judge({"Id": {"S": item}}, steps, habits, Ledgers.of(None))
    }
    missed, false = world.lost - found.keys(), found.keys() - world.lost
    by_image = {image_of(world, write) for write in missed}
    elsewhere = {write for write in false if image_of(world, write) in by_image}
    return Score(len(world.lost), len(missed) - len(elsewhere), len(false) - len(elsewhere), len(elsewhere))


def image_of(world: World, write: tuple[str, str, str]) -> tuple[str, str]:
    """Return what a write wrote: it is the same version wherever it arrived."""
    item, region, number = write
    (step,) = (step for step in world.streams[item][region] if step.sequence_number == number)
    return item, str(step.new)


def total(style: str, regions: int, rounding_ms: int) -> Score:
    """Return the sum over the seeds, and print it."""
    worlds_played = (play(seed, getattr(worlds, style), regions=regions, rounding_ms=rounding_ms) for seed in SEEDS)
    summed = Score(*map(sum, zip(*map(score, worlds_played), strict=True)))
    print(f"{style:16} {regions} Regions, times to {rounding_ms // 1000:2} s: {summed}")  # noqa: T201 - on purpose
    return summed


@pytest.mark.parametrize("rounding_ms", [1_000, 60_000])
@pytest.mark.parametrize("style", ["seed_shape", "signed"])
@pytest.mark.parametrize("regions", [2, 3])
def test_where_items_name_their_writer_nothing_is_missed_and_nothing_invented(style, regions, rounding_ms):
    """The Region in the item says who made each version, whatever the clocks say."""
    summed = total(style, regions, rounding_ms)
    assert summed.lost > 30
    assert summed[1:] == (0, 0, 0)


def test_a_counted_version_is_as_good_between_two_regions():
    """A number that every write raises by one is learnt, and tells the base."""
    summed = total("versioned", 2, 1_000)
    assert summed.lost > 30
    assert summed[1:] == (0, 0, 0)


@pytest.mark.parametrize(
    ("style", "rounding_ms", "missed", "false"),
    [
        ("many_attributes", 1_000, 0.02, 0.10),
        ("many_attributes", 60_000, 0.02, 0.20),
        ("versioned", 60_000, 0.05, 0.05),
        ("counter", 1_000, 0.06, 0.50),
        ("single_attribute", 1_000, 0.03, 0.60),
        ("single_attribute", 60_000, 0.06, 1.10),
    ],
)
def test_what_cannot_be_known_leans_towards_telling(style, rounding_ms, missed, false):
    """Without any evidence a loss is assumed: few are missed, and the false alarms say that nothing tells."""
    summed = total(style, 2, rounding_ms)
    assert summed.lost > 30
    assert summed.missed <= missed * summed.lost
    assert summed.false <= false * summed.lost


@pytest.mark.parametrize("style", ["versioned", "many_attributes"])
def test_a_third_region_blurs_who_made_a_write_more_than_whether_it_was_lost(style):
    """Most mistakes name the wrong Region for a write that was lost indeed."""
    summed = total(style, 3, 1_000)
    assert summed.missed <= 0.1 * summed.lost
    assert summed.false <= 0.3 * summed.lost
    assert summed.elsewhere > 0


def test_one_region_writes_and_nothing_is_lost():
    """However much is coalesced on its way: times tell which Region never makes a write."""
    world = World()
    for serial in range(1_200):
        item = f"item-{serial % 10}"
        world.now_ms += 171
        world.write("us-east-1", item, {"Id": {"S": item}, "Data": {"S": f"value {serial}"}})
        if serial % 7 in (0, 3):
            world.now_ms += 431
            world.deliver("us-east-1", "eu-west-1", item)
    world.settle()
    assert world.lost == set()
    assert score(world) == Score()
