"""Answers: whether what a client was told is what was done, and what the item's executions allowed."""

from collections.abc import Iterator

from reconciler.policy import Recreate
from reconciler.stamps import Stamp, ms_of
from replay_tools.simulator.truth import NOTHING, Execution, Truth, numbers
from replay_tools.simulator.verdict import Violation, Wrong
from replay_tools.simulator.world import Answer, World


def judge_answers(world: World, diverged: set[str]) -> list[Violation]:
    """Return what is wrong with what clients were told; a diverged item excuses what was said of it."""
    found = []
    for answer in world.answers:
        if not diverged & {ask.item for ask in answer.request.asks}:
            judged = _Judged(world, answer)
            found += [Violation(Wrong.DISAGREES, answer.request.asks[0].item, text) for text in judged.complaints()]
    return found


class _Judged:
    """One answer, and what may be said against it."""

    def __init__(self, world: World, answer: Answer) -> None:
        self._world = world
        self._answer = answer
        self._request = answer.request
        self._name = f"#{answer.request.key} in Region {answer.request.region}"

    def complaints(self) -> Iterator[str]:
        """Yield what is wrong."""
        answer = self._answer
        if answer.error is not None:
            yield f"{self._name} was refused: {answer.error!r}"
        yield from self._execution()
        if answer.result is not None:
            yield from self._status(answer.result["status"])

    def _execution(self) -> Iterator[str]:
        for number in self._answer.executed:
            execution = self._world.executions[number]
            seen = [self._world.executions[other] for other in numbers(execution.basis.seen)]
            newest = max((max(one.stamp, one.value_stamp) for one in seen), default=0)
            if execution.stamp <= newest or ms_of(Stamp(execution.stamp)) < self._answer.now_ms:
                yield f"{self._name} has the stamp {execution.stamp}, not above what it had seen"
            if execution.generation and not self._is_hidden(execution):
                yield f"{self._name} was executed again, though the item had it"

    def _is_hidden(self, execution: Execution) -> bool:
        """Say whether the horizon hid every earlier execution of the same request from the writer."""
        earlier = [self._world.executions[number] for number in numbers(execution.basis.seen)]
        return all(one.stamp <= execution.horizon for one in earlier if one.request.key == self._request.key)

    def _status(self, status: str) -> Iterator[str]:
        executed, bases = self._answer.executed, self._answer.basis.values()
        if bool(executed) != (status in {"applied", "superseded"}):
            yield f"{self._name} was told {status}, and {'was' if executed else 'was not'} executed"
        if len(executed) not in {0, len(self._request.asks)}:
            yield f"{self._name} was executed in part"
        if status == "duplicate" and not any(self._has_key(basis.truth) for basis in bases):
            yield f"{self._name} was told duplicate, and no item had it"
        if status == "deleted" and not self._may_be_deleted():
            yield f"{self._name} was told deleted, and no item was"
        if self._request.expected_version is not None and status not in {"duplicate", "deleted"}:
            truth = self._world.executions[executed[0]].basis if executed else next(iter(bases)).truth
            if bool(executed) != self._is_expected(truth):
                yield f"{self._name} was told {status}, and its version was {self._world.version_of(truth)}"

    def _has_key(self, truth: Truth) -> bool:
        return any(self._world.executions[number].request.key == self._request.key for number in numbers(truth.seen))

    def _may_be_deleted(self) -> bool:
        bases = self._answer.basis.values()
        refuses = self._world.policy.recreate is Recreate.REFUSE
        return refuses and any(self._world.is_tombstone(basis.truth) for basis in bases)

    def _is_expected(self, truth: Truth) -> bool:
        """Say whether ExpectedVersion holds; 0 means that a reader would see no item."""
        expected = self._request.expected_version
        if expected == 0:
            return truth == NOTHING or self._world.is_tombstone(truth)
        return expected == self._world.version_of(truth)
