"""Merging a stale mutation of an AppSync item: both items come from one replica's table, as JSON without ledgers.

    newItem        what the mutation would have left, not having seen what stands there
    existingItem   what stands there

Two images carry no order but (Timestamp, LastUpdatedRegion), and no history: the merge is approximate, and says so.
"""

from collections.abc import Collection, Mapping
from decimal import Decimal
from typing import Any

from handlers.json_values import exact_numbers, json_ready
from reconciler import ConflictResolver
from reconciler.conflict import Mode, bounded
from reconciler.errors import ItemError, RequestError
from reconciler.policy import (
    CAUSALITY,
    IDEMPOTENCY_KEY,
    VERSION,
    AttributePolicy,
    Kind,
    OnDeleted,
    Policy,
    flatten,
)
from reconciler.wire import Image, attribute_name, digest, from_plain, whole

MANAGED = frozenset({"_version", "_lastChangedAt", "_deleted", "_ttl"})
"""AppSync's own attributes: it writes them, and nobody else may."""
DELETES = frozenset({"deleteItem"})
"""The mutations of infra/appsync/schema.graphql that delete."""
UNDECIDABLE = frozenset({Kind.COUNTER, Kind.SET, Kind.MANUAL})
"""Two values, without a ledger, tell neither what was added nor what was removed; or a person is to decide."""
SETS = frozenset({Kind.SET, Kind.UNION})
ELEMENTS = (str, int, Decimal)
VALUES = frozenset({Kind.LATEST, Kind.MANUAL, Kind.CUSTOM})
"""To these, null is a value; to all others it is none."""

Item = dict[str, Any]


class RejectedError(Exception):
    """The mutation cannot be merged: `reason` in a word; `names` are the attributes that stand in the way."""

    def __init__(self, reason: str, *names: str) -> None:
        """Say why, and where; no value of an item is in it."""
        super().__init__(reason)
        self.reason = reason
        self.names = names


class Merge:
    """What becomes of a stale mutation under one policy."""

    def __init__(self, policy: Policy, deletes: Collection[str] = DELETES) -> None:
        """Merge by `policy`; `deletes` are the names of the mutations that delete an item."""
        self._policy = policy
        self._deletes = deletes
        self._resolver = ConflictResolver(policy)

    def answer(self, event: Mapping[str, Any], field: str) -> tuple[Item, Item]:
        """Return AppSync's answer, and what a log line may tell; RejectedError where nothing can be merged."""
        existing = self._item(event, "existingItem")
        told = {"mode": Mode.APPROXIMATE.value, "key": digest(self._policy.key_of(_wire(existing)))}
        if field in self._deletes or _is_deleted(event, "existingItem") or _is_deleted(event, "newItem"):
            if self._policy.lost_to_delete is OnDeleted.ESCALATE:
                raise RejectedError("lost_to_delete")
            return {"action": "REMOVE"}, told
        new = self._item(event, "newItem")
        merged = self.merged(new, existing)
        lost, replaced = (self._differing(item, merged) for item in (new, existing))
        told |= {**bounded("lost", lost), **bounded("replaced", replaced)}
        return {"action": "RESOLVE", "item": json_ready(merged)}, told

    def merged(self, new: Item, existing: Item) -> Item:
        """Return the item that includes both, in either order; RejectedError where two values do not tell it."""
        try:
            differing = self._differing(new, existing)
            undecidable = [path for path in differing if self._policy.of(path).kind in UNDECIDABLE]
            merged = self._resolver.resolve(*_in_conflict(new, existing))
        except RequestError as error:
            raise RejectedError("another_item", *self._policy.key_names) from error
        except ItemError as error:
            raise RejectedError("unfit", error.attribute) from error
        if undecidable:
            raise RejectedError("undecidable", *undecidable)
        merged = _as_before(merged, new, existing)
        if self._read(json_ready(merged)) != merged:
            raise RejectedError("inexact")  # of what a custom function returned, JSON would keep something else
        return merged

    def _item(self, event: Mapping[str, Any], place: str) -> Item:
        """Return an item of the request as boto3 gives items, without what is AppSync's own."""
        given = event.get(place)
        if not isinstance(given, Mapping):
            raise RejectedError("malformed", place)
        if CAUSALITY in given:
            raise RejectedError("causality", place)  # a ledger's sets and 25-digit numbers do not survive JSON
        item = self._read({name: value for name, value in given.items() if name not in MANAGED})
        for name, value in item.items():
            try:
                from_plain({attribute_name(name): value})
            except ValueError:
                raise RejectedError("malformed", f"{place}.{name}") from None
        for name in self._policy.key_names:
            if name not in item:
                raise RejectedError("malformed", f"{place}.{name}")
        return item

    def _read(self, item: Mapping[str, Any]) -> Item:
        """Return JSON as boto3 gives values: exact numbers, and sets where the policy says so."""
        return _members(exact_numbers(item), self._policy.attributes, self._policy.reserved)

    def _differing(self, item: Item, other: Item) -> list[str]:
        """Return the paths of what both have, each another value; ItemError where a map's attribute is none."""
        ours, theirs = (dict(flatten(_wire(each), self._policy)) for each in (item, other))
        return sorted(path for path in ours.keys() & theirs.keys() if ours[path] != theirs[path])


def _members(
    given: Mapping[str, Any], policies: Mapping[str, AttributePolicy], reserved: Collection[str] = ()
) -> dict[str, Any]:
    found = {}
    for name, value in given.items():
        policy = None if name in reserved else policies.get(name)
        if policy is None:
            found[name] = value
        elif not _is_absent(value, policy):
            found[name] = _typed(value, policy)
    return found


def _typed(value: Any, policy: AttributePolicy) -> Any:  # noqa: ANN401 - any JSON value
    """Return a list as the set that it stands for; what is no set's element stays, and is found unfit."""
    if policy.kind is Kind.MAP and isinstance(value, Mapping):
        return _members(value, policy.members)
    if policy.kind in SETS and isinstance(value, list) and all(isinstance(each, ELEMENTS) for each in value):
        return set(value)
    return value


def _is_absent(value: object, policy: AttributePolicy) -> bool:
    """Say whether GraphQL's null, or an empty list, stands for an attribute that is not there."""
    return (value is None and policy.kind not in VALUES) or (value == [] and policy.kind in SETS)


def _wire(item: Item) -> Image:
    return {name: from_plain(value) for name, value in item.items()}


def _is_deleted(event: Mapping[str, Any], place: str) -> bool:
    item = event.get(place)
    return isinstance(item, Mapping) and item.get("_deleted") is True


def _in_conflict(new: Item, existing: Item) -> tuple[Item, Item]:
    """Return both without what would make one look like the other's successor: AppSync has seen that neither is.

    `newItem` may be `existingItem` with the mutation on top, its `Version` raised or its `IdempotencyKey` inherited.
    """
    version = max(_version(new), _version(existing))
    dropped = {IDEMPOTENCY_KEY} if _is_same_write(new, existing) else set()
    left, right = ({name: value for name, value in item.items() if name not in dropped} for item in (new, existing))
    return {**left, VERSION: version}, {**right, VERSION: version}


def _as_before(merged: Item, new: Item, existing: Item) -> Item:
    """Return the merged item with what `_in_conflict` left out, and no Version where neither had one."""
    dropped = set() if VERSION in new or VERSION in existing else {VERSION}
    restored = {IDEMPOTENCY_KEY: new[IDEMPOTENCY_KEY]} if _is_same_write(new, existing) else {}
    return {name: value for name, value in sorted({**merged, **restored}.items()) if name not in dropped}


def _is_same_write(new: Item, existing: Item) -> bool:
    keys = [from_plain(item[IDEMPOTENCY_KEY]) for item in (new, existing) if IDEMPOTENCY_KEY in item]
    return len(keys) == len((new, existing)) and keys[0] == keys[1]


def _version(item: Item) -> int:
    return max(whole(from_plain(item[VERSION])) or 0, 0) if VERSION in item else 0
