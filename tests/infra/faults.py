"""Planted faults: what someone might change in a template, and the rule that has to notice."""

from collections.abc import Mapping
from copy import deepcopy
from typing import Any

GONE = object()
"""Instead of a value: the member is left out."""
STREAM_ROLE = "StreamRole.Properties.Policies.0.PolicyDocument.Statement"
WRITE_ROLE = "WriteRole.Properties.Policies.0.PolicyDocument.Statement"

TABLE_FAULTS = [
    ("key-attribute", "Table.Properties.KeySchema.0.AttributeName", "ID"),
    ("key-attribute", "Table.Properties.GlobalSecondaryIndexes.0.KeySchema.0.AttributeName", "idempotencyKey"),
    ("key-attribute", "Table.Properties.AttributeDefinitions.1", GONE),
    ("stream", "Table.Properties.StreamSpecification", GONE),
    ("stream", "Table.Properties.StreamSpecification.StreamViewType", "KEYS_ONLY"),
    ("stream", "Table.Properties.StreamSpecification.StreamViewType", "NEW_IMAGE"),
    ("stream", "Table.Properties.StreamSpecification.StreamEnabled", True),
    ("region", "Table.Properties.Replicas.1.Region", "eu-west-9"),
    ("own-region", "Table.Properties.Replicas.0.Region", "us-west-2"),
    ("replicas", "Table.Properties.Replicas.1", GONE),
    ("replicas", "Table.Properties.Replicas.1.Region", "us-east-1"),
    ("billing", "Table.Properties.BillingMode", GONE),
    ("billing", "Table.Properties.BillingMode", "PROVISIONED"),
    ("ttl", "Table.Properties.TimeToLiveSpecification.AttributeName", GONE),
    ("ttl", "Table.Properties.TimeToLiveSpecification.AttributeName", "expiresAt"),
    ("ttl", "Table.Properties.TimeToLiveSpecification.Enabled", False),
    ("encryption", "Table.Properties.SSESpecification", GONE),
    ("deletion-protection", "Table.Properties.Replicas.1.DeletionProtectionEnabled", GONE),
    ("recovery", "Table.Properties.Replicas.0.PointInTimeRecoverySpecification", GONE),
    ("retain", "Table.DeletionPolicy", GONE),
    ("retain", "Table.UpdateReplacePolicy", "Delete"),
]

TABLE_ARN = {"Fn::Sub": "arn:${AWS::Partition}:dynamodb:${AWS::Region}:${AWS::AccountId}:table/${TableName}"}
WORKER_FAULTS = [
    ("mapping-source", "StreamMapping.Properties.EventSourceArn", TABLE_ARN),
    ("mapping-source", "StreamMapping.Properties.EventSourceArn", GONE),
    ("on-failure", "StreamMapping.Properties.DestinationConfig", GONE),
    ("retries", "StreamMapping.Properties.MaximumRetryAttempts", GONE),
    ("retries", "StreamMapping.Properties.MaximumRetryAttempts", -1),
    ("record-age", "StreamMapping.Properties.MaximumRecordAgeInSeconds", -1),
    ("record-age", "StreamMapping.Properties.MaximumRecordAgeInSeconds", 604_800),
    ("bisect", "StreamMapping.Properties.BisectBatchOnFunctionError", False),
    ("batch-item-failures", "StreamMapping.Properties.FunctionResponseTypes", GONE),
    ("starting-position", "StreamMapping.Properties.StartingPosition", "LATEST"),
    ("filter", "StreamMapping.Properties.FilterCriteria", {"Filters": [{"Pattern": "{eventName: [MODIFY]}"}]}),
    ("permission-missing", f"{STREAM_ROLE}.0.Action.1", GONE),
    ("permission-missing", f"{STREAM_ROLE}.1.Action.2", GONE),
    ("permission-missing", f"{STREAM_ROLE}.2", GONE),
    ("permission-missing", f"{STREAM_ROLE}.3.Effect", "Deny"),
    ("permission-missing", f"{STREAM_ROLE}.4.Resource.1", GONE),
    ("permission-missing", f"{WRITE_ROLE}.0.Action.0", GONE),
    ("permission-spare", f"{WRITE_ROLE}.0.Action.4", "dynamodb:DeleteItem"),
    ("permission-missing", "WriteFunction.Properties.Role", GONE),
    ("star", f"{STREAM_ROLE}.1.Action", "dynamodb:*"),
    ("star", f"{STREAM_ROLE}.1.Action", ["dynamodb:Get*"]),
    ("star", f"{STREAM_ROLE}.4.Resource", "*"),
    ("star", f"{STREAM_ROLE}.0.Resource", {"Fn::Sub": "arn:aws:dynamodb:${AWS::Region}:*:table/*"}),
    ("managed-policy", "WriteRole.Properties.ManagedPolicyArns", ["arn:aws:iam::aws:policy/AdministratorAccess"]),
    ("log-retention", "StreamLogs.Properties.RetentionInDays", GONE),
    ("log-group", "WriteFunction.Properties.LoggingConfig", GONE),
    ("queue-encryption", "PoisonQueue.Properties.SqsManagedSseEnabled", False),
    ("queue-retention", "PoisonQueue.Properties.MessageRetentionPeriod", GONE),
    ("plain-http", "PoisonQueuePolicy.Properties.PolicyDocument.Statement.0.Effect", "Allow"),
    ("plain-http", "PoisonDeadLettersPolicy", GONE),
    ("plain-http", "FailedBatchesPolicy.Properties.PolicyDocument.Statement.0.Condition", GONE),
    ("message-size", "PoisonQueue.Properties.MaximumMessageSize", 262_144),
    ("dead-letters", "PoisonQueue.Properties.RedrivePolicy", GONE),
    ("metric", "SkewAlarm.Properties.MetricName", "SkewedItem"),
    ("metric", "UnrecordedConflictsAlarm.Properties.Dimensions.1", GONE),
    ("metric", "RepairsPerWriteAlarm.Properties.Metrics.0.MetricStat.Metric.Dimensions.0.Name", "TableName"),
    ("missing-data", "PoisonDepthAlarm.Properties.TreatMissingData", "breaching"),
    ("alarm", "ReplicationLatencyAlarm", GONE),
    ("alarm", "RepairsPerWriteAlarm", GONE),
    ("dashboard", "Dashboard.Properties.DashboardBody", '{"widgets": [}'),
    ("retain", "PoisonQueue.DeletionPolicy", GONE),
    ("retain", "StreamLogs.UpdateReplacePolicy", GONE),
    ("key-attribute", "HistoryTable.Properties.KeySchema.1.AttributeName", "Time"),
    ("ttl", "HistoryTable.Properties.TimeToLiveSpecification", GONE),
    ("recovery", "HistoryTable.Properties.PointInTimeRecoverySpecification", GONE),
]


def planted(template: Mapping[str, Any], path: str, value: Any) -> dict[str, Any]:
    """Return a copy of the template with another value at a path below Resources."""
    copy = deepcopy(dict(template))
    *way, last = path.split(".")
    at = copy["Resources"]
    for step in way:
        at = at[int(step)] if isinstance(at, list) else at[step]
    if isinstance(at, list) and int(last) == len(at):
        at.append(value)
    elif value is GONE:
        del at[int(last) if isinstance(at, list) else last]
    else:
        at[int(last) if isinstance(at, list) else last] = value
    return copy
