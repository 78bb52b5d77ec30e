"""Play: one history through the world and through the plain table, with what both came to."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from replay_tools.simulator.generate import History, generate
from replay_tools.simulator.language import write
from replay_tools.simulator.oracle import judge
from replay_tools.simulator.plain_table import PlainTable
from replay_tools.simulator.quiet import diverged_items
from replay_tools.simulator.shrink import shrink
from replay_tools.simulator.steps import Step
from replay_tools.simulator.verdict import Violation
from replay_tools.simulator.workloads import Workload
from replay_tools.simulator.world import World


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a history came to."""

    violations: Sequence[Violation]
    counts: Counter[str]


def play(history: History) -> Outcome:
    """Play the history, settle everything, and judge it."""
    world = World(history.workload.policy, history.skew_ms)
    world.play(history.steps)
    world.settle()
    counts = _counts(world, history)
    return Outcome(judge(world, history.workload.troubles), counts)


def check(workload: Workload, seed: int) -> Outcome:
    """Make the seed's history and play it."""
    return play(generate(workload, seed))


def explain(history: History, violation: Violation) -> str:
    """Return the fewest steps that still go wrong in this way, readably, and what then is wrong."""

    def fails(steps: Sequence[Step]) -> bool:
        return any(_is_alike(found, violation) for found in play(_with(history, steps)).violations)

    steps = shrink(history.steps, fails)
    found = next(found for found in play(_with(history, steps)).violations if _is_alike(found, violation))
    skews = ", ".join(f"{region} {ms:+d} ms" for region, ms in history.skew_ms.items())
    return f"clocks: {skews}\n{write(steps)}\n--> {found}"


def _with(history: History, steps: Sequence[Step]) -> History:
    return History(history.workload, history.skew_ms, tuple(steps))


def _is_alike(found: Violation, violation: Violation) -> bool:
    return found.wrong is violation.wrong


def _counts(world: World, history: History) -> Counter[str]:
    regions = world.regions.values()
    plain = PlainTable(world.policy.regions)
    plain.play(history.steps)
    plain.settle()
    conflicts = {
        (conflict.key["Id"]["S"], conflict.writes or conflict.sequence_number)
        for region in regions
        for conflict, _ in region.conflicts
    }
    return Counter(
        steps=len(history.steps),
        requests=len(world.answers),
        executions=len(world.executions),
        duplicates=sum(
            answer.result is not None and answer.result["status"] == "duplicate" for answer in world.answers
        ),
        conflicts=len(conflicts),
        repairs=sum(region.repairs for region in regions),
        crashes=sum(region.deaths for region in regions),
        escalated=len({message.id for region in regions for message in region.messages}),
        diverged=len(diverged_items(world)),
        lost_without_worker=plain.lost(),
    )
