"""What runs, held against what was meant; each finding is one line that names place and fault.

Each function here returns a judge of one command's answer.
"""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from infra.deploy.package import Package

Judge = Callable[[Any, Mapping[str, str]], Iterator[str]]
BOTH_IMAGES = "NEW_AND_OLD_IMAGES"
PARTIAL_BATCHES = "ReportBatchItemFailures"
TTL_ATTRIBUTE = "ExpiresAt"
STILL_TO_COME = {"ENABLED", "ENABLING"}


def table(package: Package, region: str) -> Judge:
    """Judge describe-table: both images, the policy's key and Regions, the worker's stream, eventual mode."""

    def judge(answer: Any, found: Mapping[str, str]) -> Iterator[str]:  # noqa: ANN401 - the service's answer
        described = answer["Table"]
        if described.get("MultiRegionConsistency") == "STRONG":
            yield f"{region}: the table is in strong mode (MRSC), which loses no write: it needs no reconciling"
        stream = described.get("StreamSpecification", {})
        if stream.get("StreamViewType") != BOTH_IMAGES:
            yield f"{region}: the stream shows {stream.get('StreamViewType')}; {BOTH_IMAGES} is needed"
        if described.get("LatestStreamArn") != found[f"stream of {region}"]:
            yield f"{region}: the table has another stream by now: {described.get('LatestStreamArn')}"
        replicas = {region, *(replica["RegionName"] for replica in described.get("Replicas", []))}
        if replicas != set(package.regions):
            yield f"{region}: replicas are in {_listed(replicas)}; the policy says {_listed(package.regions)}"
        keys = {key["KeyType"]: key["AttributeName"] for key in described["KeySchema"]}
        if tuple(keys[kind] for kind in ("HASH", "RANGE") if kind in keys) != package.key:
            yield f"{region}: the key is {_listed(keys.values())}; the policy says {_listed(package.key)}"
        if described["TableStatus"] != "ACTIVE":
            yield f"{region}: the table is {described['TableStatus']}"

    return judge


def time_to_live(region: str) -> Judge:
    """Judge describe-time-to-live: tombstones are swept."""

    def judge(answer: Any, _found: Mapping[str, str]) -> Iterator[str]:  # noqa: ANN401 - the service's answer
        described = answer["TimeToLiveDescription"]
        status, attribute = described["TimeToLiveStatus"], described.get("AttributeName")
        if status not in STILL_TO_COME or attribute != TTL_ATTRIBUTE:
            yield f"{region}: time to live is {status} on {attribute}; tombstones expire by {TTL_ATTRIBUTE}"

    return judge


def function(package: Package, name: str, region: str, table: str) -> Judge:
    """Judge get-function-configuration: this very package runs, and on this table, if one is given."""

    def judge(answer: Any, _found: Mapping[str, str]) -> Iterator[str]:  # noqa: ANN401 - the service's answer
        if answer["CodeSha256"] != package.code_sha256:
            yield f"{region}: {name} runs {answer['CodeSha256']}; {package.path.name} is {package.code_sha256}"
        table_name = answer.get("Environment", {}).get("Variables", {}).get("TABLE_NAME")
        if table and table_name != table:
            yield f"{region}: {name} is for the table {table_name}; the policy says {table}"
        if answer["State"] != "Active" or answer.get("LastUpdateStatus") != "Successful":
            yield f"{region}: {name} is {answer['State']}, its update {answer.get('LastUpdateStatus')}"

    return judge


def mapping(stream: str, region: str) -> Judge:
    """Judge list-event-source-mappings: one mapping, enabled, on the stream that was found, that gives up in time."""

    def judge(answer: Any, found: Mapping[str, str]) -> Iterator[str]:  # noqa: ANN401 - the service's answer
        mappings = answer["EventSourceMappings"]
        if [one["EventSourceArn"] for one in mappings] != [found[stream]]:
            sources = _listed(one["EventSourceArn"] for one in mappings)
            yield f"{region}: the worker is mapped to {sources}; its stream is {found[stream]}"
        for one in mappings:
            yield from (f"{region}: the mapping {fault}" for fault in _faults_of(one))

    return judge


def _faults_of(mapping: Mapping[str, Any]) -> Iterator[str]:
    if mapping["State"] not in {"Enabled", "Enabling", "Creating", "Updating"}:
        yield f"is {mapping['State']}"
    if PARTIAL_BATCHES not in mapping.get("FunctionResponseTypes", []):
        yield f"ignores the worker's answer: {PARTIAL_BATCHES} is missing"
    for limit in ("MaximumRetryAttempts", "MaximumRecordAgeInSeconds"):
        endless = -1
        if mapping.get(limit, endless) == endless:
            yield f"never gives up: {limit} is not set"
    if not mapping.get("BisectBatchOnFunctionError"):
        yield "does not bisect: one bad record holds up its whole batch"
    if not mapping.get("DestinationConfig", {}).get("OnFailure", {}).get("Destination"):
        yield "has no place for what is given up: OnFailure is missing"


def _listed(names: Any) -> str:  # noqa: ANN401 - any names
    return ", ".join(sorted(names)) or "nothing"
