"""Report: what came of the demo, as numbers, and what of it must not be."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from reconciler.poison import PoisonMessage
from replay_tools.demo.verdict import Verdict


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of one world."""

    writes_acknowledged: int
    duplicates_suppressed: int
    """Answers that were given for a write that had been made before, by either Region."""
    writes_overwritten: int
    """Acknowledged writes that last writer wins took from a Region, or from all of them."""
    repairs: int
    writes_lost: int
    balance_missing: int
    balance_counted_twice: int
    items_differing: tuple[str, ...]
    poison_messages: int
    poison_with_both_images: int
    converged_after_ms: int | None
    """From the last answer to the last movement; None where it never became quiet."""


def outcome_of(  # noqa: PLR0913 - one for each source of a number
    *,
    answers: int,
    acknowledged: int,
    verdict: Verdict,
    overwritten: int | None,
    repairs: int,
    poison: Sequence[PoisonMessage],
    converged_after_ms: int | None,
) -> Outcome:
    """Return the numbers; without a worker (`overwritten` None) what was overwritten is what was lost.

    A message that comes from both Regions has one id, and is one.
    """
    messages = {message.id: message for message in poison}
    whole = [message for message in messages.values() if message.old_image and message.new_image]
    return Outcome(
        writes_acknowledged=acknowledged,
        duplicates_suppressed=answers - acknowledged,
        writes_overwritten=len(verdict.lost) if overwritten is None else overwritten,
        repairs=repairs,
        writes_lost=len(verdict.lost),
        balance_missing=verdict.balance_missing,
        balance_counted_twice=verdict.balance_excess,
        items_differing=verdict.differing,
        poison_messages=len(messages),
        poison_with_both_images=len(whole),
        converged_after_ms=converged_after_ms,
    )


@dataclass(frozen=True, slots=True)
class Report:
    """What came of the demo: the same writes with the workers, and without them."""

    seed: int
    seconds: float
    guarded: Outcome
    unguarded: Outcome
    poison_expected: int

    @property
    def problems(self) -> tuple[str, ...]:
        """What must not be, with the workers; empty where all is well."""
        outcome = self.guarded
        found: Mapping[str, bool] = {
            f"acknowledged writes that are lost: {outcome.writes_lost}": outcome.writes_lost > 0,
            f"missing from the balances: {outcome.balance_missing}": outcome.balance_missing > 0,
            f"counted twice in the balances: {outcome.balance_counted_twice}": outcome.balance_counted_twice > 0,
            f"items that differ between the Regions: {len(outcome.items_differing)}": bool(outcome.items_differing),
            "replication or a worker never became quiet": outcome.converged_after_ms is None,
            f"poison messages: {outcome.poison_messages}, with both images: {outcome.poison_with_both_images}, "
            f"expected: {self.poison_expected}": self._is_poison_wrong,
        }
        return tuple(problem for problem, is_there in found.items() if is_there)

    @property
    def _is_poison_wrong(self) -> bool:
        return {self.guarded.poison_messages, self.guarded.poison_with_both_images} != {self.poison_expected}

    def as_data(self) -> dict[str, Any]:
        """Return everything as JSON holds it."""
        return {
            "seed": self.seed,
            "seconds": self.seconds,
            "ok": not self.problems,
            "problems": list(self.problems),
            "with_worker": _as_data(self.guarded),
            "without_worker": _as_data(self.unguarded),
        }


def _as_data(outcome: Outcome) -> dict[str, Any]:
    return {**asdict(outcome), "items_differing": list(outcome.items_differing)}
