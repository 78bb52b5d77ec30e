"""What must hold of the worker stack: nothing is lost silently, and no role may do more or less than its function."""

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

from tests.infra.metric_rules import ALARMED, alarm_rules, dashboard_rules, metrics
from tests.infra.table_rules import Finding
from tests.infra.template import ACCOUNT, of_type

REGION, TABLE = "us-east-1", "GlobalEventTable"
TABLE_ARN = f"arn:aws:dynamodb:{REGION}:{ACCOUNT}:table/{TABLE}"
STREAM_ARN = f"{TABLE_ARN}/stream/2026-01-01T00:00:00.000"
MAX_AGE_SECONDS = 20 * 3600  # the stream forgets after 24 hours, and what was given up must still be fetched
STREAM_READS = ("DescribeStream", "GetRecords", "GetShardIterator", "ListStreams")
LOGS = ("CreateLogStream", "PutLogEvents")
NEEDED = {
    "StreamRole": {
        *((f"dynamodb:{action}", STREAM_ARN) for action in STREAM_READS),
        *((f"dynamodb:{action}", TABLE_ARN) for action in ("GetItem", "PutItem", "UpdateItem")),
        *((f"logs:{action}", "StreamLogs.Arn") for action in LOGS),
        ("dynamodb:BatchWriteItem", "HistoryTable.Arn"),
        ("events:PutEvents", "ConflictBus.Arn"),
        ("sqs:SendMessage", "PoisonQueue.Arn"),
        ("sqs:SendMessage", "FailedBatches.Arn"),
    },
    "WriteRole": {
        *((f"dynamodb:{action}", TABLE_ARN) for action in ("ConditionCheckItem", "GetItem", "PutItem", "UpdateItem")),
        *((f"logs:{action}", "WriteLogs.Arn") for action in LOGS),
    },
}
"""Which role may do what on what; nothing missing, nothing spare."""
FUNCTIONS = ("AWS::Serverless::Function", "AWS::Lambda::Function")
Found = Iterator[tuple[str, str]]


def worker_findings(resources: Mapping[str, Any]) -> Iterator[Finding]:
    """Yield what is wrong with the worker stack."""
    checks = [
        ("AWS::Lambda::EventSourceMapping", _mapping),
        ("AWS::IAM::Role", _stars),
        ("AWS::Logs::LogGroup", _log_group),
        ("AWS::SQS::Queue", _queue),
        ("AWS::CloudWatch::Alarm", alarm_rules),
        ("AWS::CloudWatch::Dashboard", dashboard_rules),
    ]
    for type_, check in checks:
        found = of_type(resources, type_)
        if not found:
            yield Finding("missing", type_, "there is none")
        for name, properties in found.items():
            yield from (Finding(rule, name, why) for rule, why in check(properties))
    for name, rule, why in _across(resources):
        yield Finding(rule, name, why)


def _mapping(mapping: Mapping[str, Any]) -> Found:
    if not re.search(r":table/[^/]+/stream/.", str(mapping.get("EventSourceArn"))):
        yield "mapping-source", "not a stream's ARN"
    if not mapping.get("DestinationConfig", {}).get("OnFailure", {}).get("Destination"):
        yield "on-failure", "records that are given up vanish"
    if not 0 <= mapping.get("MaximumRetryAttempts", -1) <= 10_000:
        yield "retries", "one bad record holds up its shard for a day"
    if not 60 <= mapping.get("MaximumRecordAgeInSeconds", -1) <= MAX_AGE_SECONDS:
        yield "record-age", "what is given up cannot be fetched from the stream any more"
    if mapping.get("BisectBatchOnFunctionError") is not True:
        yield "bisect", "a batch that crashes the function is given up whole"
    if mapping.get("FunctionResponseTypes") != ["ReportBatchItemFailures"]:
        yield "batch-item-failures", "records that the worker calls failed count as done"
    if mapping.get("StartingPosition") != "TRIM_HORIZON":
        yield "starting-position", "records before the mapping are never judged"
    for position in mapping.get("FilterCriteria", {}).get("Filters", []):
        if not _is_json(position.get("Pattern")):
            yield "filter", "the pattern is no JSON"


def _is_json(text: object) -> bool:
    try:
        return isinstance(json.loads(str(text)), dict)
    except ValueError:
        return False


def _stars(role: Mapping[str, Any]) -> Found:
    if role.get("ManagedPolicyArns"):
        yield "managed-policy", "says in no file what it allows"
    for effect, action, resource in _statements(role):
        if effect == "Allow" and "*" in action:
            yield "star", f"{action} on {resource}"
        if effect == "Allow" and "*" in resource:
            yield "star", f"{action} on {resource}"


def _statements(role: Mapping[str, Any]) -> Iterator[tuple[str, str, str]]:
    for policy in role.get("Policies", []):
        for statement in policy["PolicyDocument"]["Statement"]:
            for action in _listed(statement["Action"]):
                for resource in _listed(statement["Resource"]):
                    yield statement["Effect"], action, _name(resource)


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def _name(resource: Any) -> str:
    match resource:
        case {"Fn::GetAtt": [name, attribute]}:
            return f"{name}.{attribute}"
        case {"Ref": name}:
            return str(name)
        case _:
            return str(resource)


def _log_group(group: Mapping[str, Any]) -> Found:
    if not group.get("RetentionInDays"):
        yield "log-retention", "lines are kept, and paid for, for ever"


def _queue(queue: Mapping[str, Any]) -> Found:
    if queue.get("SqsManagedSseEnabled") is not True:
        yield "queue-encryption", "items lie there in the clear"
    if queue.get("MessageRetentionPeriod") != 14 * 24 * 3600:
        yield "queue-retention", "messages end before anyone looks"


def _across(resources: Mapping[str, Any]) -> Iterator[tuple[str, str, str]]:
    yield from _permissions(resources)
    yield from _queues_together(resources)
    for name in (*of_type(resources, "AWS::Logs::LogGroup"), *of_type(resources, "AWS::SQS::Queue")):
        kept = {resources[name].get(policy) for policy in ("DeletionPolicy", "UpdateReplacePolicy")}
        if not kept <= {"Retain", "RetainExceptOnCreate"}:
            yield name, "retain", "evidence goes with the stack"
    groups = of_type(resources, "AWS::Logs::LogGroup")
    for name, function in of_type(resources, *FUNCTIONS).items():
        if function.get("LoggingConfig", {}).get("LogGroup", {}).get("Ref") not in groups:
            yield name, "log-group", "logs to a group of Lambda's own making, which is kept for ever"
    alarms = of_type(resources, "AWS::CloudWatch::Alarm").values()
    for name in sorted(ALARMED - {metric.name for alarm in alarms for metric in metrics(alarm)}):
        yield name, "alarm", "raises no alarm"


def _permissions(resources: Mapping[str, Any]) -> Iterator[tuple[str, str, str]]:
    roles = of_type(resources, "AWS::IAM::Role")
    for name, function in of_type(resources, *FUNCTIONS).items():
        role = _name(function.get("Role")).removesuffix(".Arn")
        granted = {(action, on) for effect, action, on in _statements(roles.get(role, {})) if effect == "Allow"}
        needed = NEEDED[name.replace("Function", "Role")]
        for action, on in sorted(needed - granted):
            yield name, "permission-missing", f"{action} on {on}"
        for action, on in sorted(granted - needed):
            yield name, "permission-spare", f"{action} on {on}"


def _queues_together(resources: Mapping[str, Any]) -> Iterator[tuple[str, str, str]]:
    queues = of_type(resources, "AWS::SQS::Queue")
    secured = set()
    for policy in of_type(resources, "AWS::SQS::QueuePolicy").values():
        for statement in policy["PolicyDocument"]["Statement"]:
            plain = statement.get("Condition", {}).get("Bool", {}).get("aws:SecureTransport")
            if (statement["Effect"], statement["Principal"], plain) == ("Deny", "*", "false"):
                secured |= {queue["Ref"] for queue in policy["Queues"]} & {
                    _name(statement["Resource"]).removesuffix(".Arn")
                }
    for name in sorted(set(queues) - secured):
        yield name, "plain-http", "answers plain HTTP"
    poison = queues.get("PoisonQueue", {})
    if poison.get("MaximumMessageSize") != 1 << 20:
        yield "PoisonQueue", "message-size", "an image of 400 KB does not fit"
    dead = _name(poison.get("RedrivePolicy", {}).get("deadLetterTargetArn"))
    if dead.removesuffix(".Arn") not in queues:
        yield "PoisonQueue", "dead-letters", "a message that breaks its reader comes back for ever"
