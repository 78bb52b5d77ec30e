"""The composition root: settings become a function, with every part put in its place.

Each part can be given instead, so that the very function that is deployed runs in tests, in the demo and offline.
"""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Any

from handlers.json_values import exact_numbers, json_ready
from handlers.metrics import Metrics
from handlers.requests import execute, is_envelope, made_key_told
from handlers.settings import Settings
from reconciler.adapters import system
from reconciler.adapters.aws import dynamodb_table, poison_queue
from reconciler.adapters.buffered import BufferedRecorder, Sink
from reconciler.adapters.lanes import Lanes
from reconciler.adapters.log import Logger, LogRecorder, json_logger
from reconciler.adapters.recorders import BatchRecorder, Recorders
from reconciler.effects import Effects
from reconciler.errors import ConfigurationError
from reconciler.policy import Policy
from reconciler.ports import Clock, Pause, PoisonQueue, Table, TimeLeft
from reconciler.worker import Worker
from reconciler.writer import Writer

Handler = Callable[[dict[str, Any], Any], dict[str, Any]]
"""A Lambda function: event and context in, JSON out."""


Emit = Callable[[Mapping[str, int]], None]
"""Takes the counts of a batch or request."""

UNLIMITED_MS = 900_000  # Lambda's longest; for a context without a deadline


def load_policy(settings: Settings) -> Policy:
    """Read the policy file; ConfigurationError names the variable whose value is wrong, or for another deployment."""
    with _blamed_on("POLICY_FILE"):
        policy = Policy.load(settings.policy_file)
    if policy.name != settings.table_name:
        raise ConfigurationError(
            f"TABLE_NAME: is {settings.table_name!r}, but POLICY_FILE {settings.policy_file} is for {policy.name!r}"
        )
    with _blamed_on("AWS_REGION"):
        policy.region_code(settings.region)
    return policy


@contextmanager
def _blamed_on(variable: str) -> Iterator[None]:
    """Let a misfit leave with the name of the environment variable that brought it."""
    try:
        yield
    except ConfigurationError as error:
        raise ConfigurationError(f"{variable}: {error}") from error


def logger_of(settings: Settings, function: str) -> Logger:
    """Return the log of one function."""
    return json_logger(settings.log_level, function=function, region=settings.region, table=settings.table_name)


@dataclass(frozen=True, slots=True)
class EmittingMeter:
    """Emits each count by itself: what a writer measures is rare."""

    emit: Emit

    def add(self, name: str, amount: int = 1) -> None:
        """Emit one count."""
        told(lambda: self.emit({name: amount}))


def told(tell: Callable[[], None]) -> None:
    """Tell, as well as may be: a log or metric that fails never masks what was done."""
    with suppress(Exception):
        tell()


def _records_of(event: object) -> list[Any]:
    records = event.get("Records") if isinstance(event, Mapping) else None
    if not isinstance(records, list):
        raise ConfigurationError("the event has no list of Records: it is not from a stream")
    return records


def time_left_of(context: object) -> TimeLeft:
    """Return who says how much time Lambda leaves; a context without a deadline leaves the most there is."""
    left: TimeLeft = getattr(context, "get_remaining_time_in_millis", lambda: UNLIMITED_MS)
    return left


def _sinks(settings: Settings) -> list[Sink[Any]]:
    """Return where conflicts are told, beside the log; who names neither bus nor history loads and pays nothing."""
    if not (settings.event_bus_name or settings.history_table_name):
        return []
    from reconciler.adapters.aws_recorders import event_bus, history_table  # noqa: PLC0415 - as above

    sinks: list[Sink[Any]] = []
    if settings.event_bus_name:
        with_values = settings.event_content == "values"
        sinks.append(event_bus(settings.event_bus_name, settings.region, with_values=with_values))
    if settings.history_table_name:
        sinks.append(history_table(settings.history_table_name, settings.region))
    return sinks


def buffers_of(
    settings: Settings, sinks: Sequence[Sink[Any]] | None, logger: Logger, clock: Clock, pause: Pause
) -> list[BufferedRecorder[Any]]:
    """Return who tells of conflicts at the end of a batch: `sinks`, or those that the settings name."""
    chosen = _sinks(settings) if sinks is None else sinks
    return [BufferedRecorder(sink, logger, clock=clock, pause=pause) for sink in chosen]


def stream_handler(  # noqa: PLR0913 - each part can be given
    settings: Settings | None = None,
    *,
    policy: Policy | None = None,
    table: Table | None = None,
    queue: PoisonQueue | None = None,
    recorder: BatchRecorder | None = None,
    sinks: Sequence[Sink[Any]] | None = None,
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
    logger = logger_of(settings, "stream")
    recorders = Recorders(recorder or LogRecorder(logger), buffers_of(settings, sinks, logger, clock, pause))
    emit = emit or Metrics(settings.metrics_namespace, policy.name, "stream").emit
    each_key = Lanes(settings.lanes) if settings.lanes > 1 else map
    worker = Worker(policy, effects, recorders, clock=clock, each_key=each_key)

    def handle(event: dict[str, Any], context: Any) -> dict[str, Any]:  # noqa: ANN401 - Lambda's own context, or none
        time_left = time_left_of(context)
        try:
            report = worker.process(_records_of(event), time_left)
        finally:
            unrecorded = recorders.flush(time_left)
        failed, counts = len(report.failures), Counter(report.counts)
        counts["unrecorded"] += unrecorded
        told(lambda: recorders.batch(report.records, failed, +counts))
        told(lambda: emit({**+counts, "failed_records": failed}))
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
        meter=EmittingMeter(emit),
        attempts=settings.attempts,
    )

    def handle(event: dict[str, Any], _context: Any) -> dict[str, Any]:  # noqa: ANN401 - Lambda's own context, or none
        with made_key_told(event):
            result = execute(writer, exact_numbers(event), policy)
        told(lambda: emit({result["status"]: 1}))
        if is_envelope(event, policy):
            del result["item"]  # an answer in a workflow has at most 256 KiB, and is refused after the write is made
        answer: dict[str, Any] = json_ready(result)
        return answer

    return handle
