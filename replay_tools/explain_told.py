"""One key's history as lines for a person: what each Region saw, what was lost, what the policy decided, the end."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from reconciler.conflict import Kind
from reconciler.conflict_event import iso_time
from reconciler.explain import Explanation
from reconciler.policy import CAUSALITY, Policy
from replay_tools.explain_history import RegionHistory, Seen, converged
from replay_tools.explain_text import printable, shown
from replay_tools.replay import told_as_sentence

MAX_CHANGES = 4  # of one record: a person reads what was lost below

UNCHANGED = "every attribute is as it was"  # what `sentence` says where no attribute is told

REASONS = {
    "latest": "the later write wins",
    "manual": "the later write stands until a person has chosen",
    "counter": "every increment counts once",
    "set": "an element goes only by a removal that had seen it",
    "union": "elements are only ever added",
    "max": "the greater wins",
    "min": "the smaller wins",
    "rank": "the later in the order wins",
    "custom": "the policy's own function says so",
    "map": "member by member",
}


def lines_of(histories: Sequence[RegionHistory], policy: Policy) -> Iterator[str]:
    """Yield the whole history."""
    for history in histories:
        yield ""
        yield f"{history.region} saw"
        yield from _seen(history.seen) if history.seen else ["  nothing"]
    yield ""
    losses = [(history.region, seen) for history in histories for seen in history.seen if seen.has_loss]
    if not losses:
        yield "Nothing was lost."
    for region, seen in losses:
        yield from _loss(region, seen)
        yield ""
    yield from _end(histories, policy)


def _seen(records: Sequence[Seen]) -> Iterator[str]:
    """Yield a line for each record; those far from any loss are only counted."""
    passed = 0
    for position, seen in enumerate(records):
        near = records[max(position - 1, 0) : position + 2]
        if any(each.has_loss for each in near) or position in {0, len(records) - 1}:
            if passed:
                yield f"  … {passed} more, and nothing lost"
            passed = 0
            yield printable(f"  {_record(seen)}")
        else:
            passed += 1


def _record(seen: Seen) -> str:
    record = seen.record
    time = iso_time(record.at_ms) or "at no known time"
    made = f", by {seen.made_in}" if seen.made_in else ""
    changes = [_change(change) for change in seen.changes[:MAX_CHANGES]]
    more = [f"{len(seen.changes) - MAX_CHANGES} more"] if len(seen.changes) > MAX_CHANGES else []
    what = "; ".join(changes + more) or "no attribute of the user's"
    mark = "   <- LOSS" if seen.has_loss else ""
    return f"{time}  {_operation(seen)}{made}: {what}{mark}"


def _operation(seen: Seen) -> str:
    record = seen.record
    if record.operation == "MODIFY" and record.new is not None and _is_deleted(record.new):
        return "deleted"
    return {"INSERT": "created", "MODIFY": "changed", "REMOVE": "removed"}.get(record.operation, "unreadable")


def _is_deleted(image: Mapping[str, Any]) -> bool:
    return CAUSALITY in image and "ExpiresAt" in image


def _change(change: Mapping[str, Any]) -> str:
    before, after = (shown(change[side]) if side in change else "absent" for side in ("before", "after"))
    return f"{change['name']} {after}" if before == "absent" else f"{change['name']} {before} -> {after}"


def _loss(region: str, seen: Seen) -> Iterator[str]:
    """Yield what one record shows to be lost: in a sentence, then attribute by attribute."""
    yield f"Lost in {region}, at {seen.place}"
    for told in seen.decisions:
        attributes = told.get("attributes", ())
        yield f"  {_headline(told)}"
        for attribute in attributes:
            yield printable(f"    {_attribute(attribute, told['kind'])}")


def _headline(told: Explanation) -> str:
    """Return the decision's sentence; what is told attribute by attribute below is left out of it."""
    if not told.get("attributes"):
        return told_as_sentence(told)
    text = told_as_sentence({**told, "attributes": []}).replace(", and now ", " ").replace(f" ({UNCHANGED})", "")
    return text.replace(f" {UNCHANGED}.", ".")


def _attribute(attribute: Mapping[str, Any], kind: str) -> str:
    """Return what became of one attribute, and by which rule, where the policy had a say."""
    name, policy = attribute["name"], attribute["policy"]
    old, winner, now = (
        shown(attribute[side]) if side in attribute else "" for side in ("overwritten", "winner", "now")
    )
    match attribute["fate"]:
        case "restored":
            text = f"is {now} again, {f'not {winner}' if winner else 'which the winner did not have'}"
        case "merged":
            text = f"is {now}, from {old or 'nothing'} and {winner or 'nothing'}"
        case _:
            text = f"is {now}, no longer {old or 'absent'}" if now else f"is gone; it was {old}"
    decided = kind == Kind.OVERWRITTEN.value and (winner or attribute["fate"] != "restored")
    return f"{name} {text}{f': {REASONS[policy]}' if decided else ''} ({policy})"


def _end(histories: Sequence[RegionHistory], policy: Policy) -> Iterator[str]:
    absent = [history.region for history in histories if history.seen and history.end is None]
    if absent:
        yield f"In the end it is gone in {', '.join(absent)}."
    item = converged(histories, policy)
    if item is not None:
        content = ", ".join(f"{name} {shown(value)}" for name, value in sorted(item.items()))
        yield printable(f"In the end, once repairs have travelled: {content or 'it is deleted'}.")
