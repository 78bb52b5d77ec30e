"""Platform: what AWS does of its own accord, replication and triggers, in a thread beside the clients."""

from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from threading import Event

from reconciler.ports import Clock
from replay_tools.demo.world import World

LAG_SECONDS = 0.2  # as on AWS, well under a second
IDLE_ROUNDS = 2  # without any movement in any world: nothing will move any more


class Platform:
    """Moves every world, one after another, until it is stopped."""

    def __init__(self, worlds: Sequence[World], clock: Clock) -> None:
        """Start idle."""
        self._worlds = worlds
        self._clock = clock
        self._stopped = Event()
        self._idle_rounds = 0
        self._thread: Future[None] = Future()
        self.last_moved_ms = [0] * len(worlds)
        """When something last moved, by position of the world."""

    @property
    def is_idle(self) -> bool:
        """Whether nothing moves any more, unless a client writes."""
        self.check()
        return self._idle_rounds >= IDLE_ROUNDS

    def check(self) -> None:
        """Raise what the thread has died of."""
        if self._thread.done():
            self._thread.result()

    def wake(self) -> None:
        """Forget how long nothing has moved: something has been written, or a link has healed."""
        self._idle_rounds = 0

    @contextmanager
    def running(self) -> Iterator[None]:
        """Move the worlds for a while; what the thread died of is raised at its end."""
        with ThreadPoolExecutor(1, "platform") as pool:
            self._thread = pool.submit(self._run)
            try:
                yield
            finally:
                self._stopped.set()
        self._thread.result()

    def _run(self) -> None:
        while not self._stopped.wait(LAG_SECONDS):
            moved = sum([self._move(position, world) for position, world in enumerate(self._worlds)])
            self._idle_rounds = 0 if moved else self._idle_rounds + 1

    def _move(self, position: int, world: World) -> int:
        moved = world.pump()
        if moved:
            self.last_moved_ms[position] = self._clock()
        return moved
