"""The composition root: settings become a function, with every part put in its place.

Each part can be given instead, so that the very function that is deployed runs in tests, in the demo and offline.
"""

from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Protocol

from handlers.json_values import exact_numbers, json_ready
from handlers.metrics import Metrics
from handlers.settings import Settings
from reconciler.adapters import system
from reconciler.adapters.aws import dynamodb_table, poison_queue
from reconciler.adapters.log import Logger, LogRecorder, json_logger
from reconciler.effects import Effects
from reconciler.errors import ConfigurationError, RequestError
from reconciler.policy import IDEMPOTENCY_KEY, TIMESTAMP, Policy
from reconciler.ports import Clock, Pause, PoisonQueue, Recorder, Table, TimeLeft
from reconciler.worker import Worker
from reconciler.writer import Result, Writer

Handler = Callable[[dict[str, Any], Any], dict[str, Any]]
"""A Lambda function: event and context in, JSON out."""


Emit = Callable[[Mapping[str, int]], None]
"""Takes the counts of a batch or request."""

UNLIMITED_MS = 900_000  # Lambda's longest; for a context without a deadline


class BatchRecorder(Recorder, Protocol):
    """A recorder that is also told of each batch as a whole."""

    def batch(self, records: int, failures: int, counts: Mapping[str, int]) -> None:
        """Tell of one batch."""
        ...


def load_policy(settings: Settings) -> Policy:
    """Read the policy file; ConfigurationError where it is for another table, or lacks this Region."""
    policy = Policy.load(settings.policy_file)
    if policy.name != settings.table_name:
        raise ConfigurationError(
            f"TABLE_NAME is {settings.table_name!r}, but POLICY_FILE {settings.policy_file} is for {policy.name!r}"
        )
    policy.region_code(settings.region)
    return policy


def _logger(settings: Settings, function: str) -> Logger:
    return json_logger(settings.log_level, function=function, region=settings.region, table=settings.table_name)


@dataclass(frozen=True, slots=True)
class _EmittingMeter:
    """Emits each count by itself: what a writer measures is rare."""

    emit: Emit

    def add(self, name: str, amount: int = 1) -> None:
        """Emit one count."""
        _told(lambda: self.emit({name: amount}))


def _told(tell: Callable[[], None]) -> None:
    """Tell, as well as may be: a log or metric that fails never masks what was done."""
    with suppress(Exception):
        tell()


def _records_of(event: object) -> list[Any]:
    records = event.get("Records") if isinstance(event, Mapping) else None
    if not isinstance(records, list):
        raise ConfigurationError("the event has no list of Records: it is not from a stream")
    return records


def _time_left(context: object) -> TimeLeft:
    left: TimeLeft = getattr(context, "get_remaining_time_in_millis", lambda: UNLIMITED_MS)
    return left


def _execute(writer: Writer, event: Any) -> Result:  # noqa: ANN401 - the writer names what is wrong with it
    """Execute a request, or a transaction of several."""
    if not isinstance(event, Mapping) or "Transaction" not in event:
        return writer.process_event(event)
    transaction = event["Transaction"]
    if not isinstance(transaction, Mapping) or len(event) > 1:
        raise RequestError("Transaction", "a mapping was expected, alone in the request")
    for name in transaction:
        if name not in {"Events", IDEMPOTENCY_KEY, TIMESTAMP}:
            raise RequestError(f"Transaction.{name}", "is no field of a transaction")
    return writer.process_transaction(
        transaction.get("Events", ()), transaction.get(IDEMPOTENCY_KEY), transaction.get(TIMESTAMP)
    )


def stream_handler(  # noqa: PLR0913 - each part can be given
    settings: Settings | None = None,
    *,
    policy: Policy | None = None,
    table: Table | None = None,
    queue: PoisonQueue | None = None,
    recorder: BatchRecorder | None = None,
    emit: Emit | None = None,
    clock: Clock = system.clock_ms,
    pause: Pause = system.pause,
) -> Handler:
    """Return the stream function of one Region, with settings from the environment where none are given."""
    settings = settings or Settings.from_environment()
    policy = policy or load_policy(settings)
    effects = Effects(
        table or dynamodb_table(policy, settings.region, settings.lanes),
        queue or poison_queue(settings.poison_queue_url, settings.region, settings.lanes),
        policy,
        settings.region,
        pause=pause,
        attempts=settings.attempts,
        reserve_ms=settings.reserve_ms,
    )
    recorder = recorder or LogRecorder(_logger(settings, "stream"))
    emit = emit or Metrics(settings.metrics_namespace, policy.name, "stream").emit
    each_key = ThreadPoolExecutor(settings.lanes, "key").map if settings.lanes > 1 else map
    worker = Worker(policy, effects, recorder, clock=clock, each_key=each_key)

    def handle(event: dict[str, Any], context: Any) -> dict[str, Any]:  # noqa: ANN401 - Lambda's own context, or none
        report = worker.process(_records_of(event), _time_left(context))
        failed = len(report.failures)
        _told(lambda: recorder.batch(report.records, failed, report.counts))
        _told(lambda: emit({**report.counts, "failed_records": failed}))
        return {"batchItemFailures": [{"itemIdentifier": number} for number in report.failures]}

    return handle


def write_handler(  # noqa: PLR0913 - each part can be given
    settings: Settings | None = None,
    *,
    policy: Policy | None = None,
    table: Table | None = None,
    emit: Emit | None = None,
    clock: Clock = system.clock_ms,
    pause: Pause = system.pause,
    new_key: Callable[[], str] = system.new_key,
) -> Handler:
    """Return the write function of one Region, with settings from the environment where none are given."""
    settings = settings or Settings.from_environment(needs_queue=False)
    policy = policy or load_policy(settings)
    emit = emit or Metrics(settings.metrics_namespace, policy.name, "write").emit
    writer = Writer(
        table or dynamodb_table(policy, settings.region, settings.lanes),
        settings.region,
        policy,
        clock=clock,
        new_key=new_key,
        pause=pause,
        meter=_EmittingMeter(emit),
        attempts=settings.attempts,
    )

    def handle(event: dict[str, Any], _context: Any) -> dict[str, Any]:  # noqa: ANN401 - Lambda's own context, or none
        result = _execute(writer, exact_numbers(event))
        _told(lambda: emit({result["status"]: 1}))
        answer: dict[str, Any] = json_ready(result)
        return answer

    return handle
