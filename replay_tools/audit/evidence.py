"""Evidence: which Region made a version that replaced different versions in different Regions.

    us-east-1   v0 -> y             either y was made here, from v0, and w is lost,
    eu-west-1   v0 -> w -> y        or it was made there, from w, and w was coalesced on its way

Each kind of evidence is asked in turn, the surest first; the first that can tell the candidates apart decides.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

from reconciler.wire import Image, same
from replay_tools.audit.chains import Step, Version
from replay_tools.audit.habits import Habits, difference, number_of

SET_LETTERS = ("SS", "NS", "BS")


class Candidate(NamedTuple):
    """A Region that may have made the version, from what the version replaced there."""

    region: str
    base: Version
    step: Step


class Verdict(NamedTuple):
    """From what the version was made, where (None: in one of several), and how that is known."""

    base: Version
    maker: str | None
    why: str


Rule = Callable[[Image | None, Sequence[Candidate], Habits], tuple[Sequence[Candidate], str]]


def decide(version: Version, habits: Habits) -> Verdict:
    """Say from which of its bases a version was made; where nothing tells, from the oldest: a loss is then assumed."""
    candidates = [Candidate(region, base, step) for region, (base, step) in version.replaced.items()]
    for rule in RULES:
        left, why = rule(version.image, candidates, habits)
        if len({candidate.base for candidate in left}) == 1:
            return Verdict(left[0].base, earliest(left), why)
        candidates = list(left) or candidates
    oldest = min(candidates, key=lambda candidate: candidate.base.depth)
    same_base = [candidate for candidate in candidates if candidate.base is oldest.base]
    return Verdict(oldest.base, earliest(same_base), "nothing tells whether it was overwritten or coalesced on its way")


def earliest(candidates: Sequence[Candidate]) -> str | None:
    """Return the Region that shows a version first; None where more than one may."""
    if len(candidates) == 1:
        return candidates[0].region
    first = by_time(None, candidates, Habits())[0]
    return first[0].region if len(first) == 1 else None


def by_region(image: Image | None, candidates: Sequence[Candidate], habits: Habits) -> tuple[Sequence[Candidate], str]:
    """Keep the Region that the item itself names."""
    for name in sorted(habits.regions & (image or {}).keys()):
        named = [candidate for candidate in candidates if candidate.region == (image or {})[name].get("S")]
        if named:
            return named, f"{name} names the Region that made the winner"
    return candidates, ""


def by_step(image: Image | None, candidates: Sequence[Candidate], habits: Habits) -> tuple[Sequence[Candidate], str]:
    """Keep the bases that are one step of a version number away."""
    for name, step in sorted(habits.steps.items()):
        fitting = [candidate for candidate in candidates if _grew(candidate.base.image, image, name) == step]
        if fitting and len(fitting) < len(candidates):
            return fitting, f"{name} says from which version the winner was made"
    return candidates, ""


def by_clock(image: Image | None, candidates: Sequence[Candidate], habits: Habits) -> tuple[Sequence[Candidate], str]:
    """Leave out bases that the item itself says are younger."""
    for name in sorted(habits.clocks):
        older = [candidate for candidate in candidates if not _is_younger(candidate.base.image, image, name)]
        if older and len(older) < len(candidates):
            return older, f"{name} of the winner is before that of what it overwrote"
    return candidates, ""


def by_time(_image: Image | None, candidates: Sequence[Candidate], _habits: Habits) -> tuple[Sequence[Candidate], str]:
    """Keep the Region whose record is older: it is rounded, so that equal times say nothing."""
    times = [candidate.step.at_ms for candidate in candidates]
    if None in times:
        return candidates, ""
    first = [candidate for candidate in candidates if candidate.step.at_ms == min(times, key=lambda ms: ms or 0)]
    return first, "the winner's record is older in the Region that made it"


def by_content(image: Image | None, candidates: Sequence[Candidate], habits: Habits) -> tuple[Sequence[Candidate], str]:
    """Keep the bases from which the fewest changes lead to the winner: what a write did not touch, it kept."""
    if image is None:
        return candidates, ""
    changes = [distance(candidate.base.image, image, habits.names) for candidate in candidates]
    fewest = [candidate for candidate, count in zip(candidates, changes, strict=True) if count == min(changes)]
    return fewest, "the winner has what only the version before it had, and none of what was overwritten"


def by_activity(
    _image: Image | None, candidates: Sequence[Candidate], habits: Habits
) -> tuple[Sequence[Candidate], str]:
    """Leave out Regions that write nothing of their own: what they show was coalesced on its way to them."""
    return [
        candidate for candidate in candidates if candidate.region not in habits.passive
    ], "the other Region is passive"


RULES: tuple[Rule, ...] = (by_region, by_step, by_time, by_clock, by_content, by_activity)


def distance(old: Image | None, new: Image, ignored: frozenset[str] = frozenset()) -> int:
    """Return how many values have to change: of maps, their members, and of sets, their elements."""
    before: Mapping[str, Any] = old or {}
    names = (before.keys() | new.keys()) - ignored
    return sum(_changes(before.get(name), new.get(name)) for name in names)


def _changes(old: Mapping[str, Any] | None, new: Mapping[str, Any] | None) -> int:
    if same(old, new):
        return 0
    if old is None or new is None:
        return 1
    if isinstance(old.get("M"), dict) and isinstance(new.get("M"), dict):
        return distance(old["M"], new["M"])
    for letter in SET_LETTERS:
        if letter in old and letter in new:
            return len(set(old[letter]) ^ set(new[letter]))
    if isinstance(old.get("L"), list) and isinstance(new.get("L"), list):
        return _list_changes(old["L"], new["L"])
    return 1


def _list_changes(old: Sequence[Any], new: Sequence[Any]) -> int:
    changed = sum(not same(left, right) for left, right in zip(old, new, strict=False))
    return changed + abs(len(old) - len(new))


def _grew(old: Image | None, new: Image | None, name: str) -> Any:  # noqa: ANN401 - a number, or nothing
    if not new or name not in new:
        return None
    return difference((old or {}).get(name, {"N": "0"}), new[name])


def _is_younger(old: Image | None, new: Image | None, name: str) -> bool:
    """Say whether `old` has the later time."""
    if not old or not new or name not in old or name not in new:
        return False
    before, after = number_of(old[name]), number_of(new[name])
    if before is not None and after is not None:
        return before > after
    texts = old[name].get("S"), new[name].get("S")
    return isinstance(texts[0], str) and isinstance(texts[1], str) and texts[0] > texts[1]
