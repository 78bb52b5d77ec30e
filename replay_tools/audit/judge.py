r"""Judge: what one item lost, from every Region's records of it.

A version X that Y replaced in some Region is lost unless Y was made from it. Each version has one base, so that what a
version includes is a path in a tree:

    us-east-1   v0 -> y                     y was made from v0:   v0 - w1 - w2
    eu-west-1   v0 -> w1 -> w2 -> y         w1 and w2 are lost       \ y
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import NamedTuple

from reconciler.errors import ItemError
from reconciler.wire import Image
from replay_tools.audit.chains import Step, Version, versions_of
from replay_tools.audit.evidence import decide
from replay_tools.audit.exact import Ledgers, has_ledgers, judge_ledgers
from replay_tools.audit.finding import LostWrite, lost_attributes
from replay_tools.audit.habits import Habits, Learner

Steps = Mapping[str, Sequence[Step]]


def learn(steps: Steps, learner: Learner) -> None:
    """Let the learner see every step of an item whose base nobody disputes, and where each version came first."""
    for version in versions_of(steps):
        bases = version.bases()
        if len(bases) == 1:
            maker = next(iter(version.replaced)) if len(version.replaced) == 1 else None
            learner.see(bases[0].image, version.image, maker)
        learner.see_times({region: step.at_ms for region, (_, step) in version.replaced.items()})


def judge(key: Image, steps: Steps, habits: Habits, ledgers: Ledgers) -> list[LostWrite]:
    """Return the item's lost writes: by its ledgers where it has them, else by its images alone."""
    if not has_ledgers(steps):
        return judge_images(key, steps, habits)
    try:
        by_ledger = judge_ledgers(key, steps, ledgers)
    except ItemError:
        return judge_images(key, steps, habits)
    return by_ledger + judge_images(key, steps, habits, only_removed=True)


def judge_images(key: Image, steps: Steps, habits: Habits, *, only_removed: bool = False) -> list[LostWrite]:
    """Return the lost writes in the order in which they were made; of those whose winner left nothing, if asked so."""
    versions = versions_of(steps)
    known_habits = replace(habits, keys=frozenset(key))
    why = {version: _place(version, known_habits) for version in versions}
    lost: dict[Version, LostWrite] = {}
    for winner in versions:
        if only_removed and winner.image is not None:
            continue
        for region, (replaced, step) in winner.replaced.items():
            for version in replaced.path_above(winner):
                finding = _finding(key, version, Overwriting(winner, step, why[winner]))
                known = lost.get(version)
                if finding and (known is None or finding.region == region != known.overwritten_in):
                    lost[version] = finding
    return [lost[version] for version in versions if version in lost]


def _place(version: Version, habits: Habits) -> str:
    """Give a version its base, maker and depth; return how they are known."""
    if not version.replaced:
        return ""
    verdict = decide(version, habits)
    version.parent, version.maker = verdict.base, verdict.maker
    version.depth = verdict.base.depth + 1
    return verdict.why


class Overwriting(NamedTuple):
    """Which version overwrote, in which record, and how its base is known."""

    winner: Version
    step: Step
    why: str


def _finding(key: Image, version: Version, by: Overwriting) -> LostWrite | None:
    """Return the loss; None where the version was there before the recordings, or the winner has all it changed."""
    if not version.replaced or version.parent is None:
        return None
    attributes = tuple(lost_attributes(key, version.parent.image, version.image, by.winner.image))
    if not attributes:
        return None
    maker, own = _own_record(version)
    is_repeated = version.is_repeated or by.winner.is_repeated
    notes = [
        by.why,
        "its image comes back in this item" if is_repeated else "",
        "" if version.maker else f"made in one of {', '.join(version.replaced)}",
    ]
    return LostWrite(
        region=maker,
        key=key,
        sequence_number=own.sequence_number,
        attributes=attributes,
        exactness="approximate",
        why="; ".join(filter(None, notes)),
        at_ms=own.at_ms,
        overwritten_in=by.step.region,
        overwritten_by=by.step.sequence_number,
        made_in=by.winner.maker,
    )


def _own_record(version: Version) -> tuple[str, Step]:
    """Return the Region that made the version, and its record there."""
    if version.maker is not None:
        return version.maker, version.replaced[version.maker][1]
    region, (_, step) = next(iter(version.replaced.items()))
    return region, step
