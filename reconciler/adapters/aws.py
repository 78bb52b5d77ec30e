"""Clients: boto3, with bounded time-outs and retries, for the adapters of one Region."""

import boto3
from botocore.config import Config

from reconciler.adapters.dynamodb import DynamoDBTable
from reconciler.adapters.sqs import SqsPoisonQueue
from reconciler.policy import Policy

CONNECT_SECONDS, READ_SECONDS, ATTEMPTS = 1, 1.5, 2  # with its retry, a write takes at most some five seconds


def _config(connections: int) -> Config:
    return Config(
        connect_timeout=CONNECT_SECONDS,
        read_timeout=READ_SECONDS,
        retries={"mode": "standard", "total_max_attempts": ATTEMPTS},
        max_pool_connections=connections,
    )


def dynamodb_table(policy: Policy, region: str, connections: int = 10) -> DynamoDBTable:
    """Return the policy's table in one Region; AWS_ENDPOINT_URL_DYNAMODB chooses another endpoint."""
    client = boto3.client("dynamodb", region_name=region, config=_config(connections))
    return DynamoDBTable(client, policy.name)


def poison_queue(url: str, region: str, connections: int = 10) -> SqsPoisonQueue:
    """Return the poison queue in one Region; AWS_ENDPOINT_URL_SQS chooses another endpoint."""
    return SqsPoisonQueue(boto3.client("sqs", region_name=region, config=_config(connections)), url)
