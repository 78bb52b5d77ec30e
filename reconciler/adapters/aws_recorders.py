"""Clients of the event bus and the conflict history: impatient ones, for what is only best effort.

boto3, which takes 200 ms to load and more to make a client, is loaded at the first conflict: most batches have none.
"""

from functools import cached_property
from typing import Any

from reconciler.adapters.event_bus import EventBus
from reconciler.adapters.history import HistoryTable

# At most 2.5 seconds a call, and no retry by boto3: less than `buffered.RESERVE_MS`.
CONNECT_SECONDS, READ_SECONDS, ATTEMPTS = 1, 1.5, 1


def event_bus(bus: str, region: str, *, with_values: bool) -> EventBus:
    """Return a bus in one Region; AWS_ENDPOINT_URL_EVENTBRIDGE chooses another endpoint."""
    return EventBus(_CallAtNeed("events", "put_events", region), bus, with_values=with_values)


def history_table(table: str, region: str) -> HistoryTable:
    """Return the history of one Region; AWS_ENDPOINT_URL_DYNAMODB chooses another endpoint."""
    return HistoryTable(_CallAtNeed("dynamodb", "batch_write_item", region), table)


class _CallAtNeed:
    """One call of a boto3 client that is made when it is first needed."""

    def __init__(self, service: str, operation: str, region: str) -> None:
        self._service = service
        self._operation = operation
        self._region = region

    def __call__(self, **request: object) -> Any:  # noqa: ANN401 - boto3's answer
        return getattr(self._client, self._operation)(**request)

    @cached_property
    def _client(self) -> Any:  # noqa: ANN401 - of whichever service
        from boto3.session import Session  # noqa: PLC0415 - as above
        from botocore.config import Config  # noqa: PLC0415 - as above

        retries: Any = {"mode": "standard", "total_max_attempts": ATTEMPTS}
        config = Config(connect_timeout=CONNECT_SECONDS, read_timeout=READ_SECONDS, retries=retries)
        make: Any = Session().client
        return make(self._service, region_name=self._region, config=config)
