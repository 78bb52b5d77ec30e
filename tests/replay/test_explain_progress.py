"""Progress: on a terminal alone, and only for who has waited."""

import io
import sys
from itertools import count

import pytest

from replay_tools import explain_progress
from replay_tools.explain_progress import with_progress
from replay_tools.recordings import Recorded

RECORDS = [Recorded(str(number), {}) for number in range(7)]


class Terminal(io.StringIO):
    """A standard error that says what it is."""

    def __init__(self, *, is_one: bool) -> None:
        """Start empty."""
        super().__init__()
        self._is_one = is_one

    def isatty(self) -> bool:
        """Say whether a person looks at it."""
        return self._is_one


@pytest.mark.parametrize(
    ("is_terminal", "step_ms", "is_shown"), [(True, 3_000, True), (True, 1, False), (False, 3_000, False)]
)
def test_progress_is_shown_late_and_to_a_person(
    monkeypatch: pytest.MonkeyPatch, *, is_terminal: bool, step_ms: int, is_shown: bool
) -> None:
    """The records are the same in every case; how many there were, and how fast, is said in one place."""
    monkeypatch.setattr(explain_progress, "EVERY", 1)
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setattr(sys, "stderr", terminal := Terminal(is_one=is_terminal))
    times = count(0, step_ms)
    assert [*with_progress(RECORDS, "stream.ndjson", lambda: next(times))] == RECORDS
    assert ("stream.ndjson: " in terminal.getvalue()) == is_shown
