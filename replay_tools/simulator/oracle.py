"""The oracle: says what is wrong with the end of a history, from the requests and what each execution had seen.

Checked: every execution of the final life is in the item, or somebody was told; every attribute is what its executions
make of it; all Regions hold equal bytes; the worker comes to an end, and a redelivery of everything changes nothing;
nothing was escalated without a reason. What clients were told is judged in `answers`.
"""

from collections.abc import Iterator, Sequence

from reconciler.conflict import Conflict
from reconciler.decisions import Trouble
from reconciler.policy import CAUSALITY, EXPIRES_AT, IDEMPOTENCY_KEY, LAST_REGION, TIMESTAMP, VERSION
from reconciler.stamps import Stamp, ms_of, write_id
from reconciler.wire import Image, Value
from replay_tools.simulator.actors import horizon_of, named
from replay_tools.simulator.answers import judge_answers
from replay_tools.simulator.expectation import attributes, leaves, wire
from replay_tools.simulator.quiet import diverged_items, judge_redelivery
from replay_tools.simulator.truth import NOTHING, Execution, Truth, numbers
from replay_tools.simulator.verdict import Violation, Wrong
from replay_tools.simulator.world import World


def judge(world: World, expected_troubles: frozenset[Trouble] = frozenset()) -> list[Violation]:
    """Return what is wrong with a world that has settled."""
    found = [*judge_poison(world, expected_troubles)]
    if not world.is_quiet:
        return [*found, Violation(Wrong.NOT_QUIET, "", "the workers never come to an end")]
    for item in world.replicas.items():
        executions = [execution for execution in world.executions if execution.ask.item == item]
        found += judge_item(world, item, executions)
        found += _judge_beaten(world, item, executions)
    found += judge_answers(world, diverged_items(world))
    found += judge_redelivery(world)
    return found


def judge_poison(world: World, expected: frozenset[Trouble] = frozenset()) -> Iterator[Violation]:
    """Say what was escalated without a reason, and where a worker failed."""
    reasons = {trouble.value for trouble in expected}
    for region in world.regions.values():
        for message in region.messages:
            is_consequence = message.reason != Trouble.DIVERGED.value and message.key["Id"]["S"] in diverged_items(
                world
            )
            if message.reason not in reasons and not is_consequence:
                sentence = f"Region {region.name} escalated {message.reason}: {message.detail}"
                yield Violation(Wrong.POISON, message.key["Id"]["S"], sentence)
        for fault in region.faults:
            yield Violation(Wrong.POISON, "", f"the worker of Region {region.name} failed: {fault!r}")


def judge_item(world: World, item: str, executions: Sequence[Execution]) -> list[Violation]:
    """Say what is wrong with an item, of which these executions were made."""
    if item in diverged_items(world):
        return []
    versions = {region: world.get(region, item) for region in world.regions}
    first, *others = versions.values()
    if any(other.image != first.image for other in others):
        shown = "; ".join(f"{region} {_shown(version.image)}" for region, version in versions.items())
        return [Violation(Wrong.DIFFERS, item, shown)]
    truth = _truth_of(world, item, executions)
    missing = [world.executions[number] for number in numbers(truth.seen & ~first.truth.seen)]
    if missing:
        return [Violation(Wrong.LOST, item, f"{_named(missing)} never came back")]
    return list(_judge_image(world, item, first.image, truth))


def _truth_of(world: World, item: str, executions: Sequence[Execution]) -> Truth:
    """Return what the item must have seen; what was deleted past the writer, or swept, nobody can say from outside."""
    if item in world.foreign or item in world.swept:
        return world.get(world.policy.regions[0], item).truth
    return final_truth(executions)


def final_truth(executions: Sequence[Execution]) -> Truth:
    """Return what must be seen in the end: everything of the last life, and what its delete had seen."""
    truth = NOTHING
    for execution in executions:
        truth = truth.joined(execution.truth)
    return truth


def _judge_image(world: World, item: str, image: Image | None, truth: Truth) -> Iterator[Violation]:
    if image is None:
        if truth != NOTHING:
            yield Violation(Wrong.LOST, item, "the item is gone")
        return
    foreign = world.foreign.get(item, set())
    expected = attributes(leaves(truth, world.executions, world.policy))
    actual = {name: value for name, value in image.items() if world.policy.is_users(name)}
    for name in sorted((expected.keys() | actual.keys()) - foreign):
        if expected.get(name) != actual.get(name):
            sentence = f"{name} is {_value(actual.get(name))}, the requests make it {_value(expected.get(name))}"
            yield Violation(Wrong.DISAGREES, item, sentence)
    if not foreign:
        yield from _judge_bookkeeping(world, item, image, truth)


def _judge_bookkeeping(world: World, item: str, image: Image, truth: Truth) -> Iterator[Violation]:
    seen = [world.executions[number] for number in numbers(truth.seen)]
    live = [execution for execution in seen if execution.life == truth.life]
    newest = max(live, key=_newest_order)
    expected = {
        VERSION: wire(world.version_of(truth)),
        TIMESTAMP: wire(ms_of(Stamp(newest.value_stamp))),
        IDEMPOTENCY_KEY: wire(newest.request.key),
        LAST_REGION: wire(newest.region),
    }
    for name, value in expected.items():
        if image.get(name) != value:
            yield Violation(Wrong.DISAGREES, item, f"{name} is {_value(image.get(name))}, not {_value(value)}")
    is_tombstone = all(execution.ask.deletes for execution in live)
    if (EXPIRES_AT in image) != is_tombstone:
        yield Violation(Wrong.DISAGREES, item, f"it {'has no' if is_tombstone else 'has an'} ExpiresAt")


def _newest_order(execution: Execution) -> tuple[int, str, str]:
    return execution.value_stamp, execution.request.key, execution.region


def _judge_beaten(world: World, item: str, executions: Sequence[Execution]) -> Iterator[Violation]:
    """Say what a delete beat without anybody being told; a worker that died may have died before telling."""
    if any(region.deaths for region in world.regions.values()) or item in diverged_items(world):
        return
    truth = _truth_of(world, item, executions)
    expired = world.swept.get(item, 0)
    included = {world.executions[number].request.key for number in numbers(truth.seen | expired)}
    beaten = [one for one in executions if one.request.key not in included]
    told, anonymous = _told(world, item)
    silent = [one for one in beaten if write_id(one.request.key) not in told and one.stamp > anonymous]
    if silent:
        yield Violation(Wrong.LOST, item, f"{_named(silent)} went, and nobody was told")


def _told(world: World, item: str) -> tuple[set[str], int]:
    """Return the writes that somebody was told of by name, and up to which stamp without names: what was folded."""
    told: set[str] = set()
    horizons = [0]
    for region in world.regions.values():
        for conflict, _ in region.conflicts:
            if conflict.key["Id"]["S"] == item:
                told.update(conflict.writes, _hidden(conflict))
                horizons.append(horizon_of(conflict.loser))
        for message in region.messages:
            if message.key["Id"]["S"] == item:
                told.update(named(message.old_image))
                horizons.append(horizon_of(message.old_image))
    return told, max(horizons)


def _hidden(conflict: Conflict) -> set[str]:
    """Return the loser's writes that the winner may or may not have folded: nobody can tell, the loser is shown."""
    horizon = max(horizon_of(conflict.winner), horizon_of(conflict.merged))
    return {identity for identity, stamps in named(conflict.loser).items() if max(stamps) <= horizon}


def _named(executions: Sequence[Execution]) -> str:
    return ", ".join(f"#{execution.request.key} (Region {execution.region})" for execution in executions)


def _value(value: Value | None) -> str:
    return "absent" if value is None else str(next(iter(value.values())))


def _shown(image: Image | None) -> str:
    return (
        "nothing"
        if image is None
        else " ".join(f"{name}={_value(value)}" for name, value in image.items() if name != CAUSALITY)
    )
