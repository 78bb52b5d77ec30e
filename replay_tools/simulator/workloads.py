"""Workloads: what kind of histories are made, and by which policy they are judged."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from reconciler.decisions import Trouble
from reconciler.policy import DAY, AttributePolicy, Kind, OnHardDelete, Policy, Recreate, Region

NAMES = "ABCDE"


def longest(left: Any, right: Any) -> Any:  # noqa: ANN401 - a custom policy's function takes any plain value
    """Join two texts: the longer, then the greater."""
    return max(left, right, key=lambda text: (len(str(text)), str(text)))


_STATES = ("pending", "active", "suspended", "closed")
_PROFILE = {
    "Logins": AttributePolicy(Kind.COUNTER),
    "Badges": AttributePolicy(Kind.SET),
    "Home": AttributePolicy(Kind.MAP, members={"Visits": AttributePolicy(Kind.COUNTER)}),
}
CORE = {"Balance": AttributePolicy(Kind.COUNTER), "Tags": AttributePolicy(Kind.SET)}
EVERY_KIND = {
    **CORE,
    "Limit": AttributePolicy(Kind.MAX),
    "Floor": AttributePolicy(Kind.MIN),
    "Labels": AttributePolicy(Kind.UNION),
    "Status": AttributePolicy(Kind.RANK, order=tuple({"S": state} for state in _STATES)),
    "Profile": AttributePolicy(Kind.MAP, members=_PROFILE),
    "Address": AttributePolicy(Kind.MAP),
    "Motto": AttributePolicy(Kind.CUSTOM, function=longest, function_name="longest"),
    "Owner": AttributePolicy(Kind.MANUAL),
}


def policy_for(regions: int, attributes: Mapping[str, AttributePolicy], **options: Any) -> Policy:  # noqa: ANN401
    """Return a policy for the first Regions of the alphabet."""
    return Policy("Simulated", "Id", tuple(map(Region, NAMES[:regions])), attributes=attributes, **options)


@dataclass(frozen=True)
class Workload:
    """What histories are made of: the chances of each kind of step, and of what a request asks."""

    name: str
    regions: int = 2
    items: int = 2
    steps: int = 60
    attributes: Mapping[str, AttributePolicy] = field(default_factory=lambda: CORE)
    limits: Mapping[str, Any] = field(default_factory=dict)
    requests: float = 0.45
    works: float = 0.2
    retries: float = 0.1
    deletes: float = 0.05
    transactions: float = 0.0
    late: float = 0.0
    expects: float = 0.0
    races: float = 0.05
    faults: float = 0.08
    partitions: float = 0.02
    waits: float = 0.1
    longest_wait_ms: int = 300
    long_waits: float = 0.0
    rewinds: float = 0.03
    hard_deletes: float = 0.0
    foreign: float = 0.0
    sweeps: float = 0.0
    skew_ms: int = 400
    troubles: frozenset[Trouble] = frozenset()
    """Why records may be escalated."""

    @property
    def policy(self) -> Policy:
        """The policy of this workload's table."""
        return policy_for(self.regions, self.attributes, **self.limits)


_DIVERGED = frozenset({Trouble.DIVERGED})
_FOLDING = {"max_writes": 2}  # folded as soon as min_window allows: its default is half a long wait
_TIGHT = {"max_writes": 3, "min_window_ms": 100, "window_ms": 1_000}
_CONTENDED = Workload("contended")
_WORKLOADS = (
    _CONTENDED,
    Workload("three", regions=3),
    Workload("hot", regions=3, items=1, deletes=0.0, retries=0.2),
    Workload("late", regions=3, late=0.5, skew_ms=2_000),
    Workload("deletes", regions=3, deletes=0.2, retries=0.2, late=0.1),
    Workload("refusing", deletes=0.2, expects=0.2, limits={"recreate": Recreate.REFUSE}),
    Workload("transactions", regions=3, items=3, transactions=0.4, expects=0.05, late=0.1),
    Workload("kinds", attributes=EVERY_KIND, troubles=frozenset({Trouble.MANUAL})),
    Workload("kinds-three", regions=3, attributes=EVERY_KIND, late=0.1, troubles=frozenset({Trouble.MANUAL})),
    Workload("folding", long_waits=0.06, limits=_FOLDING),
    Workload("folding-three", regions=3, items=1, long_waits=0.06, deletes=0.02, limits=_FOLDING),
    Workload("tight", items=1, limits=_TIGHT, troubles=_DIVERGED),
    Workload("tight-three", regions=3, items=1, limits=_TIGHT, deletes=0.02, troubles=_DIVERGED),
    Workload("hard", regions=3, hard_deletes=0.04, limits={"hard_delete": OnHardDelete.RESTORE}),
    Workload("hard-accept", regions=3, hard_deletes=0.04),
    Workload("sweeps", deletes=0.2, sweeps=0.05, limits={"tombstone_ttl_ms": DAY}),
    Workload("foreign", regions=3, foreign=0.05),
)
WORKLOADS: Mapping[str, Workload] = {workload.name: workload for workload in _WORKLOADS}
