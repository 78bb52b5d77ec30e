"""Order: where marks are drawn, so that order reads from left to right although times are rounded.

    times as recorded     12:00:01  12:00:01  12:00:01 | 12:00:02
    drawn at              12:00:01.17   .50       .83  | 12:00:02.5

Within one rounded moment each Region's records keep the order of their sequence numbers, and a version is drawn after
the record that it comes from.
"""

from collections.abc import Iterator, Sequence
from itertools import groupby

from replay_tools.report.marks import Mark

STEPS_MS = (60_000, 1_000, 1)  # DynamoDB Local rounds to a minute, DynamoDB to a second, Kinesis does not


def arrange(lanes: Sequence[Sequence[Mark]]) -> tuple[list[Mark], int]:
    """Return all marks from left to right, placed, and by how many milliseconds their times are rounded."""
    marks = list(_merged(lanes))
    step_ms = next(step for step in STEPS_MS if all(mark.seen.at_ms % step == 0 for mark in marks))
    first_ms = marks[0].seen.at_ms if marks else 0
    for at_ms, group in groupby(marks, key=lambda mark: mark.seen.at_ms):
        together = list(group)
        for position, mark in enumerate(together):
            within_us = step_ms * 1_000 * (2 * position + 1) // (2 * len(together))
            mark.x_us = (at_ms - first_ms) * 1_000 + within_us
    return marks, step_ms


def _merged(lanes: Sequence[Sequence[Mark]]) -> Iterator[Mark]:
    heads = [0] * len(lanes)
    drawn: set[Mark] = set()
    while waiting := [lane[head] for lane, head in zip(lanes, heads, strict=True) if head < len(lane)]:
        at_ms = min(mark.seen.at_ms for mark in waiting)
        due = [mark for mark in waiting if mark.seen.at_ms == at_ms]
        mark = min(due, key=lambda mark: _turn(mark, drawn, heads[mark.lane] / len(lanes[mark.lane])))
        heads[mark.lane] += 1
        drawn.add(mark)
        yield mark


def _turn(mark: Mark, drawn: set[Mark], done: float) -> tuple[bool, bool, float]:
    """Return whose turn it is: a copy soon after its original and never before it, else the lane that lags behind."""
    is_early = mark.source is not None and mark.source not in drawn
    return is_early, mark.source is None, done
