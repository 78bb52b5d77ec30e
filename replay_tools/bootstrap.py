"""The composition root: what the commands need of the world, put together from the reconciler's adapters.

boto3 is loaded only by the commands that call AWS.
"""

import time
from collections.abc import Callable, Iterator

from reconciler.adapters import system
from reconciler.effects import Effects
from reconciler.poison import PoisonMessage
from reconciler.policy import Policy
from reconciler.ports import PoisonQueue, Table
from reconciler.records import RawRecord
from replay_tools.recorded_table import RecordedTable
from replay_tools.replay import Replay

POLL_SECONDS = 0.25

ATTEMPTS = 8

clock_ms = system.clock_ms


def live_records(table: str, region: str, on_gap: Callable[[str], None], *, follow: bool) -> Iterator[RawRecord]:
    """Return the records of a table's stream: all there are now, or all there ever will be."""
    from reconciler.adapters.streams import stream_reader  # noqa: PLC0415 - boto3 takes 200 ms

    reader = stream_reader(table, region, on_gap)
    return reader.records(lambda: time.sleep(POLL_SECONDS), None if follow else clock_ms())


def replay(policy: Policy, region: str) -> tuple[Replay, RecordedTable]:
    """Return a replay that changes nothing, and the table that it imagines."""
    table = RecordedTable(policy, region)
    return Replay(policy, _effects(table, _Swallow(), policy, region), clock_ms, table), table


def real_replay(policy: Policy, region: str, queue_url: str) -> Replay:
    """Return a replay that repairs the policy's table in DynamoDB, and sends to the poison queue in SQS."""
    from reconciler.adapters.aws import dynamodb_table, poison_queue  # noqa: PLC0415 - paid for by who writes

    policy.region_code(region)
    table, queue = dynamodb_table(policy, region), poison_queue(queue_url, region)
    return Replay(policy, _effects(table, queue, policy, region), clock_ms)


def _effects(table: Table, queue: PoisonQueue, policy: Policy, region: str) -> Effects:
    return Effects(table, queue, policy, region, pause=system.pause, attempts=ATTEMPTS, reserve_ms=0)


class _Swallow:
    """A poison queue that keeps nothing: whoever replays is told of each message."""

    def send(self, message: PoisonMessage) -> None:
        """Take the message."""
