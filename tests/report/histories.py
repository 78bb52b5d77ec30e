"""Histories in two Regions as marks, told in few words."""

from typing import Any

from reconciler.policy import Policy
from reconciler.records import RawRecord
from replay_tools import bootstrap
from replay_tools.recordings import Recorded
from replay_tools.report.gather import Gathered, judge
from replay_tools.report.lineage import lineage
from replay_tools.report.marks import Mark
from tests.replay.regions import POLICY, A, B, Regions


def lanes_of(regions: Regions, policy: Policy = POLICY) -> list[list[Mark]]:
    """Return both Regions' marks."""
    return lanes_from({region: [each.raw for each in regions.recording(region)] for region in (A, B)}, policy)


def lanes_from(streams: dict[str, list[RawRecord]], policy: Policy = POLICY) -> list[list[Mark]]:
    """Return the marks of streams."""
    gathered = Gathered(tuple(streams))
    for region, stream in streams.items():
        recording = [Recorded(f"line {number}", raw) for number, raw in enumerate(stream, 1)]
        judge(recording, bootstrap.replay(policy, region)[0], policy, gathered)
    return lineage(gathered, policy)


def kinds(lanes: list[list[Mark]]) -> list[list[str]]:
    """Return each lane's kinds of marks."""
    return [[mark.kind.value for mark in lane] for lane in lanes]


def plain_record(region: str, number: int, at: float, old: Any = None, new: Any = None) -> RawRecord:
    """Return a record of an item `x` of any table: its attribute `v` goes from `old` to `new`."""
    images = {"OldImage": old, "NewImage": new}
    body = {
        "ApproximateCreationDateTime": at,
        "Keys": {"Id": {"S": "x"}},
        "SequenceNumber": str(number),
        **{name: {"Id": {"S": "x"}, "v": {"S": value}} for name, value in images.items() if value is not None},
    }
    event = "INSERT" if old is None else "REMOVE" if new is None else "MODIFY"
    return {"eventName": event, "eventSource": "aws:dynamodb", "awsRegion": region, "dynamodb": body}
