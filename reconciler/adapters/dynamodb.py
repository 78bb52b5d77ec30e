"""One Region's replica in DynamoDB.

Every write is conditional, so each may be repeated after an unknown outcome.
"""

from collections.abc import Mapping, Sequence
from copy import copy
from typing import TYPE_CHECKING, Any, Self, cast

from reconciler.adapters.binary import from_boto, to_boto
from reconciler.adapters.conditions import holds
from reconciler.adapters.expressions import request_for
from reconciler.adapters.faults import fault_of_reasons, faults
from reconciler.change import Change
from reconciler.ports import Stale, StaleItems, Written
from reconciler.wire import Image

if TYPE_CHECKING:
    from types_boto3_dynamodb.client import DynamoDBClient
    from types_boto3_dynamodb.service_resource import Table
    from types_boto3_dynamodb.type_defs import TransactWriteItemTypeDef

CONDITION_FAILED = "ConditionalCheckFailed"
# What boto3 hooks into a resource's client, so that it takes and returns Python values in place of typed ones.
RESOURCE_HOOKS = (
    ("provide-client-params.dynamodb", "dynamodb-create-params-copy"),
    ("before-parameter-build.dynamodb", "dynamodb-condition-expression"),
    ("before-parameter-build.dynamodb", "dynamodb-attr-value-input"),
    ("after-call.dynamodb", "dynamodb-attr-value-output"),
)


class DynamoDBTable:
    """A table behind a low-level boto3 client."""

    def __init__(self, client: "DynamoDBClient", name: str) -> None:
        """Use `client`, a low-level one; a resource's takes other values, and goes through `from_resource`."""
        self._client = client
        self._name = name

    @classmethod
    def from_resource(cls, table: "Table") -> Self:
        """Use a Table's endpoint, Region, credentials and connections; the Table stays as it is."""
        return cls(plain_client(table), table.name)

    def read(self, key: Image) -> Image | None:
        """Return the item, read strongly in this Region."""
        with faults("GetItem", self._name):
            response = self._client.get_item(TableName=self._name, Key=to_boto(key), ConsistentRead=True)
        return from_boto(response["Item"]) if "Item" in response else None

    def write(self, change: Change) -> Written | Stale:
        """Make one conditional change; one that changes nothing only asks, which costs a read and no write."""
        action, request = request_for(change, self._name)
        if action == "ConditionCheck":
            current = self.read(change.key)
            return Written() if holds(change, current) else Stale(current)
        send = self._client.put_item if action == "Put" else self._client.update_item
        with faults(f"{action}Item", self._name):
            try:
                send(**request)
            except self._client.exceptions.ConditionalCheckFailedException as error:
                return Stale(_shown(error.response))
        return Written()

    def transact(self, changes: Sequence[Change], token: str) -> Written | StaleItems:
        """Make all changes or none; the same token, of at most 36 characters, within ten minutes is the same call."""
        items = [_transacted(change, self._name) for change in changes]
        with faults("TransactWriteItems", self._name):
            try:
                self._client.transact_write_items(TransactItems=items, ClientRequestToken=token)
            except self._client.exceptions.TransactionCanceledException as error:
                reasons = error.response.get("CancellationReasons", [])
                stale = {
                    position: _shown(reason)
                    for position, reason in enumerate(reasons)
                    if reason["Code"] == CONDITION_FAILED
                }
                if not stale:
                    raise fault_of_reasons(reasons, f"TransactWriteItems on {self._name}") from error
                return StaleItems(stale)
        return Written()


def plain_client(table: "Table") -> "DynamoDBClient":
    """Return the Table's own client without the hooks that convert values; the two share all connections.

    A new client would need the session, which a Table does not reveal. `copy.copy` of a client recurses for ever.
    """
    original = table.meta.client
    client = object.__new__(type(original))
    client.__dict__.update(original.__dict__)
    client.meta = copy(original.meta)
    client.meta.events = copy(original.meta.events)
    for event, identity in RESOURCE_HOOKS:
        client.meta.events.unregister(event, unique_id=identity)
    return client


def _transacted(change: Change, table_name: str) -> "TransactWriteItemTypeDef":
    action, request = request_for(change, table_name)
    return cast("TransactWriteItemTypeDef", {action: request})


def _shown(failure: Mapping[str, Any]) -> Image | None:
    """Return the item that a failed condition shows; None where there is none."""
    return from_boto(failure["Item"]) if failure.get("Item") else None
