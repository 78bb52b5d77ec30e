"""A change: one conditional write of one item, as a value that every engine can carry out.

It sets and removes only what differs, so that what someone else has just added stays.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from reconciler.policy import CAUSALITY, IDEMPOTENCY_KEY, LEGACY_PREFIX, TIMESTAMP, VERSION, Kind, Policy, split_path
from reconciler.wire import Image, Value, same


@dataclass(frozen=True, slots=True)
class Change:
    """From `seen` (None: absent) to `item`, on the condition that `expects` still holds.

    `expects` maps top-level attributes to the value that must stand there, or to None where none may.
    """

    key: Image
    seen: Image | None
    item: Image
    sets: Mapping[str, Value]
    removes: tuple[str, ...]
    expects: Mapping[str, Value | None]

    @property
    def creates(self) -> bool:
        """Whether the item must be absent."""
        return self.seen is None


def change_between(key: Image, seen: Image | None, item: Image, expects: Iterable[str]) -> Change:
    """Return the change from `seen` to `item` that demands the seen values of the attributes in `expects`."""
    if seen is None:
        return Change(key, None, item, item, (), {})
    return Change(key, seen, item, *_difference(seen, item), {name: seen.get(name) for name in expects})


def _difference(seen: Image, item: Image) -> tuple[dict[str, Value], tuple[str, ...]]:
    """Return what to set and what to remove."""
    sets = {name: value for name, value in item.items() if seen.get(name) != value and _changes(name, seen, value)}
    removes = tuple(sorted(name for name in seen if name not in item and not name.startswith(LEGACY_PREFIX)))
    return sets, removes


def _changes(name: str, seen: Image, value: Value) -> bool:
    """Say whether a value spelt otherwise is another one; for `Causality`, whose spelling is ours alone, it is."""
    return name == CAUSALITY or not same(seen.get(name), value)


def repair_between(seen: Image | None, item: Image, touched: Iterable[str], policy: Policy) -> Change:
    """Return the change that demands `Causality` and every changed attribute as seen, or absence where none was seen.

    `touched` are paths that must stand as seen though they stay as they are.
    """
    key = policy.key_of(item)
    if seen is None:
        return change_between(key, None, item, ())
    sets, removes = _difference(seen, item)
    plain = () if CAUSALITY in seen else (VERSION, TIMESTAMP, IDEMPOTENCY_KEY)
    expects = {CAUSALITY, *plain, *sets, *removes, *(_attribute(path, policy) for path in touched)}
    return Change(key, seen, item, sets, removes, {name: seen.get(name) for name in sorted(expects)})


def _attribute(path: str, policy: Policy) -> str:
    """Return the top-level attribute in which a path lies."""
    top = split_path(path)[0]
    return top if top in policy.attributes and policy.attributes[top].kind is Kind.MAP else path
