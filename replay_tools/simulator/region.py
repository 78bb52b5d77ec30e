"""A Region: its replica, its stream, its worker's place in it, and what the worker had to tell."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from reconciler.conflict import Conflict
from reconciler.errors import TransientError
from reconciler.poison import PoisonMessage
from replay_tools.simulator.actors import Record
from replay_tools.simulator.replica import Hazard, Replica, Version

BEGINS_MS = 1_700_000_000_000


@dataclass(slots=True)
class Region:
    """One Region: its stream, how far its worker has come, and what the worker had to tell."""

    name: str
    replica: Replica
    skew_ms: int = 0
    stream: list[Record] = field(default_factory=list)
    position: int = 0
    hazard: Hazard = field(default_factory=lambda: Hazard(None, lambda: None))
    refuses: bool = False
    messages: list[PoisonMessage] = field(default_factory=list)
    conflicts: list[tuple[Conflict, bool]] = field(default_factory=list)
    faults: list[BaseException] = field(default_factory=list)
    repairs: int = 0
    deaths: int = 0

    def send(self, message: PoisonMessage) -> None:
        """Be the poison queue."""
        self.hazard.before()
        if self.refuses:
            raise TransientError("the poison queue refuses")
        self.messages.append(message)
        self.hazard.after()

    def conflict(self, conflict: Conflict, *, repaired: bool) -> None:
        """Be the recorder."""
        self.hazard.before()
        self.conflicts.append((conflict, repaired))
        self.hazard.after()

    def poisoned(self, message: PoisonMessage) -> None:
        """Need no telling: the message is here."""

    def failed(self, _sequence_numbers: Sequence[str], fault: BaseException) -> None:
        """Keep the fault."""
        if not isinstance(fault, TransientError):
            self.faults.append(fault)


def record_of(item: str, old: Version, new: Version, position: int, elapsed_ms: int) -> Record:
    """Return a stream record, as a Lambda trigger delivers it."""
    body: dict[str, Any] = {
        "Keys": {"Id": {"S": item}},
        "SequenceNumber": f"{position + 1:012}",
        "StreamViewType": "NEW_AND_OLD_IMAGES",
        "ApproximateCreationDateTime": (BEGINS_MS + elapsed_ms) // 1000,
    }
    if old.image is not None:
        body["OldImage"] = old.image
    if new.image is not None:
        body["NewImage"] = new.image
    name = "INSERT" if old.image is None else "REMOVE" if new.image is None else "MODIFY"
    return Record(item, old, new, {"eventName": name, "eventSource": "aws:dynamodb", "dynamodb": body})
