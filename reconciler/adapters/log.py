"""The log: one line for each conflict, poison message and fault, one for each batch; never an item's values."""

import sys
from collections.abc import Mapping, Sequence
from traceback import extract_tb

import structlog

from reconciler.conflict import Conflict, Mode, bounded
from reconciler.errors import ReconcilerError
from reconciler.poison import PoisonMessage
from reconciler.wire import digest

Logger = structlog.typing.FilteringBoundLogger


def json_logger(level: str = "INFO", **context: str) -> Logger:
    """Return a logger of JSON lines on standard output, with `context` on each."""
    logger: Logger = structlog.wrap_logger(
        structlog.PrintLogger(sys.stdout),
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.JSONRenderer(sort_keys=True),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        cache_logger_on_first_use=True,
    )
    return logger.bind(**context)


class LogRecorder:
    """Writes what happened to records as log lines; keys as digests."""

    def __init__(self, logger: Logger) -> None:
        """Write to `logger`."""
        self._logger = logger

    def conflict(self, conflict: Conflict, *, repaired: bool) -> None:
        """Write one canonical line for one overwritten image."""
        self._logger.info(
            "conflict_repaired" if repaired else "conflict_recorded",
            conflict_id=conflict.id,
            kind=conflict.kind.value,
            mode=conflict.mode.value,
            key=conflict.key_digest,
            sequence_number=conflict.sequence_number,
            **bounded("lost_writes", conflict.writes),
            **bounded("overwritten", conflict.overwritten),
            **bounded("lost", conflict.lost),
        )

    def poisoned(self, message: PoisonMessage) -> None:
        """Write one line for a message that the poison queue has."""
        self._logger.warning(
            "record_poisoned",
            message_id=message.id,
            reason=message.reason,
            mode=message.mode.value,
            key=digest(message.key),
            sequence_number=message.sequence_number,
        )

    def failed(self, sequence_numbers: Sequence[str], fault: BaseException) -> None:
        """Write one line for records that will be delivered again."""
        self._logger.warning(
            "records_failed",
            **bounded("sequence_numbers", sequence_numbers),
            fault=type(fault).__name__,
            detail=str(fault) if isinstance(fault, ReconcilerError) else _place_of(fault),
        )

    def batch(self, records: int, failures: int, counts: Mapping[str, int]) -> None:
        """Write the one canonical line of a batch, with how many of its decisions were exact and approximate."""
        by_mode = {mode.value: 0 for mode in Mode}
        self._logger.info("batch_processed", records=records, failures=failures, **{**by_mode, **counts})


def _place_of(fault: BaseException) -> str:
    """Say where an unexpected fault was raised; its own text might hold an item's values."""
    frames = extract_tb(fault.__traceback__)
    return f"{frames[-1].filename}:{frames[-1].lineno} in {frames[-1].name}" if frames else "unknown place"
