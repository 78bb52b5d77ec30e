"""The plain worker: what a competent user writes for the same stream, with the libraries that AWS recommends.

Last writer wins, by the client's Timestamp: what a replica forgot is put back where it was the later.
It is no straw man: clients are made once, time-outs and retries are set, nothing is read before a put, nothing is
logged, and a put that lost its race is left to the record of whoever won it.
It is less exact, too: two counters do not add up, and what the earlier write set is overwritten attribute by attribute.
"""

import os
from functools import cache
from typing import Any

import boto3
from aws_lambda_powertools.utilities.batch import BatchProcessor, EventType, process_partial_response
from aws_lambda_powertools.utilities.data_classes.dynamo_db_stream_event import DynamoDBRecord
from boto3.dynamodb.types import TypeDeserializer, TypeSerializer
from botocore.config import Config

CLIENT_CONFIG = Config(connect_timeout=1, read_timeout=1.5, retries={"mode": "standard", "total_max_attempts": 2})
TABLE = boto3.resource("dynamodb", config=CLIENT_CONFIG).Table(os.environ["TABLE_NAME"])
put = TABLE.put_item
RACE_LOST = TABLE.meta.client.exceptions.ConditionalCheckFailedException
PROCESSOR = BatchProcessor(event_type=EventType.DynamoDBStreams)
DESERIALIZE, SERIALIZE = TypeDeserializer().deserialize, TypeSerializer().serialize
SEEN = "Version = :version AND IdempotencyKey = :key"

Item = dict[str, Any]


def lambda_handler(event: dict[str, Any], context: Any) -> Any:
    """Return ``{"batchItemFailures": [...]}``."""
    return process_partial_response(event=event, record_handler=handle, processor=PROCESSOR, context=context)


def handle(record: DynamoDBRecord) -> None:
    """Repair what one record shows to be lost."""
    body = record.raw_event["dynamodb"]
    if "OldImage" in body and "NewImage" in body:
        old, new = read(body["OldImage"]), read(body["NewImage"])
        if is_conflict(old, new):
            repair(old, new)


def read(image: Item) -> Item:
    """Return an image as Python values."""
    return {name: DESERIALIZE(value) for name, value in image.items()}


def is_conflict(old: Item, new: Item) -> bool:
    """Say whether the new image is no successor of the old one."""
    succeeds = new["Version"] > old["Version"] and new["Timestamp"] >= old["Timestamp"]
    return not succeeds and new["IdempotencyKey"] != old["IdempotencyKey"]


def repair(old: Item, new: Item) -> None:
    """Put the later of both, with what only the earlier one has, unless someone has written since."""
    earlier, later = sorted((old, new), key=lambda item: (item["Timestamp"], item["LastUpdatedRegion"]))
    merged = {**earlier, **later, "Version": max(old["Version"], new["Version"]) + 1}
    seen = {":version": new["Version"], ":key": new["IdempotencyKey"]}
    try:
        put(Item=merged, ConditionExpression=SEEN, ExpressionAttributeValues=seen)
    except RACE_LOST:
        return  # whoever won it makes a record of its own


@cache
def client() -> Any:
    """Return the low-level client, without what a Table does to every request."""
    return boto3.client("dynamodb", config=CLIENT_CONFIG)


def lean_put(*, Item: Item, ConditionExpression: str, ExpressionAttributeValues: Item) -> None:  # noqa: N803 - boto3's
    """Put as `put` does, by the quicker way that fewer people take."""
    client().put_item(
        TableName=TABLE.name,
        Item=typed(Item),
        ConditionExpression=ConditionExpression,
        ExpressionAttributeValues=typed(ExpressionAttributeValues),
    )


def typed(item: Item) -> Item:
    """Return Python values in wire form."""
    return {name: SERIALIZE(value) for name, value in item.items()}


def write(request: Item) -> Item:
    """Execute a request: read the item, change it, put it back if nobody has written since."""
    item: Item = TABLE.get_item(Key={"Id": request["Id"]}, ConsistentRead=True).get("Item", {"Version": 0})
    if item.get("IdempotencyKey") == request["IdempotencyKey"]:
        return item
    changed = {**item, **request["Set"], "Version": item["Version"] + 1, "IdempotencyKey": request["IdempotencyKey"]}
    seen = {":version": item["Version"], ":key": item["IdempotencyKey"]}
    put(Item=changed, ConditionExpression=SEEN, ExpressionAttributeValues=seen)
    return changed
