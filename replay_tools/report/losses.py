"""Losses: what `audit --json` found, an object a line, for recordings whose items have no ledger."""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from replay_tools.recordings import RecordingError
from replay_tools.report.marks import Kind, Mark, take
from replay_tools.report.values import printable

MAX_LINE_CHARACTERS = 1 << 20

Place = tuple[str, str]
"""A Region, and the sequence number of a record in its stream."""


@dataclass(frozen=True, slots=True)
class Loss:
    """A write that last writer wins took."""

    write: Place
    overwriter: Place
    attributes: tuple[str, ...]
    exactness: str
    why: str
    made_in: str | None


def read_losses(path: str) -> Iterator[Loss]:
    """Yield the losses of a file; RecordingError names the line that is none."""
    with Path(path).open(encoding="utf-8") as file:
        for number, line in enumerate(file, 1):
            if line.strip():
                yield _loss(line, f"{path}:{number}")


def _loss(line: str, place: str) -> Loss:
    try:
        told = json.loads(line)
        by = told["overwritten_by"]
        return Loss(
            write=(_text(told, "region"), _text(told, "sequence_number")),
            overwriter=(_text(by, "region"), _text(by, "sequence_number")),
            attributes=tuple(map(str, told["attributes"])),
            exactness=_text(told, "exactness"),
            why=_text(told, "why"),
            made_in=by.get("made_in"),
        )
    except (KeyError, TypeError, AttributeError, ValueError, RecursionError) as error:
        raise RecordingError(f"{place}: is no lost write as `audit --json` prints them: {error}") from error


def _text(told: Mapping[str, Any], name: str) -> str:
    value = told[name]
    if not isinstance(value, str):
        raise ValueError(f"{name} is no text")  # noqa: TRY004 - one error type for whatever is no loss
    return value


def tell_losses(losses: Iterable[Loss], lanes: Sequence[Sequence[Mark]]) -> int:
    """Mark the writes that `audit` says were lost; return how many of them no recording holds."""
    marks = {(mark.seen.region, mark.seen.sequence_number): mark for lane in lanes for mark in reversed(lane)}
    unknown = 0
    for loss in losses:
        mark = take(
            marks.get(loss.write), marks.get(loss.overwriter), Kind.OVERWRITTEN, map(printable, loss.attributes)
        )
        if mark:
            mark.remarks.append(_sentence(loss))
        else:
            unknown += 1
    return unknown


def _sentence(loss: Loss) -> str:
    made_in = f"{loss.made_in}'s version" if loss.made_in else "another version"
    names = ", ".join(loss.attributes) or "no attribute's value"
    return printable(
        f"Audit: overwritten in {loss.write[0]} by {made_in}, taking {names}: {loss.why} ({loss.exactness})"
    )
