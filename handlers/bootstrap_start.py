"""The starter of the workflow, put together."""

from collections.abc import Callable
from typing import Any

from handlers.bootstrap import Handler, told
from handlers.settings import StartSettings
from reconciler.adapters import system
from reconciler.adapters.executions import executions
from reconciler.adapters.log import json_logger
from reconciler.execution import Execution, execution_of
from reconciler.ports import Clock

DAY_SECONDS = 86_400


def start_handler(
    settings: StartSettings | None = None,
    *,
    start: Callable[[Execution], bool] | None = None,
    clock: Clock = system.clock_ms,
) -> Handler:
    """Return the starter of one Region's workflow, with settings from the environment where none are given."""
    settings = settings or StartSettings.from_environment()
    start = start or executions(settings.state_machine_arn, settings.region).start
    logger = json_logger(settings.log_level, function="start", region=settings.region)
    claim_seconds = settings.claim_days * DAY_SECONDS

    def handle(event: dict[str, Any], _context: Any) -> dict[str, Any]:  # noqa: ANN401 - Lambda's own context, or none
        execution = execution_of(event, clock() // 1000 + claim_seconds)
        status = "started" if start(execution) else "exists"
        told(lambda: logger.info("execution", status=status, execution=execution.name))
        return {"status": status, "execution": execution.name}

    return handle
