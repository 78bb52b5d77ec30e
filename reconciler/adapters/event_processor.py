"""The writer as an application uses it: on a boto3 Table, with the system's clock."""

from collections.abc import Callable
from typing import TYPE_CHECKING

from reconciler.adapters import system
from reconciler.adapters.dynamodb import DynamoDBTable
from reconciler.policy import Policy, default_policy
from reconciler.ports import Clock, Pause
from reconciler.writer import Writer

if TYPE_CHECKING:
    from types_boto3_dynamodb.service_resource import Table as Boto3Table


class _NoMeter:
    def add(self, name: str, amount: int = 1) -> None:
        """Count nothing."""


class EventProcessor(Writer):
    """Executes requests on one Region's replica: ``process_event`` and ``process_transaction``."""

    def __init__(  # noqa: PLR0913 - two things are needed, the rest has defaults
        self,
        dynamo_table: "Boto3Table",
        region: str,
        policy: Policy | None = None,
        *,
        clock: Clock = system.clock_ms,
        new_key: Callable[[], str] = system.new_key,
        pause: Pause = system.pause,
        attempts: int = 10,
    ) -> None:
        """Write to a boto3 Table in `region`; without a policy every attribute is `latest`."""
        policy = policy or default_policy(dynamo_table.name)
        super().__init__(
            DynamoDBTable.from_resource(dynamo_table),
            region,
            policy,
            clock=clock,
            new_key=new_key,
            pause=pause,
            meter=_NoMeter(),
            attempts=attempts,
        )
