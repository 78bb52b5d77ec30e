"""What the core asks of the world; adapters answer."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from reconciler.change import Change
from reconciler.conflict import Conflict
from reconciler.poison import PoisonMessage
from reconciler.wire import Image

Clock = Callable[[], int]
"""Milliseconds since 1970."""

Pause = Callable[[int], None]
"""Waits, with jitter, once the attempt of this number, counted from 1, has lost its race."""

TimeLeft = Callable[[], int]
"""Milliseconds until the deadline."""


@dataclass(frozen=True, slots=True)
class Written:
    """The change was made."""


@dataclass(frozen=True, slots=True)
class Stale:
    """A condition failed, nothing was changed; `current` is what stands there now (None: absent)."""

    current: Image | None


@dataclass(frozen=True, slots=True)
class StaleItems:
    """Conditions of a transaction failed, nothing was changed; what stands there now, by position of the change."""

    currents: Mapping[int, Image | None]


class Table(Protocol):
    """One Region's replica. Faults: TransientError, TooLargeError, ConfigurationError."""

    def read(self, key: Image) -> Image | None:
        """Return the item, read strongly in this Region."""
        ...

    def write(self, change: Change) -> Written | Stale:
        """Make one conditional change."""
        ...

    def transact(self, changes: Sequence[Change], token: str) -> Written | StaleItems:
        """Make all changes or none; the same token within ten minutes is the same call."""
        ...


class PoisonQueue(Protocol):
    """Where what cannot be settled goes, with everything needed to settle it later."""

    def send(self, message: PoisonMessage) -> None:
        """Store the message whole; TransientError where the queue refuses."""
        ...


class Recorder(Protocol):
    """Who is told of each conflict, poison message and fault: best effort, from one thread."""

    def conflict(self, conflict: Conflict, *, repaired: bool) -> None:
        """Tell of one overwritten image: joined back, or lost by policy."""
        ...

    def poisoned(self, message: PoisonMessage) -> None:
        """Tell of one message that the poison queue has."""
        ...

    def failed(self, sequence_numbers: Sequence[str], fault: BaseException) -> None:
        """Tell of records that will be delivered again, and why."""
        ...


class Meter(Protocol):
    """Counts what happens; failures of counting are the meter's own affair."""

    def add(self, name: str, amount: int = 1) -> None:
        """Add to a metric."""
        ...
