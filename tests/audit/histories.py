"""Histories of one item in a few letters: ``us="B W Y", eu="B Y"`` are the versions that each replica held in turn.

A letter names an image; ``-`` is no item. What stands first in a Region was there before its recording.
"""

from collections.abc import Mapping

from reconciler.wire import Image
from replay_tools.audit.chains import Step
from replay_tools.audit.exact import Ledgers
from replay_tools.audit.finding import LostWrite
from replay_tools.audit.habits import Learner
from replay_tools.audit.judge import judge, learn

KEY: Image = {"Id": {"S": "x"}}
NAMES = {"us": "us-east-1", "eu": "eu-west-1", "ap": "ap-south-1"}


def image(attributes: Mapping[str, object]) -> Image:
    """Return an item: whole numbers are numbers, sets are sets of text, all else is text."""
    return {**KEY, **{name: value_of(value) for name, value in attributes.items()}}


def value_of(value: object) -> Mapping[str, object]:
    """Return a value in wire form."""
    if isinstance(value, int):
        return {"N": str(value)}
    return {"SS": sorted(value)} if isinstance(value, set) else {"S": str(value)}


def steps_of(
    images: Mapping[str, Mapping[str, object]], times: Mapping[str, str] | None = None, **chains: str
) -> dict[str, list[Step]]:
    """Return each Region's records; `times` are seconds, one for each record, and else all equal."""
    steps: dict[str, list[Step]] = {}
    for short, chain in chains.items():
        held = [None if name == "-" else image(images.get(name, {"Data": name})) for name in chain.split()]
        seconds = (times or {}).get(short, "0 " * len(held)).split()
        steps[NAMES[short]] = [
            Step(NAMES[short], old, new, f"{short}{number}", int(second) * 1000)
            for number, (old, new, second) in enumerate(zip(held, held[1:], seconds, strict=False), 1)
        ]
    return steps


def lost(
    images: Mapping[str, Mapping[str, object]] | None = None, times: Mapping[str, str] | None = None, **chains: str
) -> list[LostWrite]:
    """Return what the item lost."""
    steps = steps_of(images or {}, times, **chains)
    learner = Learner(steps)
    learn(steps, learner)
    return judge(KEY, steps, learner.habits(), Ledgers.of(None))


def numbers(found: list[LostWrite]) -> list[str]:
    """Return the lost writes' own sequence numbers, which begin with their Region's letters."""
    return [finding.sequence_number for finding in found]
