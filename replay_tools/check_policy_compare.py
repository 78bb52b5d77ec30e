"""One recording through the real worker under two policies, side by side: which items end differently, and why.

record -> worker under the policy      -> table as it imagines it     items, attribute by attribute
       -> worker under the other one   -> table as it imagines it
"""

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from reconciler.explain import Explanation
from reconciler.policy import LATEST, Policy
from reconciler.records import KeyId, key_id
from reconciler.wire import Image, Value, same
from replay_tools import bootstrap
from replay_tools.explain_text import plain_or_raw
from replay_tools.recordings import Recorded
from replay_tools.replay import explanations, told_as_sentence

MAX_REASONS = 3  # of one item
MAX_REASONED = 10_000  # items


@dataclass(frozen=True, slots=True)
class Reason:
    """One record that the two policies decide differently, each told in sentences."""

    place: str
    sentences: str
    against: str


@dataclass(frozen=True, slots=True)
class Difference:
    """An item that ends differently, or is left to a person by one policy alone."""

    key: Mapping[str, Any]
    attributes: tuple[Mapping[str, Any], ...]
    """Each ``{name, policy, ends, against_policy, against_ends}``; a value is left out where it is absent."""
    reasons: tuple[Reason, ...]


@dataclass(slots=True)
class Side:
    """One policy at work on the recording."""

    policy: Policy
    region: str
    counts: Counter[tuple[str, str]] = field(default_factory=Counter)
    _player: Any = None
    _table: Any = None

    def __post_init__(self) -> None:
        """Begin with an empty table; ConfigurationError where the policy lacks the Region."""
        self.policy.region_code(self.region)
        self._player, self._table = bootstrap.replay(self.policy, self.region)

    def tell(self, recorded: Recorded) -> list[Explanation]:
        """Judge one record."""
        told = [*explanations(self._player.judge(*recorded), self.policy, self.region)]
        self.counts.update((each["decision"], each["reason"]) for each in told)
        return told

    def items(self) -> dict[KeyId, Image]:
        """Return how every item ends."""
        return {key_id(item, self.policy.key_names): item for item in self._table.items()}


class Comparison:
    """The policy that is checked, and the one that it is held against (None: nothing to compare)."""

    def __init__(self, policy: Policy, against: Policy | None, region: str) -> None:
        """Begin with empty tables."""
        self.side = Side(policy, region)
        self.other = Side(against, region) if against else None
        self.records = 0
        self._keys: dict[KeyId, Mapping[str, Any]] = {}
        self._reasons: dict[KeyId, list[Reason]] = {}

    def take(self, recorded: Recorded) -> None:
        """Judge one record by both policies."""
        self.records += 1
        told = self.side.tell(recorded)
        if self.other:
            self._compare(recorded, told, self.other.tell(recorded))

    def differences(self) -> Iterator[Difference]:
        """Yield what came out differently, item by item."""
        if self.other is None:
            return
        ends, others = self.side.items(), self.other.items()
        for identity in dict.fromkeys([*ends, *others, *self._reasons]):
            image, other = ends.get(identity), others.get(identity)
            attributes = tuple(_attributes(image, other, self.side.policy, self.other.policy))
            reasons = tuple(self._reasons.get(identity, ()))
            if attributes or reasons or (image is None) != (other is None):
                yield Difference(self._key(identity, image or other), attributes, reasons)

    def _compare(self, recorded: Recorded, told: list[Explanation], against: list[Explanation]) -> None:
        if _verdicts(told) == _verdicts(against):
            return
        key = (told or against)[0]["key"]
        names = self.side.policy.key_names
        keys = recorded.raw["dynamodb"].get("Keys") if key else None
        identity = key_id(keys, names) if keys else ()
        reasons = self._reasons.get(identity, [])
        if len(reasons) < MAX_REASONS and (reasons or len(self._reasons) < MAX_REASONED):
            self._keys[identity] = key
            self._reasons[identity] = [*reasons, Reason(recorded.place, _told(told), _told(against))]

    def _key(self, identity: KeyId, image: Image | None) -> Mapping[str, Any]:
        if identity in self._keys or image is None:
            return self._keys.get(identity, {})
        return {name: plain_or_raw(image[name]) for name in self.side.policy.key_names}


def _verdicts(told: list[Explanation]) -> list[tuple[Any, ...]]:
    """Return what counts as the same decision: how it ends for each attribute, and not by which policy."""
    return [
        (each["decision"], each["reason"], [_outcome(attribute) for attribute in each.get("attributes", ())])
        for each in told
    ]


def _outcome(attribute: Mapping[str, Any]) -> tuple[Any, ...]:
    return tuple((name, attribute[name]) for name in sorted(attribute.keys() - {"policy"}))


def _told(told: list[Explanation]) -> str:
    return " ".join(map(told_as_sentence, told))


def _attributes(left: Image | None, right: Image | None, policy: Policy, against: Policy) -> Iterator[dict[str, Any]]:
    ours, theirs = _users(left, policy), _users(right, against)
    for name in sorted(ours.keys() | theirs.keys()):
        mine, other = ours.get(name), theirs.get(name)
        if not same(mine, other):
            yield {
                "name": name,
                "policy": _kind(name, policy),
                **({} if mine is None else {"ends": plain_or_raw(mine)}),
                "against_policy": _kind(name, against),
                **({} if other is None else {"against_ends": plain_or_raw(other)}),
            }


def _users(image: Image | None, policy: Policy) -> dict[str, Value]:
    return {name: value for name, value in (image or {}).items() if policy.is_users(name)}


def _kind(name: str, policy: Policy) -> str:
    return policy.attributes.get(name, LATEST).kind.value
