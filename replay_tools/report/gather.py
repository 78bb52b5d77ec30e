"""Gather: the records of every Region through the real worker, kept as what they show and what was decided."""

import re
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field

from reconciler.conflict import stable_hash
from reconciler.explain import Explanation
from reconciler.policy import CAUSALITY, Policy, Region
from reconciler.records import RawRecord, StreamRecord
from reconciler.wire import Image, digest, stable_json
from replay_tools.recordings import Recorded, RecordingError, read_recording
from replay_tools.replay import Judged, Replay, explanations, told_as_sentence
from replay_tools.report.seen import Seen, changed_names, executions, finding_of
from replay_tools.report.values import content, key_text, printable

MAX_RECORDS = 200_000  # beyond that a browser is slow to open the page

_SET_OF_SEVERAL = re.compile(r'"[SNB]S":\["(?:[^"\\]|\\.)*",')  # its order means nothing, so that bytes do not compare

Player = Callable[[Policy, str], Replay]
Advance = Callable[[int], None]


@dataclass(slots=True)
class Gathered:
    """What every Region's recording shows, in the order of each recording."""

    regions: tuple[str, ...]
    seen: dict[str, list[Seen]] = field(default_factory=dict)
    counts: Counter[tuple[str, str, str]] = field(default_factory=Counter)
    """How often each Region's worker decided what, and why."""


def gather(sources: Mapping[str, str], policy: Policy, player: Player, advance: Advance) -> Gathered:
    """Judge every record of every Region's recording; RecordingError where there are more than a page can hold."""
    gathered = Gathered(tuple(sources))
    for region, path in sources.items():
        policy.region_code(region)
        judge(read_recording(path), player(policy, region), policy, gathered, advance)
    return gathered


def judge(
    recording: Iterable[Recorded], replay: Replay, policy: Policy, gathered: Gathered, advance: Advance = lambda _: None
) -> None:
    """Add what one Region's recording shows, and what its worker decides."""
    seen = gathered.seen.setdefault(replay.region, [])
    for judged in replay.judge_all(recording):
        told = list(explanations(judged, policy, replay.region))
        gathered.counts.update((replay.region, each["decision"], each["reason"]) for each in told)
        seen.append(_seen(judged, told, policy, replay.region, seen[-1].at_ms if seen else 0))
        if sum(map(len, gathered.seen.values())) > MAX_RECORDS:
            raise RecordingError(f"{judged.place}: a page holds at most {MAX_RECORDS} records; give shorter recordings")
        advance(1)


def policy_for(sources: Mapping[str, str]) -> Policy:
    """Return the policy of a table that has none: the records' own key, the Regions named, every attribute latest."""
    for path in sources.values():
        for _, raw in read_recording(path):
            names = _key_names(raw)
            if names:
                regions = tuple(map(Region, sources))
                return Policy("table", names[0], regions, sort_key=names[1] if len(names) > 1 else None)
    raise RecordingError(f"{', '.join(sources.values())}: no record in it has a key")


def _key_names(raw: RawRecord) -> list[str]:
    body = raw.get("dynamodb")
    keys = body.get("Keys") if isinstance(body, Mapping) else None
    return list(keys) if isinstance(keys, Mapping) else []


def _seen(judged: Judged, told: Sequence[Explanation], policy: Policy, region: str, before_ms: int) -> Seen:
    record = judged.record
    ours, theirs = executions(record.old), executions(record.new)
    return Seen(
        region=region,
        key=key_text(record.key),
        at_ms=before_ms if record.at_ms is None else record.at_ms,
        sequence_number=record.sequence_number,
        before=_fingerprint(record.old),
        after=_fingerprint(record.new) if record.new else _removal(record),
        has_ledger=CAUSALITY in (record.new or record.old or {}),
        added=theirs - ours,
        dropped=ours - theirs,
        changed=tuple(map(printable, changed_names(record.old, record.new, policy))),
        written_in=_written_in(record.new),
        finding=finding_of(judged),
        lost=_lost(told),
        decisions=tuple((each["decision"], each["reason"]) for each in told),
        mode=str(told[0].get("mode", "")) if told else "",
        says=tuple(map(told_as_sentence, told)),
        content=content(judged.place, record.operation, record.old, record.new),
    )


def _fingerprint(image: Image | None) -> str | None:
    if image is None:
        return None
    text = stable_json(image)
    if _SET_OF_SEVERAL.search(text):
        with suppress(AttributeError, TypeError, ValueError):
            return digest(image)
    return stable_hash(text)


def _removal(record: StreamRecord) -> str | None:
    """Return what tells one removal from another: the version that it took."""
    return f"without {_fingerprint(record.old)}" if record.old else None


def _written_in(image: Image | None) -> str | None:
    named = ((image or {}).get("LastUpdatedRegion") or {}).get("S")
    return named if isinstance(named, str) else None


def _lost(told: Sequence[Explanation]) -> tuple[str, ...]:
    names = {
        attribute["name"] for each in told for attribute in each.get("attributes", ()) if "overwritten" in attribute
    }
    return tuple(sorted(map(printable, names)))
