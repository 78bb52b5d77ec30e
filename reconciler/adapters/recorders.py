"""Several recorders as one: each is told, whatever happens to the others."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Protocol

from reconciler.conflict import Conflict
from reconciler.poison import PoisonMessage
from reconciler.ports import Recorder, TimeLeft


class BatchRecorder(Recorder, Protocol):
    """A recorder that is also told of each batch as a whole."""

    def batch(self, records: int, failures: int, counts: Mapping[str, int]) -> None:
        """Tell of one batch."""
        ...


class Buffered(Recorder, Protocol):
    """A recorder that remembers, and tells when it is asked to."""

    def flush(self, time_left: TimeLeft) -> int:
        """Tell what is remembered; return how many conflicts could not be told."""
        ...


class Recorders:
    """A first recorder, told at once and of whole batches, and others that are told at a batch's end."""

    def __init__(self, first: BatchRecorder, others: Sequence[Buffered] = ()) -> None:
        """Tell `first` before the others."""
        self._first = first
        self._others = others

    def conflict(self, conflict: Conflict, *, repaired: bool) -> None:
        """Tell each of one overwritten image."""
        _tell_each(lambda recorder: recorder.conflict(conflict, repaired=repaired), self._all)

    def poisoned(self, message: PoisonMessage) -> None:
        """Tell each of one message that the poison queue has."""
        _tell_each(lambda recorder: recorder.poisoned(message), self._all)

    def failed(self, sequence_numbers: Sequence[str], fault: BaseException) -> None:
        """Tell each of records that will be delivered again."""
        _tell_each(lambda recorder: recorder.failed(sequence_numbers, fault), self._all)

    def batch(self, records: int, failures: int, counts: Mapping[str, int]) -> None:
        """Tell of one batch."""
        self._first.batch(records, failures, counts)

    def flush(self, time_left: TimeLeft) -> int:
        """Let each tell what it remembers; return how many conflicts could not be told, counted for each recorder."""
        return sum(recorder.flush(time_left) for recorder in self._others)

    @property
    def _all(self) -> Iterable[Recorder]:
        return (self._first, *self._others)


def _tell_each(tell: Callable[[Recorder], None], recorders: Iterable[Recorder]) -> None:
    """Tell each; an ExceptionGroup afterwards holds what failed."""
    faults = []
    for recorder in recorders:
        try:
            tell(recorder)
        except Exception as fault:  # noqa: BLE001 - one recorder's fault is no other's
            faults.append(fault)
    if faults:
        raise ExceptionGroup("not every recorder could be told", faults)
