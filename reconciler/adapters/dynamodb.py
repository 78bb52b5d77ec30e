"""One Region's replica behind a boto3 client: an application's own Table, with its hooks and its connections."""

from collections.abc import Callable, Mapping
from copy import copy
from typing import TYPE_CHECKING, Any, Self

from botocore.exceptions import ClientError

from reconciler.adapters.binary import from_boto
from reconciler.adapters.faults import faults
from reconciler.adapters.replica import REFUSALS, Answer, Replica

if TYPE_CHECKING:
    from types_boto3_dynamodb.client import DynamoDBClient
    from types_boto3_dynamodb.service_resource import Table

# What boto3 hooks into a resource's client, so that it takes and returns Python values in place of typed ones.
RESOURCE_HOOKS = (
    ("provide-client-params.dynamodb", "dynamodb-create-params-copy"),
    ("before-parameter-build.dynamodb", "dynamodb-condition-expression"),
    ("before-parameter-build.dynamodb", "dynamodb-attr-value-input"),
    ("after-call.dynamodb", "dynamodb-attr-value-output"),
)


class DynamoDBTable(Replica):
    """A table behind a low-level boto3 client."""

    def __init__(self, client: "DynamoDBClient", name: str) -> None:
        """Use `client`, a low-level one; a resource's takes other values, and goes through `from_resource`."""
        super().__init__(_Boto3Call(client, name), name)

    @classmethod
    def from_resource(cls, table: "Table") -> Self:
        """Use a Table's endpoint, Region, credentials and connections; the Table stays as it is."""
        return cls(plain_client(table), table.name)


class _Boto3Call:
    """Carries requests by a boto3 client, in whose answers binary is bytes."""

    def __init__(self, client: "DynamoDBClient", resource: str) -> None:
        self._methods: Mapping[str, Callable[..., Mapping[str, Any]]] = {
            "GetItem": client.get_item,
            "PutItem": client.put_item,
            "UpdateItem": client.update_item,
            "TransactWriteItems": client.transact_write_items,
        }
        self._resource = resource

    def __call__(self, action: str, parameters: Mapping[str, Any]) -> Answer:
        with faults(action, self._resource):
            try:
                return None, _on_the_wire(self._methods[action](**parameters))
            except ClientError as error:
                code = error.response["Error"].get("Code")
                if code not in REFUSALS:
                    raise
                return code, _on_the_wire(error.response)


def _on_the_wire(answer: Mapping[str, Any]) -> dict[str, Any]:
    """Return what stands for items in an answer of boto3, with binary as text."""
    reasons = answer.get("CancellationReasons") or ()
    shown = {"Item": from_boto(answer["Item"])} if answer.get("Item") else {}
    return {**shown, "CancellationReasons": [{**reason, **_on_the_wire(reason)} for reason in reasons]}


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
