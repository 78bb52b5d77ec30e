"""Lineage: which record is a write, a replication or a repair, and which write was overwritten.

    us-east-1   v0 -> a1    a1 -> b1       a1 is the overwritten write; the next record shows what took it,
                          /               and b1 comes from eu-west-1, where the same version was seen before
    eu-west-1   v0 ---- b1

A ledger says exactly who executed what: the Region code of a stamp is the Region of its execution. Without one, the
Region that showed a version first has written it; where rounded times are equal, the one that the item names, else
the one that was named first.
"""

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from typing import assert_never

from reconciler.policy import Policy
from reconciler.stamps import CODE
from replay_tools.report.gather import Gathered
from replay_tools.report.marks import Kind, Mark, take
from replay_tools.report.seen import Finding, Seen

MAX_DIGITS = 64  # of a sequence number; DynamoDB's have 21 to 40

DELIVERED_AGAIN = "This record was delivered before: the recording holds it twice."

Sighting = tuple[str, str, int]
"""A key, a version of it, and the how-manieth time that one Region showed it."""


def lineage(gathered: Gathered, policy: Policy) -> list[list[Mark]]:
    """Return each lane's marks, by time and then by sequence number, with their kinds and where they come from."""
    lanes = [_lane(gathered.seen[region], number) for number, region in enumerate(gathered.regions)]
    sightings = _sightings(lanes)
    shown_by = {mark: shown for shown in sightings.values() for mark in shown}
    for lane, region in zip(lanes, gathered.regions, strict=True):
        _name_kinds(lane, f"{policy.region_code(region):02d}", shown_by)
    for shown in sightings.values():
        _link_replications(shown)
    for lane in lanes:
        _find_overwritten(lane)
    return lanes


def _lane(seen: Sequence[Seen], number: int) -> list[Mark]:
    """Return the lane's marks in order; a record that was delivered before is a duplicate."""
    delivered: set[str] = set()
    lane = []
    for each in sorted(seen, key=lambda each: (each.at_ms, _number(each.sequence_number))):
        kind = Kind.DUPLICATE if each.sequence_number in delivered else Kind.WRITE
        lane.append(Mark(each, number, kind, remarks=[DELIVERED_AGAIN] if kind is Kind.DUPLICATE else []))
        if each.sequence_number:
            delivered.add(each.sequence_number)
    return lane


def _number(sequence_number: str) -> int:
    is_number = sequence_number.isascii() and sequence_number.isdigit() and len(sequence_number) <= MAX_DIGITS
    return int(sequence_number) if is_number else 0


def _sightings(lanes: Sequence[Sequence[Mark]]) -> dict[Sighting, list[Mark]]:
    """Return who showed each version, in the order of lanes."""
    sightings: dict[Sighting, list[Mark]] = defaultdict(list)
    for lane in lanes:
        times: Counter[tuple[str, str]] = Counter()
        for mark in lane:
            version = (mark.seen.key, mark.seen.after or "")
            if mark.kind is not Kind.DUPLICATE and mark.seen.after:
                sightings[*version, times[version]].append(mark)
                times[version] += 1
    return sightings


def _name_kinds(lane: Sequence[Mark], code: str, shown_by: Mapping[Mark, Sequence[Mark]]) -> None:
    known: dict[str, set[str]] = defaultdict(set)
    for mark in lane:
        executions = known[mark.seen.key]
        if mark.kind is not Kind.DUPLICATE:
            mark.kind = _kind(mark, code, executions, shown_by.get(mark, [mark]))
        executions |= mark.seen.added | mark.seen.dropped


def _kind(mark: Mark, code: str, known: set[str], shown: Sequence[Mark]) -> Kind:
    added = mark.seen.added
    if not mark.seen.has_ledger or not added:
        return _kind_without_ledger(mark, shown)
    if any(stamp[CODE] == code and stamp not in known for stamp in added):
        return Kind.WRITE
    is_copy = any(other.seen.at_ms < mark.seen.at_ms for other in shown if other.lane != mark.lane)
    return Kind.REPAIR if added <= known and not is_copy else Kind.REPLICATION


def _kind_without_ledger(mark: Mark, shown: Sequence[Mark]) -> Kind:
    others = [other for other in shown if other.lane != mark.lane]
    earliest = min((other.seen.at_ms for other in others), default=None)
    if earliest is None or earliest > mark.seen.at_ms:
        return Kind.WRITE
    if earliest < mark.seen.at_ms:
        return Kind.REPLICATION
    ties = [other for other in shown if other.seen.at_ms == earliest]
    named = [other for other in ties if other.seen.written_in == other.seen.region]
    return Kind.WRITE if (named or ties)[0] is mark else Kind.REPLICATION


def _link_replications(shown: Sequence[Mark]) -> None:
    """Let each replication point to the mark that first showed its version elsewhere."""
    origins = [mark for mark in shown if mark.kind in {Kind.WRITE, Kind.REPAIR}]
    for mark in shown:
        if mark.kind is Kind.REPLICATION:
            candidates = [other for other in origins or shown if other.lane != mark.lane]
            mark.source = min(candidates, key=lambda other: other.seen.at_ms, default=None)


def _find_overwritten(lane: Sequence[Mark]) -> None:
    newest: dict[str, Mark] = {}
    for mark in lane:
        if mark.kind is Kind.DUPLICATE:
            continue
        replaced = newest.get(mark.seen.key)
        if replaced and replaced.seen.after != mark.seen.before:
            replaced = None
        _judge(mark, replaced)
        newest[mark.seen.key] = mark


def _judge(mark: Mark, replaced: Mark | None) -> None:
    """Mark the overwritten write; what took it itself, where the recording begins too late to show the write."""
    match mark.seen.finding:
        case Finding.OVERWROTE:
            take(replaced, mark, Kind.OVERWRITTEN, _lost(replaced, mark))
        case Finding.REPEATED:
            take(replaced, mark, Kind.DUPLICATE)
        case Finding.ATTENTION:
            mark.kind = Kind.ATTENTION
        case Finding.NOTHING:
            pass
        case _:
            assert_never(mark.seen.finding)


def _lost(replaced: Mark | None, mark: Mark) -> tuple[str, ...]:
    """Return what the overwritten write itself had set, of what the winner does not hold."""
    if replaced is None:
        return mark.seen.lost
    return tuple(name for name in mark.seen.lost if name.split("/", 1)[0] in replaced.seen.changed)
