"""Lanes: several keys at a time, in threads that each take the next key when they are free.

One lane, the caller's own thread, is open from the start; the others open once keys have waited longer than they have
worked. Below that, threads only take the interpreter from each other: measured over loopback, a quarter more processor
time for a conflict.
"""

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextlib import suppress
from time import perf_counter, thread_time
from typing import TypeVar

Key = TypeVar("Key")
Outcome = TypeVar("Outcome")
Seconds = Callable[[], float]


class Lanes:
    """Works like `map`, on several at a time and in no order."""

    def __init__(self, count: int, *, elapsed: Seconds = perf_counter, worked: Seconds = thread_time) -> None:
        """Have `count` lanes, 2 or more; `elapsed` and `worked` say how long it took, and how long the processor."""
        self._others = count - 1
        self._pool = ThreadPoolExecutor(self._others, "lane")
        self._elapsed = elapsed
        self._worked = worked

    def __call__(self, function: Callable[[Key], Outcome], keys: Iterable[Key]) -> list[Outcome]:
        """Return what the function made of every key; once it raises, no lane begins another key."""
        waiting = deque(keys)
        others: list[Future[list[Outcome]]] = []
        try:
            outcomes = self._until_waiting_prevails(function, waiting)
            others += (self._pool.submit(_lane, function, waiting) for _ in range(min(self._others, len(waiting) - 1)))
            outcomes += _lane(function, waiting)
        finally:
            wait(others)
        for other in others:
            outcomes += other.result()
        return outcomes

    def _until_waiting_prevails(self, function: Callable[[Key], Outcome], waiting: deque[Key]) -> list[Outcome]:
        outcomes: list[Outcome] = []
        elapsed, worked = self._elapsed(), self._worked()
        while waiting:
            outcomes.append(function(waiting.popleft()))
            if self._elapsed() - elapsed > 2 * (self._worked() - worked):
                break
        return outcomes


def _lane(function: Callable[[Key], Outcome], waiting: deque[Key]) -> list[Outcome]:
    try:
        return [function(key) for key in _each(waiting)]
    except BaseException:
        waiting.clear()
        raise


def _each(waiting: deque[Key]) -> Iterator[Key]:
    with suppress(IndexError):  # another lane has taken the last
        while True:
            yield waiting.popleft()
