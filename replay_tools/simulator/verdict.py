"""Verdict: what the oracle found, as values with a sentence each."""

from dataclasses import dataclass
from enum import Enum


class Wrong(Enum):
    """What may be wrong with a history's end."""

    LOST = "lost"  # an acknowledged write is not in the item, and nobody was told
    DISAGREES = "disagreement"  # an item, or an answer, is not what the requests say
    DIFFERS = "Regions differ"
    NOT_QUIET = "not quiet"  # the worker never comes to an end, or a redelivery changes something
    POISON = "poison"  # something was escalated, or failed, that need not have been


@dataclass(frozen=True, slots=True)
class Violation:
    """One thing that is wrong, with its item (empty: none in particular)."""

    wrong: Wrong
    item: str
    sentence: str

    def __str__(self) -> str:
        """Read as a line."""
        return f"{self.wrong.value}: {self.item}{': ' if self.item else ''}{self.sentence}"
