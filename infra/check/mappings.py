"""What must hold of event source mappings on streams: Lambda's defaults block a shard for a day, or lose records."""

import re
from collections.abc import Iterator

from infra.check.names import named
from infra.check.stack import Finding, Resource, Stack

MAPPING = "AWS::Lambda::EventSourceMapping"
MAX_AGE_SECONDS = 20 * 3600  # the stream forgets after 24 hours, and what was given up must still be fetched
MAX_ATTEMPTS = 10_000


def stream_mappings(stack: Stack) -> Iterator[Resource]:
    """Yield the mappings that are not on a queue of this stack."""
    for mapping in stack.of_type(MAPPING):
        source = stack.resources.get(named(mapping.properties.get("EventSourceArn")))
        if source is None or source.kind != "AWS::SQS::Queue":
            yield mapping


def mapping_rules(stack: Stack) -> Iterator[Finding]:
    """Yield what is wrong with mappings."""
    for mapping in stream_mappings(stack):
        yield from _source(mapping, stack)
        yield from _ends(mapping)
    for mapping in stack.of_type(MAPPING):
        yield from _runs(mapping)
        if mapping.properties.get("FunctionResponseTypes") != ["ReportBatchItemFailures"]:
            why = "records that the function calls failed count as done"
            yield mapping.finding("batch-item-failures", why, "FunctionResponseTypes")


def _source(mapping: Resource, stack: Stack) -> Iterator[Finding]:
    source = mapping.properties.get("EventSourceArn")
    match source:
        case {"Fn::GetAtt": [str(name), "StreamArn"]} if name in stack.resources:
            pass
        case str(arn) if re.search(r":table/[^/]+/stream/.", arn):
            pass
        case _:
            yield mapping.finding("mapping-source", "not a stream's ARN", "EventSourceArn")
    if mapping.properties.get("StartingPosition") != "TRIM_HORIZON":
        why = "records before the mapping are never judged"
        yield mapping.finding("starting-position", why, "StartingPosition")


def _ends(mapping: Resource) -> Iterator[Finding]:
    properties = mapping.properties
    if not properties.get("DestinationConfig", {}).get("OnFailure", {}).get("Destination"):
        yield mapping.finding("on-failure", "records that are given up vanish", "DestinationConfig")
    if not 0 <= int(properties.get("MaximumRetryAttempts", -1)) <= MAX_ATTEMPTS:
        yield mapping.finding("retries", "one bad record holds up its shard for a day", "MaximumRetryAttempts")
    if not 60 <= int(properties.get("MaximumRecordAgeInSeconds", -1)) <= MAX_AGE_SECONDS:  # noqa: PLR2004 - Lambda's least
        why = "what is given up cannot be fetched from the stream any more"
        yield mapping.finding("record-age", why, "MaximumRecordAgeInSeconds")
    if properties.get("BisectBatchOnFunctionError") is not True:
        why = "a batch that crashes the function is given up whole"
        yield mapping.finding("bisect", why, "BisectBatchOnFunctionError")


def _runs(mapping: Resource) -> Iterator[Finding]:
    if mapping.properties.get("Enabled", True) not in (True, "true"):
        yield mapping.finding("mapping-enabled", "nothing is judged, and after a day the stream forgets it", "Enabled")
    if mapping.properties.get("FilterCriteria", {}).get("Filters"):
        yield mapping.finding("filter", "what it leaves out is never judged", "FilterCriteria")
