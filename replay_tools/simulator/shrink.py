"""Shrink: the fewest and plainest steps that still fail, by delta debugging.

Every sublist of a history is a history; a step is made plainer by leaving out its fault, what happens meanwhile, or
parts of what it asks (Zeller and Hildebrandt 2002, "Simplifying and Isolating Failure-Inducing Input").
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace

from replay_tools.simulator.steps import Ask, Request, Step, Work

MAX_TRIES = 3_000
Fails = Callable[[Sequence[Step]], bool]


def shrink(steps: Sequence[Step], fails: Fails, max_tries: int = MAX_TRIES) -> list[Step]:
    """Return steps that still fail, of which none can be left out or made plainer; fewer tries, a longer history."""
    return _Shrinking(fails, max_tries).run(list(steps))


class _Shrinking:
    """Tries candidates, as many as are allowed."""

    def __init__(self, fails: Fails, tries: int) -> None:
        self._fails = fails
        self._tries = tries

    def run(self, steps: list[Step]) -> list[Step]:
        before: list[Step] = []
        while before != steps and self._tries:
            before = steps
            steps = self._plainer(self._fewer(steps))
        return steps

    def _still_fails(self, steps: Sequence[Step]) -> bool:
        if not self._tries:
            return False
        self._tries -= 1
        return self._fails(steps)

    def _fewer(self, steps: list[Step]) -> list[Step]:
        """Leave out ever smaller runs of steps."""
        size = len(steps) // 2
        while size:
            start = len(steps) - size
            while start > -size:
                candidate = steps[: max(start, 0)] + steps[max(start, 0) + size :]
                if len(candidate) < len(steps) and self._still_fails(candidate):
                    steps = candidate
                start -= size
            size //= 2
        return steps

    def _plainer(self, steps: list[Step]) -> list[Step]:
        for index in range(len(steps)):
            steps = self._plainer_at(steps, index)
        return steps

    def _plainer_at(self, steps: list[Step], index: int) -> list[Step]:
        for plainer in plainer_steps(steps[index]):
            candidate = [*steps[:index], plainer, *steps[index + 1 :]]
            if self._still_fails(candidate):
                return self._plainer_at(candidate, index)
        return steps


def plainer_steps(step: Step) -> Iterator[Step]:
    """Yield the step with one thing less."""
    match step:
        case Request() | Work():
            if step.fault:
                yield replace(step, fault=None)
            for index in range(len(step.meanwhile)):
                yield replace(step, meanwhile=step.meanwhile[:index] + step.meanwhile[index + 1 :])
        case _:
            return
    if isinstance(step, Request):
        yield from _plainer_requests(step)
    elif step.records > 1:
        yield replace(step, records=step.records // 2)


def _plainer_requests(request: Request) -> Iterator[Request]:
    if request.timestamp_ms is not None:
        yield replace(request, timestamp_ms=None)
    if request.expected_version is not None:
        yield replace(request, expected_version=None)
    for index, ask in enumerate(request.asks):
        rest = request.asks[:index], request.asks[index + 1 :]
        if len(request.asks) > 1:
            yield replace(request, asks=rest[0] + rest[1])
        for plainer in _plainer_asks(ask):
            yield replace(request, asks=(*rest[0], plainer, *rest[1]))


def _plainer_asks(ask: Ask) -> Iterator[Ask]:
    parts = ("sets", "removes", "adds", "elements_added", "elements_removed")
    if ask.deletes or sum(len(getattr(ask, name)) for name in parts) < 2:  # noqa: PLR2004 - something has to be asked
        return
    for name in parts:
        part = getattr(ask, name)
        for index in range(len(part)):
            yield replace(ask, **{name: part[:index] + part[index + 1 :]})
