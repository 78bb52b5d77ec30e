"""Several recorders as one: no one's fault is another's."""

from collections.abc import Callable, Mapping
from typing import Any

import pytest

from reconciler.adapters.memory import MemoryRecorder
from reconciler.adapters.recorders import Recorders
from reconciler.errors import TransientError
from reconciler.poison import PoisonMessage
from tests.conflicts.conflicts import CONFLICT

MESSAGE = PoisonMessage("malformed", "", "us-east-1", "T", {}, "7", None, None)
FAULT = TransientError("throttled")


class Ear(MemoryRecorder):
    """A recorder that keeps batches, and tells nothing of what it remembers."""

    def __init__(self, unrecorded: int = 0) -> None:
        """Start empty."""
        super().__init__()
        self.batches: list[tuple[int, int, Mapping[str, int]]] = []
        self._unrecorded = unrecorded

    def batch(self, records: int, failures: int, counts: Mapping[str, int]) -> None:
        """Keep the batch's line."""
        self.batches.append((records, failures, counts))

    def flush(self, _time_left: Callable[[], int]) -> int:
        """Tell nothing."""
        return self._unrecorded


def tell(recorders: Recorders) -> None:
    """Tell of each thing there is to tell."""
    for telling in (
        lambda: recorders.conflict(CONFLICT, repaired=True),
        lambda: recorders.poisoned(MESSAGE),
        lambda: recorders.failed(["7"], FAULT),
    ):
        telling()


def heard(ear: MemoryRecorder) -> Any:
    """Return what a recorder was told."""
    return ear.conflicts, ear.messages, ear.faults


def test_each_is_told() -> None:
    """Of conflicts, messages and faults; of batches only the first."""
    first, second = Ear(), Ear()
    recorders = Recorders(first, [second])
    tell(recorders)
    recorders.batch(3, 1, {"repaired": 1})
    assert heard(first) == heard(second) == ([(CONFLICT, True)], [MESSAGE], [(("7",), FAULT)])
    assert (first.batches, second.batches) == ([(3, 1, {"repaired": 1})], [])


@pytest.mark.parametrize("failing", [0, 1])
def test_one_that_fails_keeps_nothing_from_the_others(failing: int) -> None:
    """The others are told; then the fault is raised, for the worker to count."""
    ears = [Ear(), Ear(), Ear()]
    ears[failing].failing = True
    with pytest.raises(ExceptionGroup) as caught:
        Recorders(ears[0], ears[1:]).conflict(CONFLICT, repaired=True)
    assert [type(fault) for fault in caught.value.exceptions] == [TransientError]
    assert [len(ear.conflicts) for ear in ears] == [int(number != failing) for number in range(3)]


def test_what_could_not_be_told_is_summed() -> None:
    """Each recorder counts for itself."""
    assert Recorders(Ear(), [Ear(2), Ear(3)]).flush(lambda: 1) == 5
    assert Recorders(Ear()).flush(lambda: 1) == 0
