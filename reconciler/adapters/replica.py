"""One Region's replica in DynamoDB, whichever client carries the requests.

Every write is conditional, so each may be repeated after an unknown outcome.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from reconciler.adapters.binary import to_boto
from reconciler.adapters.conditions import holds
from reconciler.adapters.expressions import request_for
from reconciler.adapters.fault_codes import fault_of_reasons
from reconciler.change import Change
from reconciler.ports import Stale, StaleItems, Written
from reconciler.wire import Image

CONDITION_FAILED = "ConditionalCheckFailedException"
CANCELED = "TransactionCanceledException"
REFUSALS = frozenset({CONDITION_FAILED, CANCELED})
"""The error codes that are outcomes of a conditional write, and no faults."""

Answer = tuple[str | None, Mapping[str, Any]]
"""The code of a refusal, or None; and what was answered, its items on the core's wire."""


class Call(Protocol):
    """Carries one request to DynamoDB."""

    def __call__(self, action: str, parameters: Mapping[str, Any]) -> Answer:
        """Return the answer; whatever is neither an answer nor one of REFUSALS is raised as a fault."""
        ...


class Replica:
    """A table in DynamoDB."""

    def __init__(self, call: Call, name: str) -> None:
        """Read and write the table `name` by `call`."""
        self._call = call
        self._name = name

    def read(self, key: Image) -> Image | None:
        """Return the item, read strongly in this Region."""
        parameters = {"TableName": self._name, "Key": to_boto(key), "ConsistentRead": True}
        image: Image | None = self._call("GetItem", parameters)[1].get("Item")
        return image

    def write(self, change: Change) -> Written | Stale:
        """Make one conditional change; one that changes nothing only asks, which costs a read and no write."""
        action, request = request_for(change, self._name)
        if action == "ConditionCheck":
            current = self.read(change.key)
            return Written() if holds(change, current) else Stale(current)
        refusal, answer = self._call(f"{action}Item", request)
        return Stale(_shown(answer)) if refusal else Written()

    def transact(self, changes: Sequence[Change], token: str) -> Written | StaleItems:
        """Make all changes or none; the same token, of at most 36 characters, within ten minutes is the same call."""
        items = [dict([request_for(change, self._name)]) for change in changes]
        refusal, answer = self._call("TransactWriteItems", {"TransactItems": items, "ClientRequestToken": token})
        return self._stale_items(answer.get("CancellationReasons") or []) if refusal else Written()

    def _stale_items(self, reasons: Sequence[Mapping[str, Any]]) -> StaleItems:
        """Return what stands where a condition failed: news to the caller, who may then want something else."""
        stale = {
            position: _shown(reason)
            for position, reason in enumerate(reasons)
            if reason.get("Code") == "ConditionalCheckFailed"
        }
        if not stale:
            raise fault_of_reasons(reasons, f"TransactWriteItems on {self._name}")
        return StaleItems(stale)


def _shown(failure: Mapping[str, Any]) -> Image | None:
    """Return the item that a failed condition shows; None where there is none."""
    return failure.get("Item") or None
