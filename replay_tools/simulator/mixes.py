"""Mixes: the small histories whose every interleaving is walked, written in the simulator's language."""

from dataclasses import replace

from reconciler.policy import AttributePolicy, Policy
from replay_tools.simulator.exhaustive import Small
from replay_tools.simulator.language import read
from replay_tools.simulator.steps import Request
from replay_tools.simulator.workloads import CORE, EVERY_KIND, NAMES, policy_for

CLOCKS = {"even": {}, "A ahead": {"A": 2_000}, "A behind": {"A": -2_000}}

TWO = {
    "counters 2+1": "A: x Balance+1 #a1 | A: x Balance+2 #a2 | B: x Balance+4 #b1",
    "counters 2+2": "A: x Balance+1 #a1 | A: x Balance+2 #a2 | B: x Balance+4 #b1 | B: x Balance+8 #b2",
    "registers 2+1": "A: x Data=a1 #a1 | A: x ~Data Note=a2 #a2 | B: x Data=b1 #b1",
    "retry elsewhere": "A: x Balance+1 Data=k #k | B: x Balance+4 #b1 | B: x Balance+1 Data=k #k",
    "set": "A: x Tags+{p} #a1 | A: x Tags-{p} #a2 | B: x Tags+{p} #b1",
    "set 2+2": "A: x Tags+{p,q} #a1 | A: x Tags-{p} #a2 | B: x Tags+{p} #b1 | B: x Tags-{q} #b2",
    "delete": "A: x Balance+1 #a1 | A: x delete #a2 | B: x Balance+4 #b1",
    "delete 2+2": "A: x Data=a1 #a1 | A: x delete #a2 | B: x Balance+4 #b1 | B: x Data=b2 #b2",
    "two deletes": "A: x Balance+1 #a1 | A: x delete #a2 | B: x delete #b1 | B: x Data=b2 #b2",
    "late": "A: x Data=a1 #a1 @500 | A: x Data=a2 #a2 @100 | B: x Data=b1 #b1 @300",
}
THREE = {
    "counters 1+1+1": "A: x Balance+1 #a1 | B: x Balance+2 #b1 | C: x Balance+4 #c1",
    "mixed 1+1+1": "A: x Data=a1 #a1 | B: x Tags+{p} #b1 | C: x Data=c1 #c1",
    "delete 1+1+1": "A: x Balance+1 #a1 | B: x delete #b1 | C: x Balance+4 #c1",
    "retry everywhere": "A: x Balance+1 #k | B: x Balance+1 #k | C: x Balance+1 #k",
}
THREE_OF_FOUR = {
    "counters 2+1+1": "A: x Balance+1 #a1 | A: x Balance+2 #a2 | B: x Balance+4 #b1 | C: x Balance+8 #c1",
}
KINDS = {
    "every kind": "A: x Limit=3 Status=active Labels+{l} Profile/Logins+1 #a1 | B: x Limit=2 Floor=5 Status=pending Labels+{m} #b1",
}


def mixes(*, large: bool = True) -> list[Small]:
    """Return the small histories; the large ones, of four writes in three Regions, take minutes."""
    found = [
        *_smalls(2, TWO, CORE),
        *_smalls(2, KINDS, EVERY_KIND),
        *_smalls(3, THREE, CORE, crashes=False),
    ]
    return [*found, *(replace(each, reduced=True) for each in _smalls(3, THREE_OF_FOUR, CORE, crashes=False))] if large else found


def _smalls(
    regions: int, texts: dict[str, str], attributes: dict[str, AttributePolicy], *, crashes: bool = True
) -> list[Small]:
    policy = policy_for(regions, attributes)
    clocks = CLOCKS if regions == len("AB") else {"even": {}}
    return [
        small(f"{name}, {NAMES[:regions]}, clocks {clock}", policy, text, skew_ms, crashes=crashes)
        for name, text in texts.items()
        for clock, skew_ms in clocks.items()
    ]


def small(name: str, policy: Policy, text: str, skew_ms: dict[str, int], *, crashes: bool) -> Small:
    """Return the small history of these requests."""
    requests = tuple(step for step in read(text) if isinstance(step, Request))
    return Small(name, policy, requests, skew_ms, crashes)
