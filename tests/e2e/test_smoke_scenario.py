"""The history that the smoke test plays in a real account, played on ministack; a cut stands for the pause."""

import time
from contextlib import contextmanager
from threading import Event, Thread

import pytest

from infra.e2e.region import TABLE, WORKER_STACK
from tests.e2e.world import A, B, eventually
from tests.smoke.scenario import Place, Smoke

pytestmark = pytest.mark.e2e
SHORTLY_S = 2


def shortly(ask):
    """Return what `ask` finds, if it finds it within two seconds."""
    deadline = time.monotonic() + SHORTLY_S
    while time.monotonic() < deadline:
        if found := ask():
            return found
        time.sleep(0.05)
    raise AssertionError(f"nothing within {SHORTLY_S} s")


@contextmanager
def replicating(world):
    """Let replication run by itself, in a thread, as AWS's does."""
    ended = Event()

    def run():
        while not ended.wait(0.05):
            world.replicator.step()

    thread = Thread(target=run)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()


@contextmanager
def cut(world):
    """Pause replication for the block."""
    world.cut()
    try:
        yield
    finally:
        world.heal()


def test_nothing_is_lost_while_replication_is_paused(world):
    """The whole history passes, and leaves no item behind."""
    a, b = (Place(world.regions[name].client, TABLE, WORKER_STACK) for name in (A, B))
    smoke = Smoke(a, b, "e2e", eventually, shortly)
    with replicating(world):
        try:
            smoke.play(cut(world))
        finally:
            left = smoke.clean_up()
        assert left == {}
        eventually(lambda: not any(place.item(key) for place in (a, b) for key in smoke.keys))


def test_regions_that_are_not_cut_off_are_noticed(world):
    """A pause that pauses nothing is no test: the history stops, and says so."""

    @contextmanager
    def no_pause():
        yield

    a, b = (Place(world.regions[name].client, TABLE, WORKER_STACK) for name in (A, B))
    smoke = Smoke(a, b, "idle", shortly, shortly)
    with replicating(world), pytest.raises(AssertionError, match="nothing within 2 s"):
        smoke.play(no_pause())
    smoke.clean_up()
