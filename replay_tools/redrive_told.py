"""What became of a poison message, as data and as lines; both hold the item's values, for who has to choose."""

from collections.abc import Iterator, Mapping
from typing import Any

from reconciler.conflict_event import iso_time
from reconciler.decisions import Trouble
from reconciler.errors import ItemError
from reconciler.failed_request import FailedRequest
from reconciler.poison import PoisonMessage
from reconciler.policy import Policy
from reconciler.redrive_run import RENEW_AT_RECEIVES, Redriven
from reconciler.sentences import sentence
from reconciler.wire import Image, Value, same
from replay_tools.explain_text import plain_or_raw, printable, shown, shown_key
from replay_tools.redrive_choice import differing
from replay_tools.redrive_chosen import QUESTIONS

Told = Mapping[str, Any]


def told_of(redriven: Redriven, policy: Policy, *, applied: bool) -> Told:
    """Return ``{settled, applied, why, detail, queue_messages, receives}``, and what the message says.

    Of a worker's message ``message, reason, region, table, key, sequence_number, at, attributes, sentence``, each
    attribute ``{name, policy, overwritten, winner}`` with a value left out where absent; of a request ``execution``.
    """
    fate = redriven.fate
    return {
        **_content(redriven.content, policy),
        "settled": fate.settled,
        "applied": applied,
        "why": fate.why,
        "detail": fate.detail,
        "queue_messages": [message.message_id for message in redriven.messages],
        "receives": max(message.receives for message in redriven.messages),
    }


def lines_of(told: Told) -> Iterator[str]:
    """Yield what a person reads of one message."""
    source = ", ".join(told["queue_messages"])
    if "message" in told:
        head = f"{told['reason']}  {told['region']}  item {shown_key(told['key'])}  message {told['message']}"
        yield printable(f"{head}  ({source})")
        yield f"  {told['sentence']}"
        for attribute in told["attributes"]:
            yield f"  {_attribute(attribute)}"
    else:
        what = f"request  {told['execution']}" if "execution" in told else "unread"
        yield printable(f"{what}  ({source})")
    yield f"  {_fate(told)}"
    if told["receives"] >= RENEW_AT_RECEIVES and not told["applied"]:
        yield f"  received {told['receives']} times: the queue may soon set it aside; --apply sends it anew"


def _content(content: PoisonMessage | FailedRequest | None, policy: Policy) -> dict[str, Any]:
    match content:
        case PoisonMessage():
            key = {name: plain_or_raw(value) for name, value in content.key.items()}
            return {
                "message": content.id,
                "reason": content.reason,
                "region": content.region,
                "table": content.table,
                "key": key,
                "sequence_number": content.sequence_number,
                "at": iso_time(content.at_ms),
                "attributes": [*_attributes(content, policy)],
                "sentence": _sentence(content, key),
            }
        case FailedRequest():
            return {"execution": content.execution}
        case _:
            return {}


def _attributes(message: PoisonMessage, policy: Policy) -> Iterator[dict[str, Any]]:
    try:
        pairs = differing(message, policy)
    except (ItemError, ValueError, AttributeError, TypeError):  # malformed images are shown as they came
        pairs = _raw_pairs(message.old_image or {}, message.new_image or {}, policy)
    for path, (old, new) in pairs.items():
        values = {"overwritten": old, "winner": new}
        told = {name: plain_or_raw(value) for name, value in values.items() if value is not None}
        yield {"name": path, "policy": policy.of(path).kind.value, **told}


def _raw_pairs(old: Image, new: Image, policy: Policy) -> dict[str, tuple[Value | None, Value | None]]:
    names = sorted(name for name in old.keys() | new.keys() if policy.is_users(name))
    return {name: (old.get(name), new.get(name)) for name in names if not same(old.get(name), new.get(name))}


def _sentence(message: PoisonMessage, key: Mapping[str, Any]) -> str:
    if message.reason not in {trouble.value for trouble in Trouble}:
        return printable(f"A reason that this version does not know: {message.detail}.")
    head: dict[str, Any] = {"decision": "escalate", "mode": message.mode.value, "key": key, "attributes": []}
    return sentence(head | {"region": message.region, "reason": message.reason, "detail": message.detail})


def _attribute(attribute: Told) -> str:
    sides = {side: shown(attribute[side]) if side in attribute else "absent" for side in ("overwritten", "winner")}
    name = printable(attribute["name"])
    return f"{name} ({attribute['policy']}): overwritten {sides['overwritten']}, winner {sides['winner']}"


def _fate(told: Told) -> str:
    verb = ("settled" if told["applied"] else "would be settled") if told["settled"] else "stays"
    detail = f" ({told['detail']})" if told["detail"] else ""
    hint = "; --take old, new or join answers it" if not told["settled"] and told["why"] in QUESTIONS else ""
    return printable(f"{verb}: {told['why']}{detail}{hint}")
