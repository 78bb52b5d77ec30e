"""Included: is anything lost? Asked for every record, and nearly always the answer is no.

It looks at two dictionaries as the stream delivers them: nothing is deserialised, converted or copied unless the two
ledgers differ in more than what the new one adds.
"""

from collections.abc import Iterable, Mapping
from collections.abc import Set as AbstractSet

from reconciler.causality import causality_of, decode_ledger
from reconciler.ledger import includes
from reconciler.policy import CAUSALITY, Policy
from reconciler.records import RawRecord
from reconciler.stamps import CLIENT_CODE, CODE, is_stamp
from reconciler.wire import Image, Value


def included(old: Image, new: Image, policy: Policy) -> bool | None:
    """Say whether `new` has every execution of `old`, two images with `Causality`; None where the horizon hides it."""
    apart = unseen_at_first_sight(old, new)
    if apart is not None:
        return not apart
    return includes(decode_ledger(causality_of(new), policy), decode_ledger(causality_of(old), policy))


def _same_past(ours: Mapping[str, Value], theirs: Mapping[str, Value]) -> bool:
    return (
        ours.get("Deleted") == theirs.get("Deleted")
        and ours.get("Horizon") == theirs.get("Horizon")
        and ours.get("Folded") == theirs.get("Folded")
    )


def surely_included(old: Image, new: Image) -> bool:
    """Say whether it shows at first sight that `new` has every execution of `old`, in the same life."""
    return unseen_at_first_sight(old, new) == frozenset()


def unseen_at_first_sight(old: Image, new: Image) -> AbstractSet[str] | None:
    """Return the writes that `old` names and `new` does not; None where more than that tells the two ledgers apart."""
    try:
        ours, theirs = old[CAUSALITY]["M"], new[CAUSALITY]["M"]
        if not _same_past(ours, theirs):
            return None
        mine, others = ours["Writes"]["M"], theirs["Writes"]["M"]
        if mine.items() <= others.items():
            return frozenset()
        return mine.keys() - others.keys() or None
    except (KeyError, TypeError, AttributeError):
        return None  # what is malformed is named by a careful reading


def sift(records: Iterable[RawRecord], newest_stamp: str) -> tuple[list[RawRecord], int]:
    """Return the records that may have lost something, and how many items are stamped after `newest_stamp`.

    What is left out is sure: an INSERT, or a new image whose ledger has all that the old one has, and more.
    An item is stamped by its `Stamp`, or where that is a client's time, which no Region's clock gave, by its ledger.
    """
    suspicious: list[RawRecord] = []
    ahead = 0
    for raw in records:
        try:
            body = raw["dynamodb"]
            new = body["NewImage"][CAUSALITY]["M"]
            ahead += _is_ahead(new, newest_stamp)
            if body["Keys"] and _is_sure(raw["eventName"], body, new):
                continue
        except (KeyError, TypeError, AttributeError):
            pass  # of another shape: read with care
        suspicious.append(raw)
    return suspicious, ahead


def _is_ahead(causality: Mapping[str, Value], newest_stamp: str) -> bool:
    """Say whether the item is stamped after `newest_stamp`; what is no stamp is after nothing."""
    stamp = causality["Stamp"]["N"]
    if stamp > newest_stamp:
        return is_stamp(stamp)
    if stamp[CODE] != CLIENT_CODE:
        return False
    for stamps in causality["Writes"]["M"].values():
        for execution in stamps["NS"]:
            if execution > newest_stamp and is_stamp(execution):
                return True
    return False


def _is_sure(operation: str, body: Mapping[str, Image], new: Mapping[str, Value]) -> bool:
    if operation == "INSERT":
        return True
    old = body["OldImage"][CAUSALITY]["M"]
    ours, theirs = old["Writes"]["M"], new["Writes"]["M"]
    return (
        operation == "MODIFY"
        and len(ours) < len(theirs)
        and _same_past(old, new)
        and bool(ours.items() <= theirs.items())
    )
