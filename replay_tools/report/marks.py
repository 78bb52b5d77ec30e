"""Marks: what the page draws, one for each record, from the quietest kind to the loudest."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import Enum

from replay_tools.report.seen import Seen


class Kind(Enum):
    """What a record is in the history of its item."""

    WRITE = "write"  # made in this Region
    REPLICATION = "replication"  # another Region's version, arrived here
    REPAIR = "repair"  # what this replica had forgotten, joined back
    DUPLICATE = "duplicate"  # a request executed again, or a record delivered again
    ATTENTION = "attention"  # the writer was bypassed, or the record waits for a person
    OVERWRITTEN = "overwritten"  # last writer wins took it, or would have


@dataclass(slots=True, eq=False)
class Mark:
    """A record as it is drawn."""

    seen: Seen
    lane: int
    kind: Kind = Kind.WRITE
    source: "Mark | None" = None
    """The mark in another lane that this version comes from."""
    overwrote: "Mark | None" = None
    """The mark in the same lane whose version this one took."""
    lost: tuple[str, ...] = ()
    """Attributes whose value the winner does not hold."""
    verdict: Seen | None = None
    """The record that was judged, where it is another: what took this version."""
    remarks: list[str] = field(default_factory=list)
    x_us: int = 0
    """Where it is drawn: microseconds after the first moment, in order within equal times."""

    @property
    def judged(self) -> Seen:
        """What the worker's decision about this mark is to be read from."""
        return self.verdict or self.seen

    @property
    def says(self) -> list[str]:
        """What is to be said of it, the loudest first."""
        return [*self.remarks, *self.judged.says]


def take(replaced: Mark | None, by: Mark | None, kind: Kind, lost: Iterable[str] = ()) -> Mark | None:
    """Let `by` be what took `replaced`; return the mark that stands for the loss, whichever the recordings hold."""
    target = replaced or by
    if target is None:
        return None
    target.kind = kind
    target.lost = tuple(sorted({*target.lost, *lost}))
    if replaced and by:
        by.overwrote = replaced
        replaced.verdict = by.seen
    return target
