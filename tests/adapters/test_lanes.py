"""Several keys at a time, where that pays."""

from threading import Barrier, get_ident
from time import sleep

import pytest

from reconciler.adapters.lanes import Lanes

SOON_SECONDS = 10
BLINK_SECONDS = 0.02


class Clock:
    """Stands at a time until it is set."""

    def __init__(self) -> None:
        """Stand at the beginning."""
        self.now = 0.0

    def __call__(self) -> float:
        """Say what time it is."""
        return self.now


class Site:
    """Four lanes whose keys take what they are told to take."""

    def __init__(self, *, elapsed: float, worked: float) -> None:
        """Let each key take so long, of which the processor so long."""
        self._each = elapsed, worked
        self._elapsed, self._worked = Clock(), Clock()
        self.lanes = Lanes(4, elapsed=self._elapsed, worked=self._worked)

    def pass_time(self) -> None:
        """Let one key's time pass."""
        elapsed, worked = self._each
        self._elapsed.now += elapsed
        self._worked.now += worked

    def thread(self, _: int) -> int:
        """Settle a key; return in which thread."""
        self.pass_time()
        sleep(BLINK_SECONDS)
        return get_ident()


def test_every_key_is_taken_once() -> None:
    """Whoever takes it."""
    assert sorted(Lanes(4)(lambda key: key, range(1000))) == list(range(1000))


def test_no_key_is_no_work() -> None:
    """A batch without a suspect asks nothing of the lanes."""
    assert Lanes(4)(lambda key: key, []) == []


def test_keys_that_wait_are_taken_at_the_same_time() -> None:
    """After the first, which waited longer than it worked, four lanes meet: one alone would wait in vain."""
    site, meeting = Site(elapsed=5, worked=2), Barrier(4, timeout=SOON_SECONDS)

    def met(key: int) -> int:
        site.pass_time()
        if key:
            meeting.wait()
        return key

    assert sorted(site.lanes(met, range(9))) == list(range(9))


def test_keys_that_wait_less_than_they_work_stay_in_one_thread() -> None:
    """Threads would only take the interpreter from each other."""
    site = Site(elapsed=2, worked=1)
    assert set(site.lanes(site.thread, range(20))) == {get_ident()}


def test_a_single_key_needs_no_other_lane() -> None:
    """However long it waits."""
    site = Site(elapsed=9, worked=1)
    assert site.lanes(site.thread, [1]) == [get_ident()]


@pytest.mark.parametrize("broken", [0, 1, 5])
def test_an_error_is_raised_once_every_lane_has_stopped(broken: int) -> None:
    """No key is begun after it, and none is still at work when the caller learns of it."""
    site = Site(elapsed=9, worked=1)
    begun, ended = [], []

    def settled(key: int) -> None:
        begun.append(key)
        site.pass_time()
        sleep(BLINK_SECONDS)
        if key == broken:
            raise ValueError(key)
        sleep(BLINK_SECONDS)
        ended.append(key)

    with pytest.raises(ValueError, match=str(broken)):
        site.lanes(settled, range(100))
    assert {*begun} - {*ended} == {broken}
    assert len(begun) < 100


def test_the_lanes_serve_again_after_an_error() -> None:
    """The next batch finds them as they were."""
    lanes = Lanes(2)
    with pytest.raises(ZeroDivisionError):
        lanes(lambda key: 1 // key, [0])
    assert sorted(lanes(lambda key: key, range(5))) == list(range(5))
