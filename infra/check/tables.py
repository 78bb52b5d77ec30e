"""What must hold of tables: where CloudFormation or DynamoDB would refuse them late, or this project would fail."""

from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any

from infra.check.names import named
from infra.check.stack import Finding, Resource, Stack

GLOBAL, LOCAL = "AWS::DynamoDB::GlobalTable", "AWS::DynamoDB::Table"
EXPIRY, EXPIRY_OF_APPSYNC = "ExpiresAt", "_ttl"
Path = tuple[str | int, ...]


@cache
def known_regions() -> frozenset[str]:
    """Return the Regions that botocore's endpoints know."""
    from boto3.session import Session  # noqa: PLC0415, TID251 - a list that ships with it, loaded where it is asked for

    return frozenset(Session().get_available_regions("dynamodb"))


def table_rules(stack: Stack) -> Iterator[Finding]:
    """Yield what is wrong with tables."""
    for table in stack.of_type(GLOBAL, LOCAL):
        yield from _keys(table)
        yield from _rest(table)
        yield from _expiry(table, EXPIRY_OF_APPSYNC if table.name in set(_of_appsync(stack)) else EXPIRY)
        if table.kind == LOCAL:
            yield from _protection(table, table.properties, ())
            continue
        yield from _stream(table)
        if table.properties.get("MultiRegionConsistency") == "STRONG":
            why = "strong mode needs no reconciling, and knows neither transactions nor time to live"
            yield table.finding("strong-mode", why, "MultiRegionConsistency")
        yield from _replicas(table, stack.region)


def _keys(table: Resource) -> Iterator[Finding]:
    defined = _names(table.properties, ("AttributeDefinitions",))
    used = _names(table.properties, ("KeySchema",))
    for kind in ("GlobalSecondaryIndexes", "LocalSecondaryIndexes"):
        for position in range(len(table.properties.get(kind, []))):
            used |= _names(table.properties, (kind, position, "KeySchema"))
    for name in sorted(used.keys() - defined.keys()):
        yield table.finding("key-attribute", f"{name} is a key but not defined", *used[name])
    for name in sorted(defined.keys() - used.keys()):
        yield table.finding("key-attribute", f"{name} is defined but no key", *defined[name])


def _names(value: Any, path: Path) -> dict[str, Path]:  # noqa: ANN401 - any part of a template
    """Return the attributes that a list at a path names, each with its own path."""
    for step in path:
        value = value.get(step, []) if isinstance(value, Mapping) else value[step]
    return {member["AttributeName"]: (*path, position) for position, member in enumerate(value)}


def _rest(table: Resource) -> Iterator[Finding]:
    properties = table.properties
    if properties.get("BillingMode", "PROVISIONED") != "PAY_PER_REQUEST":
        yield table.finding("billing", "provisioned: wants settings, and a storm of repairs waits", "BillingMode")
    if properties.get("SSESpecification", {}).get("SSEEnabled") is not True:
        why = "not encrypted with a key whose uses are seen"
        yield table.finding("encryption", why, "SSESpecification", "SSEEnabled")


def _expiry(table: Resource, attribute: str) -> Iterator[Finding]:
    ttl = table.properties.get("TimeToLiveSpecification", {})
    if ttl.get("AttributeName") != attribute:
        why = f"nothing sweeps what has {attribute}"
        yield table.finding("ttl", why, "TimeToLiveSpecification", "AttributeName")
    elif ttl.get("Enabled") not in (True, "true"):
        yield table.finding("ttl", f"nothing sweeps what has {attribute}", "TimeToLiveSpecification", "Enabled")


def _of_appsync(stack: Stack) -> Iterator[str]:
    """Yield the tables that AppSync versions: it writes its own attributes into them."""
    for source in stack.of_type("AWS::AppSync::DataSource"):
        of_dynamodb = source.properties.get("DynamoDBConfig", {})
        yield named(of_dynamodb.get("TableName"))
        yield named(of_dynamodb.get("DeltaSyncConfig", {}).get("DeltaSyncTableName"))


def _stream(table: Resource) -> Iterator[Finding]:
    stream = table.properties.get("StreamSpecification", {})
    if stream.get("StreamViewType") != "NEW_AND_OLD_IMAGES":
        why = "replicas need a stream with both images"
        yield table.finding("stream", why, "StreamSpecification", "StreamViewType")
    if "StreamEnabled" in stream:
        why = "a GlobalTable's stream has no StreamEnabled"
        yield table.finding("stream", why, "StreamSpecification", "StreamEnabled")


def _replicas(table: Resource, region: str) -> Iterator[Finding]:
    replicas = table.properties.get("Replicas", [])
    regions = [replica.get("Region") for replica in replicas]
    if region not in regions:
        yield table.finding("own-region", f"no replica in {region}, the Region of the stack", "Replicas")
    if len(set(regions)) < max(len(regions), 2):
        yield table.finding("replicas", "fewer than two different Regions", "Replicas")
    for position, replica in enumerate(replicas):
        if replica.get("Region") not in known_regions():
            yield table.finding("region", f"{replica.get('Region')} is no Region", "Replicas", position, "Region")
        yield from _protection(table, replica, ("Replicas", position))


def _protection(table: Resource, replica: Mapping[str, Any], path: Path) -> Iterator[Finding]:
    if replica.get("DeletionProtectionEnabled") not in (True, "true"):
        yield table.finding("deletion-protection", "one call deletes it", *path, "DeletionProtectionEnabled")
    name = "PointInTimeRecoverySpecification"
    if replica.get(name, {}).get("PointInTimeRecoveryEnabled") is not True:
        yield table.finding("recovery", "no point-in-time recovery", *path, name, "PointInTimeRecoveryEnabled")
