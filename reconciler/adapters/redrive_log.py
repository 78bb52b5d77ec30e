"""A redrive's log: one line for each message, one for the run; ids and reasons, and never an item's values."""

from typing import Any, Protocol

from reconciler.adapters.log import LogRecorder
from reconciler.adapters.recorders import BatchRecorder
from reconciler.conflict import bounded
from reconciler.failed_request import FailedRequest
from reconciler.poison import PoisonMessage
from reconciler.redrive_run import Redriven, RunReport
from reconciler.wire import digest


class RedriveRecorder(BatchRecorder, Protocol):
    """A recorder that is also told of each message that was judged again, and of each run."""

    def redriven(self, redriven: Redriven) -> None:
        """Tell of one message."""
        ...

    def run(self, report: RunReport, unrecorded: int) -> None:
        """Tell of one run, and how many conflicts could not be recorded."""
        ...


class RedriveLog(LogRecorder):
    """Writes what became of messages as log lines."""

    def redriven(self, redriven: Redriven) -> None:
        """Write one canonical line for one message."""
        fate = redriven.fate
        self._logger.info(
            "poison_settled" if fate.settled else "poison_put_back",
            why=fate.why,
            **({"detail": fate.detail} if fate.detail else {}),
            **_names(redriven.content),
            **bounded("queue_messages", [message.message_id for message in redriven.messages]),
            receives=max(message.receives for message in redriven.messages),
        )

    def run(self, report: RunReport, unrecorded: int) -> None:
        """Write the one canonical line of a run."""
        self._logger.info(
            "redrive_finished",
            received=report.received,
            settled=dict(report.settled),
            put_back=dict(report.put_back),
            faults=report.faults,
            unrecorded=unrecorded,
        )


def _names(content: PoisonMessage | FailedRequest | None) -> dict[str, Any]:
    """Return what a person finds the message by."""
    match content:
        case PoisonMessage():
            return {"message_id": content.id, "reason": content.reason, "key": digest(content.key)}
        case FailedRequest():
            return {"execution": content.execution}
        case _:
            return {}
