"""Steps: a history is a list of these values, so that it can be generated, printed, replayed and shrunk.

A step whose precondition does not hold (nothing is under way, nothing to sweep) is skipped: every sublist of a history
is a history.
"""

from dataclasses import dataclass
from enum import Enum

Scalar = str | int | frozenset[str]


class When(Enum):
    """On which side of an effect a process dies."""

    BEFORE = "before"
    AFTER = "after"
    ECHO = "echo"
    """It lives, but the answer to its write is lost; the call is repeated, and meets its own effect."""


@dataclass(frozen=True, slots=True)
class Fault:
    """A process dies at its effect of this number, counted from 1; or, in a worker's run, the queue refuses."""

    when: When | None
    effect: int = 1


REFUSAL = Fault(None, 0)


@dataclass(frozen=True, slots=True)
class Ask:
    """What a request asks of one item."""

    item: str
    sets: tuple[tuple[str, Scalar], ...] = ()
    removes: tuple[str, ...] = ()
    adds: tuple[tuple[str, int], ...] = ()
    elements_added: tuple[tuple[str, frozenset[str]], ...] = ()
    elements_removed: tuple[tuple[str, frozenset[str]], ...] = ()
    deletes: bool = False


@dataclass(frozen=True, slots=True)
class Request:
    """A client's request to one Region; several asks are a transaction."""

    region: str
    asks: tuple[Ask, ...]
    key: str
    timestamp_ms: int | None = None
    """The client's own time, counted from the beginning of the history."""
    expected_version: int | None = None
    fault: Fault | None = None
    meanwhile: "tuple[Step, ...]" = ()
    """What happens between its read and its write."""


@dataclass(frozen=True, slots=True)
class Deliver:
    """What is under way on a link arrives: one item, or every one."""

    source: str
    target: str
    item: str | None = None


@dataclass(frozen=True, slots=True)
class Work:
    """A Region's worker gets its next records."""

    region: str
    records: int
    fault: Fault | None = None
    meanwhile: "tuple[Step, ...]" = ()
    """What happens before its first write."""


@dataclass(frozen=True, slots=True)
class Rewind:
    """A Region's worker will get its last records again."""

    region: str
    records: int


@dataclass(frozen=True, slots=True)
class Cut:
    """Two Regions are parted."""

    one: str
    other: str


@dataclass(frozen=True, slots=True)
class Heal:
    """Two Regions are joined again."""

    one: str
    other: str


@dataclass(frozen=True, slots=True)
class Wait:
    """Time passes in every Region."""

    ms: int


@dataclass(frozen=True, slots=True)
class Foreign:
    """Someone sets or removes (None) one attribute without the writer; or deletes the item for good (no attribute)."""

    region: str
    item: str
    attribute: str | None = None
    value: str | None = None


@dataclass(frozen=True, slots=True)
class Sweep:
    """TTL removes what has expired in one Region."""

    region: str


@dataclass(frozen=True, slots=True)
class Settle:
    """Everything arrives and every worker runs until nothing is left to do."""


Step = Request | Deliver | Work | Rewind | Cut | Heal | Wait | Foreign | Sweep | Settle
