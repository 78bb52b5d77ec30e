"""One key's history: what each Region's replica saw, record by record, and what the worker decides about each.

recording of a Region -> its records of this key -> the worker, on the table that they show -> Seen, in order
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from reconciler.errors import ReconcilerError
from reconciler.explain import Explanation
from reconciler.policy import LAST_REGION, Policy
from reconciler.records import StreamRecord
from reconciler.resolver import ConflictResolver
from reconciler.wire import Image, plain_image, same
from replay_tools import bootstrap
from replay_tools.explain_text import is_named, plain_or_raw
from replay_tools.recordings import Recorded
from replay_tools.replay import explanations

LOSSES = frozenset({"repair", "escalate", "failed"})


@dataclass(frozen=True, slots=True)
class Seen:
    """One record of the key, in one Region."""

    place: str
    record: StreamRecord
    changes: tuple[Mapping[str, Any], ...]
    """Each ``{name, before, after}``, values left out where absent; bookkeeping is left out altogether."""
    decisions: tuple[Explanation, ...]

    @property
    def made_in(self) -> str | None:
        """The Region that made the newest write of the new image; None where it does not say."""
        name = plain_or_raw((self.record.new or {}).get(LAST_REGION, {"NULL": True}))
        return name if isinstance(name, str) else None

    @property
    def has_loss(self) -> bool:
        """Whether something was overwritten that the new image lacks, whatever became of it."""
        return any("conflict" in told or told["decision"] in LOSSES for told in self.decisions)

    @property
    def is_settled(self) -> bool:
        """Whether nothing stays lost, and nobody is asked."""
        return all(told["decision"] == "repair" or "conflict" not in told for told in self.decisions) and not any(
            told["decision"] in {"escalate", "failed"} for told in self.decisions
        )


@dataclass(frozen=True, slots=True)
class RegionHistory:
    """What one Region saw of the key, and what its replica holds in the end, repairs included (None: nothing)."""

    region: str
    seen: tuple[Seen, ...]
    end: Image | None


def history_of(wanted: str, recording: Iterable[Recorded], policy: Policy, region: str) -> RegionHistory:
    """Return one Region's history of the key that a person names."""
    policy.region_code(region)
    replay, table = bootstrap.replay(policy, region)
    seen = []
    for place, raw in recording:
        if _is_about(raw, wanted):
            judged = replay.judge(place, raw)
            changes = tuple(_changes(judged.record, policy))
            seen.append(Seen(place, judged.record, changes, tuple(explanations(judged, policy, region))))
    return RegionHistory(region, tuple(seen), next(iter(table.items()), None))


def converged(histories: Iterable[RegionHistory], policy: Policy) -> dict[str, Any] | None:
    """Return the item that every Region holds once all repairs have travelled; None where no join can say it."""
    ends = [history.end for history in histories if history.seen]
    try:
        items = [plain_image(end) for end in ends if end is not None]
        if len(items) < len(ends):
            return None
        merged = items[0]
        for item in items[1:]:
            merged = ConflictResolver(policy).resolve(merged, item)
    except (IndexError, ValueError, TypeError, AttributeError, ReconcilerError):
        return None
    return {name: value for name, value in merged.items() if policy.is_users(name)}


def _is_about(raw: Mapping[str, Any], wanted: str) -> bool:
    body = raw.get("dynamodb")
    keys = body.get("Keys") if isinstance(body, Mapping) else None
    if not isinstance(keys, Mapping):
        return False
    return is_named({name: plain_or_raw(value) for name, value in keys.items()}, wanted)


def _changes(record: StreamRecord, policy: Policy) -> Iterator[dict[str, Any]]:
    old, new = record.old or {}, record.new or {}
    for name in sorted(name for name in old.keys() | new.keys() if policy.is_users(name)):
        if not same(old.get(name), new.get(name)):
            sides = {"before": old.get(name), "after": new.get(name)}
            yield {"name": name, **{side: plain_or_raw(value) for side, value in sides.items() if value is not None}}
