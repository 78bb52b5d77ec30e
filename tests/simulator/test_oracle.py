"""The oracle catches wrong ends, made by hand, and lets right ones pass."""

from typing import Any

import pytest

from reconciler.policy import DAY
from replay_tools.simulator.actors import named
from replay_tools.simulator.replica import ABSENT, Version
from replay_tools.simulator.world import World
from tests.simulator.histories import play, settled, shown, verdict

CONFLICT = "A: x Data=a Balance+1 Tags+{p} #1 | B: x Data=b Balance+2 Tags+{q} #2"


def test_a_right_end_is_right():
    """Both writes are there."""
    assert verdict(settled(CONFLICT)) == []


def test_a_table_without_a_worker_loses_a_write():
    """Everything arrived, and nobody repaired."""
    world = play(f"{CONFLICT} | A>B | B>A")
    for region in world.regions.values():
        region.position = len(region.stream)
    assert verdict(world)[0] == "lost: x: #1 (Region A) never came back"


def spoil(world: World, **attributes: Any) -> list[str]:
    """Let every Region hold other attributes (None: none), and ask the oracle."""
    for region in world.regions:
        version = world.get(region, "x")
        image = {**(version.image or {}), **attributes}
        left = {name: value for name, value in image.items() if value is not None}
        world.replicas.put(region, "x", Version(left, version.truth))
    return [sentence for sentence in verdict(world) if "redelivery" not in sentence]


@pytest.mark.parametrize(
    ("attributes", "sentence"),
    [
        ({"Balance": {"N": "4"}}, "disagreement: x: Balance is 4, the requests make it 3"),
        ({"Balance": None}, "disagreement: x: Balance is absent, the requests make it 3"),
        ({"Data": {"S": "a"}}, "disagreement: x: Data is a, the requests make it b"),
        ({"Tags": {"SS": ["p"]}}, "disagreement: x: Tags is ['p'], the requests make it ['p', 'q']"),
        ({"Tags": {"SS": ["q", "p"]}}, "disagreement: x: Tags is ['q', 'p'], the requests make it ['p', 'q']"),
        ({"Ghost": {"S": "g"}}, "disagreement: x: Ghost is g, the requests make it absent"),
        ({"Version": {"N": "3"}}, "disagreement: x: Version is 3, not 2"),
        ({"IdempotencyKey": {"S": "1"}}, "disagreement: x: IdempotencyKey is 1, not 2"),
        ({"ExpiresAt": {"N": "1700000000"}}, "disagreement: x: it has an ExpiresAt"),
    ],
)
def test_a_wrong_attribute_is_named(attributes: dict[str, Any], sentence: str):
    """What stands there is held against what the requests make of it."""
    assert sentence in spoil(settled(CONFLICT), **attributes)


def test_regions_that_differ_are_shown():
    """Equal to the byte, or not equal."""
    world = settled(CONFLICT)
    version = world.get("A", "x")
    world.replicas.put("A", "x", Version({**(version.image or {}), "Data": {"S": "c"}}, version.truth))
    assert verdict(world)[0].startswith("Regions differ: x: A ")


def test_an_item_that_is_gone_is_lost():
    """No delete was asked for."""
    world = settled(CONFLICT)
    for region in world.regions:
        world.replicas.put(region, "x", Version(None, world.get(region, "x").truth))
    assert "lost: x: the item is gone" in verdict(world)
    assert ABSENT.image is None


def test_what_a_delete_beat_in_silence_is_lost():
    """Somebody must be told of a write that the delete had not seen."""
    world = settled("A: x Data=1 #1 | settle | A: x delete #2 | B: x Balance+1 #3")
    assert verdict(world) == []
    for region in world.regions.values():
        region.conflicts.clear()
    assert verdict(world)[0] == "lost: x: #3 (Region B) went, and nobody was told"


def test_an_unexpected_message_is_told():
    """An escalation has to have a reason in the workload."""
    world = settled("A: x Owner=a #1 | B: x Owner=b #2")
    assert verdict(world) == ["poison: x: Region A escalated manual: Owner: policy manual"]


def test_an_unjustified_duplicate_is_told():
    """The client was promised a write that no item has."""
    world = settled("A: x Balance+1 #1 | A: x Balance+1 #1")
    assert verdict(world) == []
    duplicate = world.answers[1]
    duplicate.basis["x"] = ABSENT
    assert "disagreement: x: #1 in Region A was told duplicate, and no item had it" in verdict(world)


def test_a_removal_takes_only_what_it_had_seen():
    """B adds p again while A removes the p that it saw: p stays."""
    world = settled("A: x Tags+{p} #1 | A>B | A: x Tags-{p} #2 | B: x Tags+{p} #3")
    assert verdict(world) == []
    assert named(world.get("A", "x").image)
    assert "disagreement: x: Tags is absent, the requests make it ['p']" in spoil(world, Tags=None)


def test_a_retry_elsewhere_counts_once():
    """The same request, executed in both Regions, is one write and two executions."""
    world = settled("A: x Balance+5 #1 | B: x Balance+5 #1")
    assert verdict(world) == []
    assert (world.get("A", "x").image or {})["Version"] == {"N": "2"}
    assert "disagreement: x: Balance is 10, the requests make it 5" in spoil(world, Balance={"N": "10"})


def test_work_that_is_never_done_is_not_quiet():
    """A worker that writes on every delivery never comes to an end."""
    world = settled(CONFLICT)
    world.is_quiet = False
    assert verdict(world) == ["not quiet: the workers never come to an end"]


def test_what_was_deleted_for_good_is_not_taken_for_joined():
    """B meets the hard delete of #2 and the loss of #3 in one batch: that #1 comes back with #3 says nothing of #2."""
    world = settled(
        "B: x Tags+{c} #1 | B>A x | B: x Data=v #2 | B works 2 | B: x gone | A: x Balance+9 #3 | C: x Tags-{a} #4", 3
    )
    assert shown(world, "B") == {"Balance": 9, "Tags": {"c"}}
    assert verdict(world) == []


@pytest.mark.parametrize(
    "text",
    [
        "A: x delete #1 | wait 2764800000 | B sweeps | B: x Balance+3 #2 | A: x Tags+{b} #3 (B>A) | B: x Tags-{b,c} #4",
        "B: x delete #1 | wait 2764800000 | A sweeps | A: x Tags+{a} #2 | A>B x | B: x Tags-{a} #3 | A: x Note=v #4",
    ],
)
def test_an_expired_tombstone_is_not_taken_for_lost(text: str):
    """What replaces it lost nothing: a repair in the same batch does not bring its life back."""
    assert verdict(settled(text, tombstone_ttl_ms=DAY)) == []
