"""The redrive function, put together; apart from the others, which it would only make slower to start."""

from collections import Counter
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

from handlers.bootstrap import (
    Emit,
    EmittingMeter,
    Handler,
    buffers_of,
    load_policy,
    logger_of,
    time_left_of,
    told,
)
from handlers.metrics import Metrics
from handlers.settings import Settings
from reconciler.adapters import system
from reconciler.adapters.aws import dynamodb_table
from reconciler.adapters.buffered import Sink
from reconciler.adapters.recorders import Recorders
from reconciler.adapters.redrive_log import RedriveLog, RedriveRecorder
from reconciler.adapters.sqs_messages import poison_messages
from reconciler.policy import Policy
from reconciler.ports import Clock, Pause, Table
from reconciler.redrive import Redriver
from reconciler.redrive_run import Messages, Redriven, Run, RunReport
from reconciler.writer import Writer


def redrive_handler(  # noqa: PLR0913 - each part can be given
    settings: Settings | None = None,
    *,
    policy: Policy | None = None,
    table: Table | None = None,
    messages: Messages | None = None,
    recorder: RedriveRecorder | None = None,
    sinks: Sequence[Sink[Any]] | None = None,
    emit: Emit | None = None,
    clock: Clock = system.clock_ms,
    pause: Pause = system.pause,
) -> Handler:
    """Return the redrive function of one Region, with settings from the environment where none are given."""
    settings = settings or Settings.from_environment()
    policy = policy or load_policy(settings)
    table = table or dynamodb_table(policy, settings.region, 1)
    messages = messages or poison_messages(settings.poison_queue_url, settings.region)
    emit = emit or Metrics(settings.metrics_namespace, policy.name, "redrive").emit
    logger = logger_of(settings, "redrive")
    recorder = recorder or RedriveLog(logger)
    recorders = Recorders(recorder, buffers_of(settings, sinks, logger, clock, pause))
    writer = Writer(
        table,
        settings.region,
        policy,
        clock=clock,
        new_key=system.new_key,
        pause=pause,
        meter=EmittingMeter(emit),
        attempts=settings.attempts,
    )
    redriver = Redriver(
        table,
        writer.process_event,
        policy,
        settings.region,
        clock=clock,
        pause=pause,
        attempts=settings.attempts,
        reserve_ms=settings.reserve_ms,
    )

    def tell(redriven: Redriven) -> None:
        told(lambda: recorder.redriven(redriven))
        for conflict, repaired in redriven.fate.conflicts:
            told(partial(recorders.conflict, conflict, repaired=repaired))

    def handle(_event: dict[str, Any], context: Any) -> dict[str, Any]:  # noqa: ANN401 - Lambda's own context, or none
        time_left = time_left_of(context)
        most, reserve_ms = settings.redrive_messages, settings.reserve_ms
        run = Run(messages, redriver, time_left, clock=clock, most=most, reserve_ms=reserve_ms)
        unrecorded = 0

        def record() -> None:
            nonlocal unrecorded
            unrecorded = recorders.flush(time_left)

        try:
            run.run(tell, record)
        finally:
            told(lambda: recorder.run(run.report, unrecorded))
            told(lambda: emit(_counts(run.report, unrecorded)))
        return _answer(run.report, unrecorded)

    return handle


def _answer(report: RunReport, unrecorded: int) -> dict[str, Any]:
    return {
        "received": report.received,
        "settled": dict(report.settled),
        "put_back": dict(report.put_back),
        "faults": report.faults,
        "unrecorded": unrecorded,
    }


def _counts(report: RunReport, unrecorded: int) -> Mapping[str, int]:
    settled, put_back = report.settled.total(), report.put_back.total()
    return +Counter({**report.counts, "settled": settled, "put_back": put_back, "unrecorded": unrecorded})
