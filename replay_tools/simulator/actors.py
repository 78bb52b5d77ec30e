"""Actors: a client and a worker, and what their writes have seen."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from reconciler.policy import CAUSALITY, EXPIRES_AT, OnHardDelete
from reconciler.stamps import client_stamp, write_id
from reconciler.wire import Image, Value
from replay_tools.simulator.replica import Hazard, Version
from replay_tools.simulator.steps import Ask, Request, Scalar
from replay_tools.simulator.truth import Execution, Truth, numbers


@dataclass(frozen=True, slots=True)
class Record:
    """One stream record, with what both of its versions had seen."""

    item: str
    old: Version
    new: Version
    raw: Mapping[str, Any]

    @property
    def overwrote_expired(self) -> bool:
        """Whether the old version was a tombstone past its time, which counts as included in anything."""
        expires_at = (self.old.image or {}).get(EXPIRES_AT)
        return expires_at is not None and int(expires_at["N"]) <= self.raw["dynamodb"]["ApproximateCreationDateTime"]


@dataclass(slots=True)
class Client:
    """One request at work; every write of an item that succeeds is an execution."""

    request: Request
    hazard: Hazard
    executions: list[Execution]
    """Every execution of the history."""
    begins_ms: int
    basis: dict[str, Version] = field(default_factory=dict)
    """What it read last of each item."""
    made: list[int] = field(default_factory=list)

    def saw(self, item: str, version: Version) -> None:
        """Take note of what was read."""
        self.basis[item] = version

    def truth_of(self, item: str, _current: Version, image: Image) -> Truth:
        """Enter one execution, which has seen what its client had read."""
        ask = next(ask for ask in self.request.asks if ask.item == item)
        basis, found = self.basis[item].truth, self.basis[item].image
        stamp = max(map(int, writes_of(image).get(write_id(self.request.key), {"NS": ["0"]})["NS"]))
        execution = Execution(
            len(self.executions),
            self.request.region,
            ask,
            self.request,
            stamp,
            self._value_stamp(ask, stamp),
            basis,
            self._generation(basis),
            horizon_of(found),
        )
        self.executions.append(execution)
        self.made.append(execution.number)
        return execution.truth

    def _generation(self, basis: Truth) -> int:
        seen = (self.executions[number] for number in numbers(basis.seen))
        return max((1 + one.generation for one in seen if one.request.key == self.request.key), default=0)

    def _value_stamp(self, ask: Ask, stamp: int) -> int:
        if self.request.timestamp_ms is None or ask.deletes:
            return stamp
        return client_stamp(self.begins_ms + self.request.timestamp_ms, write_id(self.request.key))


@dataclass(slots=True)
class Repairer:
    """One run of a Region's worker over some records."""

    records: Sequence[Record]
    hazard: Hazard
    executions: Sequence[Execution]
    hard_delete: OnHardDelete
    writes: int = 0

    def saw(self, item: str, version: Version) -> None:
        """Need no note: a repair joins what the records show into what stands there."""

    def truth_of(self, item: str, current: Version, image: Image) -> Truth:
        """Join into what stood there what the records show to be lost, then what else was joined to be seen."""
        self.writes += 1
        truth, writes = current.truth, named(image)
        mine = [record for record in self.records if record.item == item]
        for record in filter(self._lost, mine):
            truth = truth.joined(record.old.truth)
        for record in mine:  # after what is sure: only what that does not explain shows that more was joined
            if not truth.includes(record.old.truth) and self._names_more(writes, record.old.truth.seen & ~truth.seen):
                truth = truth.joined(record.old.truth)
        return truth

    def _lost(self, record: Record) -> bool:
        if record.overwrote_expired:
            return False
        if record.new.image is None:
            return self.hard_delete is OnHardDelete.RESTORE
        return not record.new.truth.includes(record.old.truth)

    def _names_more(self, writes: Mapping[str, set[int]], unseen: int) -> bool:
        """Say whether an old image went in that need not have: where the horizon hides it, nobody can tell."""
        executions = [self.executions[number] for number in numbers(unseen)]
        return any(execution.stamp in writes.get(write_id(execution.request.key), ()) for execution in executions)


def named(image: Image | None) -> dict[str, set[int]]:
    """Return the executions that an image's ledger names, read from the wire."""
    return {identity: set(map(int, stamps["NS"])) for identity, stamps in writes_of(image).items()}


def writes_of(image: Image | None) -> Mapping[str, Value]:
    """Return an image's ledger, as it stands on the wire."""
    writes: Mapping[str, Value] = (image or {}).get(CAUSALITY, {}).get("M", {}).get("Writes", {}).get("M", {})
    return writes


def horizon_of(image: Image | None) -> int:
    """Return the horizon of an image's ledger, read from the wire."""
    return int((image or {}).get(CAUSALITY, {}).get("M", {}).get("Horizon", {}).get("N", 0))


def event_of(ask: Ask, request: Request, begins_ms: int) -> dict[str, Any]:
    """Return one ask as the writer's own request."""
    event: dict[str, Any] = {"Id": ask.item}
    operations: Mapping[str, Any] = {
        "Set": {name: _plain(value) for name, value in ask.sets},
        "Remove": list(ask.removes),
        "Add": dict(ask.adds),
        "AddToSet": {name: sorted(elements) for name, elements in ask.elements_added},
        "RemoveFromSet": {name: sorted(elements) for name, elements in ask.elements_removed},
        "Delete": ask.deletes,
    }
    event.update((name, operation) for name, operation in operations.items() if operation)
    if len(request.asks) == 1:
        event["IdempotencyKey"] = request.key
        event.update(_timestamp(request, begins_ms))
        if request.expected_version is not None:
            event["ExpectedVersion"] = request.expected_version
    return event


def _timestamp(request: Request, begins_ms: int) -> dict[str, int]:
    return {} if request.timestamp_ms is None else {"Timestamp": begins_ms + request.timestamp_ms}


def _plain(value: Scalar) -> Any:  # noqa: ANN401 - a plain value
    return set(value) if isinstance(value, frozenset) else value
