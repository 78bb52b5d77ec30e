"""What must hold of tables: where CloudFormation or DynamoDB would refuse them late, or this project would fail."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from boto3.session import Session

from tests.infra.template import of_type

GLOBAL, LOCAL = "AWS::DynamoDB::GlobalTable", "AWS::DynamoDB::Table"


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is wrong: the rule that says so, the resource, and why it matters."""

    rule: str
    where: str
    why: str


@cache
def known_regions() -> frozenset[str]:
    """Return the Regions that botocore's endpoints know."""
    return frozenset(Session().get_available_regions("dynamodb"))


def table_findings(resources: Mapping[str, Any], region: str) -> Iterator[Finding]:
    """Yield what is wrong with the tables of a stack in `region`."""
    for name, table in of_type(resources, GLOBAL, LOCAL).items():
        rules = [*_keys(table), *_rest(table)]
        if resources[name]["Type"] == GLOBAL:
            rules += [*_stream(table), *_replicas(table.get("Replicas", []), region)]
        else:
            rules += _protection(table)
        for policy in ("DeletionPolicy", "UpdateReplacePolicy"):
            if resources[name].get(policy) != "Retain":
                rules.append(("retain", f"{policy} is not Retain: the data goes with the stack"))
        yield from (Finding(rule, name, why) for rule, why in rules)


Found = Iterator[tuple[str, str]]


def _keys(table: Mapping[str, Any]) -> Found:
    defined = {definition["AttributeName"] for definition in table.get("AttributeDefinitions", [])}
    schemas = [table["KeySchema"], *(index["KeySchema"] for index in table.get("GlobalSecondaryIndexes", []))]
    used = {key["AttributeName"] for schema in schemas for key in schema}
    for name in sorted(used - defined):
        yield "key-attribute", f"{name} is a key but not defined"
    for name in sorted(defined - used):
        yield "key-attribute", f"{name} is defined but no key"


def _rest(table: Mapping[str, Any]) -> Found:
    if table.get("BillingMode", "PROVISIONED") != "PAY_PER_REQUEST":
        yield "billing", "provisioned: wants write settings, and a storm of repairs waits for them"
    ttl = table.get("TimeToLiveSpecification", {})
    if ttl.get("Enabled") is not True or ttl.get("AttributeName") != "ExpiresAt":
        yield "ttl", "nothing sweeps what has ExpiresAt"
    if table.get("SSESpecification", {}).get("SSEEnabled") is not True:
        yield "encryption", "not encrypted with a key whose uses are seen"


def _stream(table: Mapping[str, Any]) -> Found:
    stream = table.get("StreamSpecification", {})
    if stream.get("StreamViewType") != "NEW_AND_OLD_IMAGES":
        yield "stream", "replicas need a stream with both images"
    if "StreamEnabled" in stream:
        yield "stream", "a GlobalTable's stream has no StreamEnabled"


def _replicas(replicas: list[Mapping[str, Any]], region: str) -> Found:
    regions = [replica.get("Region") for replica in replicas]
    if region not in regions:
        yield "own-region", f"no replica in {region}, the Region of the stack"
    if len(set(regions)) < max(len(regions), 2):
        yield "replicas", "fewer than two different Regions"
    for name in regions:
        if name not in known_regions():
            yield "region", f"{name} is no Region"
    for replica in replicas:
        yield from _protection(replica)


def _protection(replica: Mapping[str, Any]) -> Found:
    if replica.get("DeletionProtectionEnabled") not in (True, "true"):
        yield "deletion-protection", "can be deleted by one call"
    if replica.get("PointInTimeRecoverySpecification", {}).get("PointInTimeRecoveryEnabled") is not True:
        yield "recovery", "no point-in-time recovery"
