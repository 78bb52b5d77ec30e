"""The composition root: what the commands need of the world, put together from the reconciler's adapters.

boto3 is loaded only by the commands that call AWS.
"""

import time
from collections.abc import Callable, Iterator

from reconciler.adapters import system
from reconciler.policy import Policy
from reconciler.ports import PoisonQueue, Table
from reconciler.records import RawRecord

POLL_SECONDS = 0.25

clock_ms = system.clock_ms
pause = system.pause


def live_records(table: str, region: str, on_gap: Callable[[str], None], *, follow: bool) -> Iterator[RawRecord]:
    """Return the records of a table's stream: all there are now, or all there ever will be."""
    from reconciler.adapters.streams import stream_reader  # noqa: PLC0415 - boto3 takes 200 ms

    reader = stream_reader(region, lambda: time.sleep(POLL_SECONDS), on_gap)
    return reader.records(reader.arn_of(table), None if follow else clock_ms())


def real_parts(policy: Policy, region: str, queue_url: str) -> tuple[Table, PoisonQueue]:
    """Return the policy's table in DynamoDB and the poison queue in SQS, in one Region."""
    from reconciler.adapters.aws import dynamodb_table, poison_queue  # noqa: PLC0415 - boto3 takes 200 ms

    policy.region_code(region)
    return dynamodb_table(policy, region), poison_queue(queue_url, region)
