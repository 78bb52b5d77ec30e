"""Sentences: what `explain` tells as data, told to a person who never saw a conflict.

They hold the item's values: they are for whoever asks at a terminal, never for a log.
"""

from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Any

from reconciler.conflict import Kind
from reconciler.decisions import Fine, Trouble

MAX_SHOWN = 40  # characters of one value, and elements of one list

_NOTHING = {
    Fine.CREATED: "Nothing was lost: {item} is new in {region}, so that nothing was overwritten.",
    Fine.INCLUDED: "Nothing was lost: the new version of {item} in {region} includes {witness} of the one it replaced.",
    Fine.UNCHANGED: "Nothing was lost: both versions of {item} in {region} are equal.",
    Fine.ALREADY_REPAIRED: "Nothing is left to do: a version of {item} was overwritten in {region}, "
    "but the table's item includes {witness} of it again.",
    Fine.SUCCESSOR: "Nothing seems lost: by Version and Timestamp, the new version of {item} in {region} "
    "was written by someone who had seen the one it replaced.",
    Fine.UNMANAGED: "Left alone: {item} in {region} has no usable Timestamp, so that nobody can tell what was lost.",
    Fine.EXPIRED: "Nothing was lost: what {item} replaced or left in {region} was the mark of a delete, past its time.",
    Fine.BEATEN: "In {region}, a delete of {item} beat {writes} that it had not seen: the delete stands, and "
    "the loss is recorded ({fates}).",
    Fine.HARD_DELETED: "In {region}, {item} was removed for good, by someone other than the writer: that is accepted, "
    "and the loss is recorded ({fates}).",
    Fine.REPORTED: "In {region}, someone changed {item} without the writer: the table's item stays as it is, and "
    "the change is recorded ({fates}).",
}

_REPAIRED = {
    Kind.OVERWRITTEN: "In {region}, {item} was overwritten by another Region's version, which had not seen {writes}: "
    "both were joined, and now {fates}.",
    Kind.SWEPT: "In {region}, a late time-to-live removal, meant for the deleted {item} of before, took the new one: "
    "it was put back, and now {fates}.",
    Kind.HARD_DELETE: "In {region}, {item} was removed for good, by someone other than the writer: "
    "it was put back, and now {fates}.",
    Kind.FOREIGN: "In {region}, someone changed {item} without the writer: "
    "the change was taken over as a write of its own, and now {fates}.",
}

_DELETED = (
    "In {region}, the delete of {item} was overwritten by another Region's version, which had not seen it: "
    "the delete stands again."
)

_TROUBLE = {
    Trouble.MALFORMED: "its bookkeeping cannot be read",
    Trouble.BROKEN_RECORD: "the stream record itself cannot be read",
    Trouble.MERGE_FAILED: "the two versions could not be merged",
    Trouble.UNSTORABLE: "DynamoDB cannot hold what the two versions become together",
    Trouble.TOO_LARGE: "the two versions together pass a limit of DynamoDB",
    Trouble.DIVERGED: "the two versions parted too long ago to be told apart exactly",
    Trouble.MANUAL: "the policy leaves the choice between the two values to a person",
    Trouble.FOREIGN: "someone changed it without the writer",
    Trouble.HARD_DELETE: "it was removed for good, by someone other than the writer",
    Trouble.LOST_TO_DELETE: "a delete beat writes that it had not seen",
}


def sentence(data: Mapping[str, Any]) -> str:
    """Return what `explain` told, as one English sentence, safe to print, and whether it is exact or approximate."""
    return f"{_printable(_sentence(data))} ({data['mode']})"


def _sentence(data: Mapping[str, Any]) -> str:
    words = {
        "region": data["region"],
        "item": _item(data["key"]),
        "writes": _writes(data),
        "fates": _fates(data.get("attributes", [])),
        "witness": _witnessed(data),
    }
    match data["decision"]:
        case "noop":
            text = _NOTHING[_fine(data)].format(**words)
        case "repair" if data["now_deleted"]:
            text = _DELETED.format(**words)
        case "repair":
            text = _REPAIRED[Kind(data["kind"])].format(**words)
        case _:
            trouble = _TROUBLE[Trouble(data["reason"])]
            return "In {region}, {item} waits in the queue for a person: {trouble} ({detail}).".format(
                **words, trouble=trouble, detail=data["detail"]
            )
    if data.get("kind") and data["mode"] == "approximate":
        return f"As far as can be told without a ledger: {text[0].lower()}{text[1:]}"
    return text


def _item(key: Mapping[str, Any]) -> str:
    if len(key) == 1:
        return f"item {_shown(next(iter(key.values())))}"
    return f"item {' '.join(f'{name} {_shown(value)}' for name, value in key.items())}" if key else "an unknown item"


def _writes(data: Mapping[str, Any]) -> str:
    count = len(data.get("writes", []))
    return {0: "a repetition of a write", 1: "1 write"}.get(count, f"{count} writes")


def _witnessed(data: Mapping[str, Any]) -> str:
    executions = data.get("witness", {}).get("executions", 0)
    return {0: "everything", 1: "the 1 write"}.get(executions, f"all {executions} writes")


def _fine(data: Mapping[str, Any]) -> Fine:
    """Return the reason; what the new version lacks, and nothing has lost, is in the table."""
    reason, witness = Fine(data["reason"]), data.get("witness", {})
    lacking = witness.get("included") != witness.get("executions")
    return Fine.ALREADY_REPAIRED if reason is Fine.INCLUDED and lacking else reason


def _fates(attributes: Iterable[Mapping[str, Any]]) -> str:
    fates = [_fate(attribute) for attribute in attributes]
    more = [f"{len(fates) - MAX_SHOWN} more"] if len(fates) > MAX_SHOWN else []
    return "; ".join(fates[:MAX_SHOWN] + more) or "every attribute is as it was"


def _fate(attribute: Mapping[str, Any]) -> str:
    name, policy = attribute["name"], attribute["policy"]
    values = {
        side: _shown(attribute[side]) if side in attribute else "absent" for side in ("overwritten", "winner", "now")
    }
    match attribute["fate"]:
        case "restored":
            instead = f", not {values['winner']}" if "winner" in attribute else ""
            return f"{name} is {values['now']} again{instead} ({policy})"
        case "merged":
            return f"{name} is {values['now']}, from {values['overwritten']} and {values['winner']} ({policy})"
        case _:
            return f"{name} is {values['now']}, no longer {values['overwritten']} ({policy})"


def _shown(value: Any) -> str:  # noqa: ANN401 - any Python value
    """Write a value for a person, cut where it is long."""
    text = _written(value)
    return text if len(text) <= MAX_SHOWN else f"{text[: MAX_SHOWN - 1]}…"


def _written(value: Any) -> str:  # noqa: ANN401 - any Python value
    match value:
        case str():
            return f'"{value}"'
        case set() | frozenset():
            return f"{{{', '.join(sorted(map(_written, value)))}}}"
        case list():
            return f"[{', '.join(map(_written, value))}]"
        case dict():
            return f"{{{', '.join(f'{name}: {_written(member)}' for name, member in value.items())}}}"
        case bytes():
            return f"binary of {len(value)} bytes"
        case _:
            return _scalar(value)


def _scalar(value: object) -> str:
    if isinstance(value, Decimal):
        return f"{value:f}"
    return "null" if value is None else str(value).lower() if isinstance(value, bool) else str(value)


def _printable(text: str) -> str:
    """Escape what a terminal would take as a command."""
    return "".join(letter if letter.isprintable() else f"\\u{ord(letter):04x}" for letter in text)
