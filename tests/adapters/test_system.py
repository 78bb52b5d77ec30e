"""The system's clock, randomness and waiting."""

import time

from reconciler.adapters import system


def test_the_clock_tells_milliseconds():
    """It stands between two readings of the system's own."""
    before = time.time_ns() // 1_000_000
    assert before <= system.clock_ms() <= time.time_ns() // 1_000_000


def test_no_key_comes_twice():
    """A thousand keys are a thousand."""
    assert len({system.new_key() for _ in range(1_000)}) == 1_000


def test_a_pause_grows_and_is_bounded(monkeypatch):
    """The longest wait doubles with each attempt, up to a second."""
    slept = []
    monkeypatch.setattr(time, "sleep", slept.append)
    monkeypatch.setattr("random.uniform", lambda _, longest: longest)
    for attempt in (1, 2, 3, 50):
        system.pause(attempt)
    assert slept == [0.04, 0.08, 0.16, 1.0]
