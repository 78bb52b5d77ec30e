"""Planted faults: what someone might change in a template, the rule that has to notice, and where.

A place is how the line begins, in the resource that was changed, or in another: "StreamRole > Action:".
A resource's own line stands for what is not in it.
"""

from tests.infra.planting import GONE

STREAM_ROLE = "StreamRole.Properties.Policies.0.PolicyDocument.Statement"
WRITE_ROLE = "WriteRole.Properties.Policies.0.PolicyDocument.Statement"
REDRIVE_ROLE = "RedriveRole.Properties.Policies.0.PolicyDocument.Statement"
VARIABLES = "StreamFunction.Properties.Environment.Variables"
CLOCK_ROLE = "RedriveClockRole.Properties.Policies.0.PolicyDocument.Statement"
TABLE_ARN = {"Fn::Sub": "arn:${AWS::Partition}:dynamodb:${AWS::Region}:${AWS::AccountId}:table/${TableName}"}

TABLE_FAULTS = [
    ("key-attribute", "Table.Properties.KeySchema.0.AttributeName", "ID", '- {"KeyType": "HASH", "Attribute'),
    (
        "key-attribute",
        "Table.Properties.GlobalSecondaryIndexes.0.KeySchema.0.AttributeName",
        "idempotencyKey",
        '- {"KeyType": "HASH", "Attribute',
    ),
    ("key-attribute", "Table.Properties.AttributeDefinitions.1", GONE, "- {AttributeName: IdempotencyKey"),
    ("stream", "Table.Properties.StreamSpecification", GONE, "Table:"),
    ("stream", "Table.Properties.StreamSpecification.StreamViewType", "KEYS_ONLY", "StreamSpecification:"),
    ("stream", "Table.Properties.StreamSpecification.StreamViewType", "NEW_IMAGE", "StreamSpecification:"),
    ("stream", "Table.Properties.StreamSpecification.StreamEnabled", True, "StreamSpecification:"),
    ("region", "Table.Properties.Replicas.1.Region", "eu-west-9", '- Region: "eu-west-9"'),
    ("own-region", "Table.Properties.Replicas.0.Region", "us-west-2", "Replicas:"),
    ("replicas", "Table.Properties.Replicas.1", GONE, "Replicas:"),
    ("replicas", "Table.Properties.Replicas.1.Region", "us-east-1", "Replicas:"),
    ("billing", "Table.Properties.BillingMode", GONE, "Table:"),
    ("billing", "Table.Properties.BillingMode", "PROVISIONED", "BillingMode:"),
    ("ttl", "Table.Properties.TimeToLiveSpecification.AttributeName", GONE, "TimeToLiveSpecification:"),
    ("ttl", "Table.Properties.TimeToLiveSpecification.AttributeName", "expiresAt", "TimeToLiveSpecification:"),
    ("ttl", "Table.Properties.TimeToLiveSpecification.Enabled", False, "TimeToLiveSpecification:"),
    ("encryption", "Table.Properties.SSESpecification", GONE, "Table:"),
    (
        "deletion-protection",
        "Table.Properties.Replicas.1.DeletionProtectionEnabled",
        GONE,
        "- Region: !Ref SecondRegion",
    ),
    ("recovery", "Table.Properties.Replicas.0.PointInTimeRecoverySpecification", GONE, "- Region: !Ref AWS::Region"),
    ("retain", "Table.DeletionPolicy", GONE, "Table:"),
    ("retain", "Table.UpdateReplacePolicy", "Delete", "UpdateReplacePolicy:"),
    ("missing", "Table.Properties.GlobalSecondaryIndexes.0.IndexName", "IdempotencyKeyIndex", "Resources:"),
    ("missing", "Table.Type", "AWS::DynamoDB::Table", "Resources:"),
]

WORKER_FAULTS = [
    ("mapping-source", "StreamMapping.Properties.EventSourceArn", TABLE_ARN, "EventSourceArn:"),
    ("mapping-source", "StreamMapping.Properties.EventSourceArn", GONE, "StreamMapping:"),
    ("on-failure", "StreamMapping.Properties.DestinationConfig", GONE, "StreamMapping:"),
    ("retries", "StreamMapping.Properties.MaximumRetryAttempts", GONE, "StreamMapping:"),
    ("retries", "StreamMapping.Properties.MaximumRetryAttempts", -1, "MaximumRetryAttempts:"),
    ("record-age", "StreamMapping.Properties.MaximumRecordAgeInSeconds", -1, "MaximumRecordAgeInSeconds:"),
    ("record-age", "StreamMapping.Properties.MaximumRecordAgeInSeconds", 604_800, "MaximumRecordAgeInSeconds:"),
    ("bisect", "StreamMapping.Properties.BisectBatchOnFunctionError", False, "BisectBatchOnFunctionError:"),
    ("batch-item-failures", "StreamMapping.Properties.FunctionResponseTypes", GONE, "StreamMapping:"),
    ("starting-position", "StreamMapping.Properties.StartingPosition", "LATEST", "StartingPosition:"),
    (
        "filter",
        "StreamMapping.Properties.FilterCriteria",
        {"Filters": [{"Pattern": "{eventName: [MODIFY]}"}]},
        "FilterCriteria:",
    ),
    ("permission-missing", f"{STREAM_ROLE}.0.Action.1", GONE, "Policies:"),
    ("permission-missing", f"{STREAM_ROLE}.1.Action.2", GONE, "Policies:"),
    ("permission-missing", f"{STREAM_ROLE}.2", GONE, "Policies:"),
    ("permission-missing", f"{STREAM_ROLE}.3.Effect", "Deny", "Policies:"),
    ("permission-missing", f"{STREAM_ROLE}.4.Resource.1", GONE, "Policies:"),
    ("permission-missing", f"{WRITE_ROLE}.0.Action.0", GONE, "Policies:"),
    ("permission-spare", f"{WRITE_ROLE}.0.Action.4", "dynamodb:DeleteItem", '- "dynamodb:DeleteItem"'),
    ("permission-missing", "WriteFunction.Properties.Role", GONE, "WriteFunction:"),
    ("star", f"{STREAM_ROLE}.1.Action", "dynamodb:*", 'Action: "dynamodb:*"'),
    ("star", f"{STREAM_ROLE}.1.Action", ["dynamodb:Get*"], 'Action: ["dynamodb:Get*"]'),
    ("star", f"{STREAM_ROLE}.4.Resource", "*", 'Resource: "*"'),
    (
        "star",
        f"{STREAM_ROLE}.0.Resource",
        {"Fn::Sub": "arn:aws:dynamodb:${AWS::Region}:*:table/*"},
        'Resource: {"Fn::Sub": "arn:aws:dynamodb',
    ),
    (
        "managed-policy",
        "WriteRole.Properties.ManagedPolicyArns",
        ["arn:aws:iam::aws:policy/AdministratorAccess"],
        "ManagedPolicyArns:",
    ),
    ("log-retention", "StreamLogs.Properties.RetentionInDays", GONE, "StreamLogs:"),
    ("log-group", "WriteFunction.Properties.LoggingConfig", GONE, "WriteFunction:"),
    ("queue-encryption", "PoisonQueue.Properties.SqsManagedSseEnabled", False, "SqsManagedSseEnabled:"),
    ("queue-retention", "PoisonQueue.Properties.MessageRetentionPeriod", GONE, "PoisonQueue:"),
    ("plain-http", "PoisonQueuePolicy.Properties.PolicyDocument.Statement.0.Effect", "Allow", "PoisonQueue:"),
    ("plain-http", "PoisonDeadLettersPolicy", GONE, "PoisonDeadLetters:"),
    ("plain-http", "FailedBatchesPolicy.Properties.PolicyDocument.Statement.0.Condition", GONE, "FailedBatches:"),
    ("message-size", "PoisonQueue.Properties.MaximumMessageSize", 262_144, "MaximumMessageSize:"),
    ("dead-letters", "PoisonQueue.Properties.RedrivePolicy", GONE, "PoisonQueue:"),
    ("metric", "SkewAlarm.Properties.MetricName", "SkewedItem", "MetricName:"),
    ("metric", "UnrecordedConflictsAlarm.Properties.Dimensions.1", GONE, "MetricName:"),
    (
        "metric",
        "RepairsPerWriteAlarm.Properties.Metrics.0.MetricStat.Metric.Dimensions.0.Name",
        "TableName",
        "MetricName:",
    ),
    ("missing-data", "PoisonDepthAlarm.Properties.TreatMissingData", "breaching", "TreatMissingData:"),
    ("alarm", "ReplicationLatencyAlarm", GONE, "StreamFunction:"),
    ("alarm", "RepairsPerWriteAlarm", GONE, "StreamFunction:"),
    ("dashboard", "Dashboard.Properties.DashboardBody", '{"widgets": [}', "DashboardBody:"),
    ("retain", "PoisonQueue.DeletionPolicy", GONE, "PoisonQueue:"),
    ("retain", "StreamLogs.UpdateReplacePolicy", GONE, "StreamLogs:"),
    ("key-attribute", "HistoryTable.Properties.KeySchema.1.AttributeName", "Time", '- {"KeyType": "RANGE", "Attribut'),
    ("ttl", "HistoryTable.Properties.TimeToLiveSpecification", GONE, "HistoryTable:"),
    ("recovery", "HistoryTable.Properties.PointInTimeRecoverySpecification", GONE, "HistoryTable:"),
    ("missing", "StreamMapping", GONE, "Resources:"),
    ("missing", "Dashboard", GONE, "Resources:"),
    ("missing", "RedriveFunction.Properties.Handler", "handlers.write.lambda_handler", "Resources:"),
    ("handler", "WriteFunction.Properties.Handler", "handlers.write.handle", "Handler:"),
    ("permission-missing", f"{REDRIVE_ROLE}.0.Action.1", GONE, "Policies:"),
    (
        "permission-spare",
        f"{REDRIVE_ROLE}.0.Action.1",
        "sqs:PurgeQueue",
        'Action: ["sqs:ChangeMessageVisibility", "sqs:PurgeQueue"',
    ),
    ("permission-missing", f"{REDRIVE_ROLE}.0.Resource", {"Fn::GetAtt": ["PoisonDeadLetters", "Arn"]}, "Policies:"),
    ("permission-spare", f"{REDRIVE_ROLE}.1.Action.3", "dynamodb:DeleteItem", 'Action: ["dynamodb:GetItem"'),
    (
        "permission-spare",
        "RedriveFunction.Properties.Role",
        {"Fn::GetAtt": ["StreamRole", "Arn"]},
        "StreamRole > Action:",
    ),
    ("log-group", "RedriveFunction.Properties.LoggingConfig.LogGroup", {"Ref": "RedriveLog"}, "LoggingConfig:"),
    ("retain", "RedriveLogs.DeletionPolicy", "Delete", "DeletionPolicy:"),
    ("star", f"{CLOCK_ROLE}.0.Resource", "*", 'Resource: "*"'),
    ("star", f"{CLOCK_ROLE}.0.Action", "lambda:*", 'Action: "lambda:*"'),
    (
        "dead-letters",
        "PoisonQueue.Properties.RedrivePolicy.deadLetterTargetArn",
        {"Fn::GetAtt": ["PoisonDeadLetter", "Arn"]},
        "deadLetterTargetArn:",
    ),
    ("message-size", "PoisonDeadLetters.Properties.MaximumMessageSize", 262_144, "MaximumMessageSize:"),
    (
        "plain-http",
        "PoisonQueuePolicy.Properties.PolicyDocument.Statement.0.Principal",
        {"AWS": "arn:aws:iam::111122223333:root"},
        "PoisonQueue:",
    ),
    ("alarm", "RedriveErrorsAlarm", GONE, "RedriveFunction:"),
    ("alarm", "WriteThrottlesAlarm", GONE, "WriteFunction:"),
    ("alarm", "IteratorAgeAlarm", GONE, "StreamMapping:"),
    ("alarm", "FailedBatchesAlarm", GONE, "FailedBatches:"),
    (
        "alarm",
        "PoisonDepthAlarm.Properties.Dimensions.0.Value",
        {"Fn::GetAtt": ["FailedBatches", "QueueName"]},
        "PoisonQueue:",
    ),
    (
        "alarm",
        "IteratorAgeAlarm.Properties.Metrics.0.MetricStat.Metric.Dimensions.0.Value",
        {"Ref": "WriteFunction"},
        "StreamMapping:",
    ),
    (
        "metric",
        "Dashboard.Properties.DashboardBody",
        '{"widgets": [{"properties": {"metrics": [["GlobalTableReconciler", "Repaired"]]}}]}',
        "DashboardBody:",
    ),
    ("billing", "HistoryTable.Properties.BillingMode", "PROVISIONED", "BillingMode:"),
    ("deletion-protection", "HistoryTable.Properties.DeletionProtectionEnabled", False, "DeletionProtectionEnabled:"),
    (
        "permission-spare",
        f"{VARIABLES}.POISON_QUEUE_URL",
        {"Ref": "FailedBatches"},
        "StreamRole > Action: sqs:SendMessage",
    ),
    (
        "permission-spare",
        "StreamMapping.Properties.DestinationConfig.OnFailure.Destination",
        {"Fn::GetAtt": ["PoisonQueue", "Arn"]},
        "StreamRole > Action: sqs:SendMessage",
    ),
    (
        "permission-missing",
        "RedriveClock.Properties.Target.RoleArn",
        {"Fn::GetAtt": ["WriteRole", "Arn"]},
        "WriteRole > Policies:",
    ),
    ("permission-missing", "RedriveClock.Properties.Target.RoleArn", GONE, "Target:"),
    (
        "permission-spare",
        f"{CLOCK_ROLE}.0.Action",
        ["lambda:InvokeFunction", "lambda:InvokeAsync"],
        'Action: ["lambda:',
    ),
    ("alarm-action", "SkewAlarm.Properties.AlarmActions", GONE, "SkewAlarm:"),
]

APPSYNC_FAULTS = [
    ("ttl", "DeltaTable.Properties.TimeToLiveSpecification.AttributeName", "ExpiresAt", "TimeToLiveSpecification:"),
    ("star", "ApiLogPolicy.Properties.PolicyDocument.Statement.0.Resource", "*", 'Resource: "*"'),
    (
        "permission-spare",
        "ConflictFunction.Properties.Role",
        {"Fn::GetAtt": ["ItemsRole", "Arn"]},
        "ItemsRole > Action:",
    ),
    (
        "permission-missing",
        "ConflictFunction.Properties.LoggingConfig.LogGroup",
        {"Ref": "ApiLogs"},
        "ConflictRole > Pol",
    ),
    ("alarm", "ConflictErrorsAlarm", GONE, "ConflictFunction:"),
    ("handler", "ConflictFunction.Properties.Handler", "handlers.app_sync.lambda_handler", "Handler:"),
]

MACHINE_ROLE = "WorkflowRole.Properties.Policies.0.PolicyDocument.Statement"
WORKFLOW_FAULTS = [
    ("permission-missing", "StartRole.Properties.Policies.0.PolicyDocument.Statement.0.Resource", "other", "Policies:"),
    ("permission-missing", f"{MACHINE_ROLE}.0.Action.2", GONE, "Policies:"),
    ("permission-spare", f"{MACHINE_ROLE}.0.Action.2", "dynamodb:DeleteItem", 'Action: ["dynamodb:GetItem"'),
    ("definition", "Workflow.Properties.DefinitionUri", "workflow.asl", "DefinitionUri:"),
    ("recovery", "Claims.Properties.PointInTimeRecoverySpecification", GONE, "Claims:"),
]

SCHEMA_FAULTS = [
    ("table.yaml", ("E3002", "Table.Properties.Replicas.1.PointInTimeRecovery", True, "- PointInTimeRecovery:")),
    ("worker.yaml", ("E1020", f"{VARIABLES}.POISON_QUEUE_URL", {"Ref": "PoisonQueu"}, "POISON_QUEUE_URL:")),
    ("worker.yaml", ("sam", "StreamFunction.Properties.Role", GONE, "StreamFunction:")),
    ("worker.yaml", ("sam", "WriteFunction.Properties.CodeUr", "x", "WriteFunction:")),
]
"""What CloudFormation's schemas say, or SAM's translator."""
