"""The policy: one table's key schema, Regions, bounds, and how each attribute joins.

Members of a `map` attribute are named by path, ``Profile/LoginCount``
(``~1`` for a slash, ``~0`` for a tilde, as in RFC 6901).
Only attributes with policy `map` have paths; elsewhere a slash is part of the name.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from enum import Enum
from pathlib import Path
from typing import Any, NewType

from reconciler.errors import ConfigurationError, ItemError
from reconciler.stamps import Stamp, region_code_of
from reconciler.wire import MAPPING, Image, Value, members_of

Region = NewType("Region", str)

SECOND, MINUTE, HOUR, DAY = 1_000, 60_000, 3_600_000, 86_400_000

VERSION, TIMESTAMP, LAST_REGION, IDEMPOTENCY_KEY = "Version", "Timestamp", "LastUpdatedRegion", "IdempotencyKey"
CAUSALITY, EXPIRES_AT = "Causality", "ExpiresAt"
BOOKKEEPING = frozenset({VERSION, TIMESTAMP, LAST_REGION, IDEMPOTENCY_KEY, CAUSALITY, EXPIRES_AT})
MAX_KNOWN_PATHS = 10_000
# Attributes that an upgraded 2017 table may hold: left alone, never written.
LEGACY_PREFIX = "aws:rep:"


class Kind(Enum):
    """How an attribute joins."""

    LATEST = "latest"
    MAX = "max"
    MIN = "min"
    UNION = "union"
    SET = "set"
    COUNTER = "counter"
    RANK = "rank"
    MAP = "map"
    CUSTOM = "custom"
    MANUAL = "manual"

    __hash__ = object.__hash__  # there is one of each; an Enum's own hashes the name anew, in Python


REGISTERS = frozenset({Kind.LATEST, Kind.MANUAL})
SEMILATTICES = frozenset({Kind.MAX, Kind.MIN, Kind.UNION, Kind.RANK, Kind.CUSTOM})


class OnDeleted(Enum):
    """What happens to a write that a delete beat without having seen it."""

    RECORD = "record"
    ESCALATE = "escalate"


class Recreate(Enum):
    """What a write that has seen the delete meets."""

    ALLOW = "allow"
    REFUSE = "refuse"


class OnHardDelete(Enum):
    """What a REMOVE of a live item, or of a tombstone before its time, means."""

    ACCEPT = "accept"
    RESTORE = "restore"
    ESCALATE = "escalate"


class OnForeign(Enum):
    """What a write that bypassed the writer meets."""

    ADOPT = "adopt"
    REPORT = "report"
    ESCALATE = "escalate"


@dataclass(frozen=True, slots=True)
class AttributePolicy:
    """How one attribute joins, with what its kind needs."""

    kind: Kind
    order: tuple[Value, ...] = ()
    members: Mapping[str, "AttributePolicy"] = field(default_factory=dict)
    function: Callable[[Any, Any], Any] | None = None
    function_name: str = ""


LATEST = AttributePolicy(Kind.LATEST)
_MAP = Kind.MAP  # looked up once: it is asked for every attribute of every image


@dataclass(frozen=True)
class Policy:
    """Everything that every Region must agree on about one table; times in milliseconds."""

    name: str
    partition_key: str
    regions: tuple[Region, ...]
    sort_key: str | None = None
    window_ms: int = 24 * HOUR
    max_writes: int = 100
    min_window_ms: int = 5 * MINUTE
    max_causality_bytes: int = 65_536
    max_clock_skew_ms: int = 5 * SECOND
    tombstone_ttl_ms: int = 30 * DAY
    lost_to_delete: OnDeleted = OnDeleted.RECORD
    recreate: Recreate = Recreate.ALLOW
    hard_delete: OnHardDelete = OnHardDelete.ACCEPT
    foreign_writes: OnForeign = OnForeign.ADOPT
    attributes: Mapping[str, AttributePolicy] = field(default_factory=dict)
    _by_path: dict[str, AttributePolicy] = field(default_factory=dict, init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        """Know every name that is not the user's own."""
        object.__setattr__(self, "key_names", (self.partition_key, *([self.sort_key] if self.sort_key else [])))
        object.__setattr__(self, "reserved", BOOKKEEPING.union(self.key_names))

    key_names: tuple[str, ...] = field(default=(), init=False, compare=False)
    reserved: frozenset[str] = field(default=BOOKKEEPING, init=False, compare=False)

    @classmethod
    def load(cls, path: str | Path) -> "Policy":
        """Read a policy file (TOML); PolicyFileError names the place that is wrong."""
        from reconciler.policy_file import load  # noqa: PLC0415 - the file format depends on this module, not the reverse

        return load(Path(path))

    def of(self, path: str) -> AttributePolicy:
        """Return the policy of an attribute, or of a map's member by path."""
        known = self._by_path.get(path)
        if known is None:
            if len(self._by_path) >= MAX_KNOWN_PATHS:  # users name the members of maps, without end
                self._by_path.clear()
            known = self._by_path[path] = self._find(path)
        return known

    def _find(self, path: str) -> AttributePolicy:
        segments = split_path(path)
        policy = self.attributes.get(segments[0], LATEST)
        if len(segments) == 1 or policy.kind is not Kind.MAP:
            return self.attributes.get(path, LATEST)
        for position, segment in enumerate(segments[1:], 2):
            policy = policy.members.get(segment, LATEST)
            if policy.kind is not Kind.MAP and position < len(segments):
                return LATEST
        return policy

    def region_code(self, region: str) -> int:
        """Return the Region's position, from 01."""
        if region not in self.regions:
            raise ConfigurationError(f"Region {region!r} is not in the policy's regions {list(self.regions)}")
        return self.regions.index(Region(region)) + 1

    def region_of(self, stamp: Stamp) -> Region:
        """Return the Region that executed a ledger stamp; ItemError names a code that the policy lacks."""
        code = region_code_of(stamp)
        if not 1 <= code <= len(self.regions):
            raise ItemError(f"{CAUSALITY}.Writes", f"Region code {code:02d} is not in the regions {list(self.regions)}")
        return self.regions[code - 1]

    def key_of(self, image: Image) -> dict[str, Value]:
        """Return the image's key attributes; ItemError names the one that is missing."""
        for name in self.key_names:
            if name not in image:
                raise ItemError(name, "the key attribute is missing")
        return {name: image[name] for name in self.key_names}

    def is_users(self, name: str) -> bool:
        """Say whether a top-level attribute is the user's own."""
        return name not in self.reserved and not name.startswith(LEGACY_PREFIX)


def default_policy(name: str = "GlobalEventTable") -> Policy:
    """Return the policy of who has no policy file: key `Id`, two Regions, every attribute `latest`."""
    return Policy(name, "Id", (Region("us-east-1"), Region("eu-west-1")))


def escape(segment: str) -> str:
    """Write a name as one segment of a path."""
    return segment.replace("~", "~0").replace("/", "~1")


def split_path(path: str) -> list[str]:
    """Return a path's segments as plain names; a name without a slash is itself."""
    if "/" not in path:
        return [path]
    return [segment.replace("~1", "/").replace("~0", "~") for segment in path.split("/")]


def flatten(image: Image, policy: Policy) -> Iterator[tuple[str, Value]]:
    """Yield the user's attributes, and the members of its `map` attributes by path."""
    for name, value in image.items():
        if name not in policy.reserved and not name.startswith(LEGACY_PREFIX):
            attribute = policy.attributes.get(name, LATEST)
            if attribute.kind is _MAP:
                yield from _members(escape(name), value, attribute)
            elif "/" in name and policy.attributes.get(split_path(name)[0], LATEST).kind is _MAP:
                raise ItemError(name, "the name reads as a path into a map attribute")
            else:
                yield name, value


def _members(path: str, value: Value, policy: AttributePolicy) -> Iterator[tuple[str, Value]]:
    members = members_of(value)
    if members is None:
        raise ItemError(path, f"is {type_letter(value)} and no map, but its policy is map")
    for name, member in members.items():
        member_path = f"{path}/{escape(name)}"
        member_policy = policy.members.get(name, LATEST)
        if member_policy.kind is Kind.MAP:
            yield from _members(member_path, member, member_policy)
        else:
            yield member_path, member


def unflatten(leaves: Mapping[str, Value], policy: Policy) -> dict[str, Value]:
    """Return top-level attributes again; a map whose members are all gone is left out."""
    attributes: dict[str, Value] = {}
    for path in sorted(leaves):
        if "/" not in path or policy.attributes.get(split_path(path)[0], LATEST).kind is not _MAP:
            attributes[path] = leaves[path]
            continue
        level = attributes
        *maps, name = split_path(path)
        for segment in maps:
            level = level.setdefault(segment, {"M": {}})["M"]
        level[name] = leaves[path]
    return attributes


def type_letter(value: Value) -> str:
    """Return a value's type letter, for messages: a value itself stays out of them."""
    return next(iter(value), "M") if isinstance(value, MAPPING) else type(value).__name__
