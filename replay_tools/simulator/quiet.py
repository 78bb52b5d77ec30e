"""Quiet: once clients stop, the workers come to an end, and a redelivery of everything changes nothing."""

from collections.abc import Iterator

from reconciler.decisions import Trouble
from replay_tools.simulator.steps import Work
from replay_tools.simulator.verdict import Violation, Wrong
from replay_tools.simulator.world import World


def judge_redelivery(world: World) -> Iterator[Violation]:
    """Let every worker get its whole stream again: by then, nothing is left to do.

    Where items were changed past the writer, or diverged, one more round may settle what the first could not see.
    """
    changed = redeliver(world)
    yield from _restless(changed - loose_items(world), "a redelivery")
    if changed:
        world.settle()
        yield from _restless(redeliver(world), "a second redelivery")


def redeliver(world: World) -> set[str]:
    """Let every worker get its stream again; return the items that were written or escalated once more."""
    before = {name: (len(region.stream), _told(world, name)) for name, region in world.regions.items()}
    for name, (length, _) in before.items():
        region = world.regions[name]
        world.rewind(region, length)
        while region.position < length:
            world.step(Work(name, length))
    changed: set[str] = set()
    for name, (length, told) in before.items():
        changed.update(record.item for record in world.regions[name].stream[length:])
        changed.update(item for item, _ in _told(world, name) - told)
    return changed


def loose_items(world: World) -> set[str]:
    """Return the items of which nothing exact can be said: changed past the writer, swept or diverged."""
    return {*world.foreign, *world.swept, *diverged_items(world)}


def diverged_items(world: World) -> set[str]:
    """Return the items that a person was told to look at: they may be wrong in any attribute."""
    return {
        message.key["Id"]["S"]
        for region in world.regions.values()
        for message in region.messages
        if message.reason == Trouble.DIVERGED.value
    }


def _told(world: World, region: str) -> set[tuple[str, str]]:
    """Return what was escalated, but for divergence, which is told against the item of the moment."""
    messages = world.regions[region].messages
    return {(message.key["Id"]["S"], message.id) for message in messages if message.reason != Trouble.DIVERGED.value}


def _restless(items: set[str], when: str) -> Iterator[Violation]:
    for item in sorted(items):
        yield Violation(Wrong.NOT_QUIET, item, f"{when} changes it once more")
