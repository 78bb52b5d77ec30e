"""One Region's table and its stream in DynamoDB (moto, DynamoDB Local), as replication reads and writes them."""

from typing import TYPE_CHECKING, Any

from reconciler.adapters.binary import to_boto, to_boto_value
from reconciler.adapters.streams import StreamReader
from reconciler.policy import CAUSALITY
from reconciler.records import RawRecord
from reconciler.wire import Image

if TYPE_CHECKING:
    from types_boto3_dynamodb.client import DynamoDBClient

# DynamoDB takes 4 KB of expression and 300 operators; each condition is some 20 bytes and two operators.
MAX_CONDITIONS = 100


class DynamoDBReplica:
    """Replaces whole items, as replication does, on the condition that the replaced version still stands."""

    def __init__(self, client: "DynamoDBClient", table_name: str, stream: StreamReader) -> None:
        """Write through `client`; read `stream`, the table's own."""
        self._client = client
        self._table_name = table_name
        self._stream = stream

    def read(self) -> list[RawRecord]:
        """Return the stream's records since the last read."""
        return list(self._stream.poll())

    def replace(self, key: Image, seen: Image | None, image: Image | None) -> bool:
        """Let `image` stand where `seen` stands (None: absent); False where anything else does."""
        condition = _condition(key, seen)
        try:
            if image is None:
                self._client.delete_item(TableName=self._table_name, Key=to_boto(key), **condition)
            else:
                self._client.put_item(TableName=self._table_name, Item=to_boto(image), **condition)
        except self._client.exceptions.ConditionalCheckFailedException:
            return False
        return True


def _condition(key: Image, seen: Image | None) -> dict[str, Any]:
    """Return the condition that `seen` stands there; `Causality` first, which every write of the writer changes.

    Of an attribute that was only added, by someone who leaves the others alone, nothing tells before the stream does.
    """
    if seen is None:
        return {
            "ConditionExpression": "attribute_not_exists(#n0)",
            "ExpressionAttributeNames": {"#n0": next(iter(key))},
        }
    names = sorted(seen, key=lambda name: (name != CAUSALITY, name))[:MAX_CONDITIONS]
    values = {f":v{number}": to_boto_value(name, seen[name]) for number, name in enumerate(names)}
    return {
        "ConditionExpression": " AND ".join(f"#n{number}=:v{number}" for number in range(len(names))),
        "ExpressionAttributeNames": {f"#n{number}": name for number, name in enumerate(names)},
        "ExpressionAttributeValues": values,
    }
