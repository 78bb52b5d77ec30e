"""The writer as an application uses it: on a boto3 Table, with the system's clock."""

from collections.abc import Callable
from contextvars import ContextVar
from typing import TYPE_CHECKING

import structlog

from reconciler.adapters import system
from reconciler.adapters.dynamodb import DynamoDBTable
from reconciler.adapters.log import Logger
from reconciler.attempt import Found
from reconciler.policy import Policy, default_policy
from reconciler.ports import Clock, Meter, Pause
from reconciler.requests import WriteEvent
from reconciler.wire import Image, digest
from reconciler.writer import Writer

if TYPE_CHECKING:
    from types_boto3_dynamodb.service_resource import Table as Boto3Table


_key: ContextVar[Image] = ContextVar("key", default={})  # noqa: B039 - never changed; a meter is told no key


class SkewLog:
    """A meter that writes one warning line for each item whose stamps are ahead of the clock, and counts nothing."""

    def __init__(self, logger: Logger | None = None) -> None:
        """Write to `logger`, or as structlog is configured."""
        self._logger = logger or structlog.get_logger()

    def add(self, name: str, amount: int = 1) -> None:
        """Write a line where the metric is a skew, in milliseconds."""
        if name == "skew_ms":
            self._logger.warning("clock_skew_seen", skew_ms=amount, key=digest(_key.get()))


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
        meter: Meter | None = None,
        attempts: int = 10,
    ) -> None:
        """Write to a boto3 Table in `region`; without a policy every attribute is `latest`.

        `meter` is told of skewed clocks; without one, they are log lines.
        """
        policy = policy or default_policy(dynamo_table.name)
        super().__init__(
            DynamoDBTable.from_resource(dynamo_table),
            region,
            policy,
            clock=clock,
            new_key=new_key,
            pause=pause,
            meter=meter or SkewLog(),
            attempts=attempts,
        )

    def _found(self, request: WriteEvent, image: Image | None) -> Found:
        _key.set(request.key)
        return super()._found(request, image)
