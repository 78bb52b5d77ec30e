"""Mixes: the small histories whose every interleaving is walked, written in the simulator's language."""

from dataclasses import replace

from reconciler.policy import Policy
from replay_tools.simulator.engine import Small
from replay_tools.simulator.language import read
from replay_tools.simulator.steps import Request
from replay_tools.simulator.workloads import CORE, EVERY_KIND, NAMES, policy_for

CLOCKS: dict[str, dict[str, int]] = {"even": {}, "A ahead": {"A": 2_000}, "A behind": {"A": -2_000}}

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
FOUR_WRITES = {
    "counters 2+1+1": "A: x Balance+1 #a1 | A: x Balance+2 #a2 | B: x Balance+4 #b1 | C: x Balance+8 #c1",
    "set 2+1+1": "A: x Tags+{p} #a1 | A: x Tags-{p} #a2 | B: x Tags+{p} #b1 | C: x Tags-{p} #c1",
    "delete 2+1+1": "A: x Balance+1 #a1 | A: x delete #a2 | B: x Balance+4 #b1 | C: x Data=c1 #c1",
    "retry 2+1+1": "A: x Data=a1 #a1 | A: x Balance+1 #k | B: x Balance+1 #k | C: x Data=c1 #c1",
}
KINDS = {
    "every kind": "A: x Limit=3 Status=active Labels+{l} #a1 | B: x Limit=2 Floor=5 Status=pending Labels+{m} #b1",
}


def mixes(*, large: bool = True) -> list[Small]:
    """Return the small histories; the large ones, of four writes in three Regions, take half a minute each."""
    two, three = policy_for(2, CORE), policy_for(3, CORE)
    found = [small(name, two, text, clocks) for name, text in TWO.items() for clocks in CLOCKS]
    found += [small(name, policy_for(2, EVERY_KIND), text) for name, text in KINDS.items()]
    found += [replace(small(name, three, text), reduced=True, crashes=False) for name, text in THREE.items()]
    if large:
        found += [replace(small(f"{name} with crashes", three, text), reduced=True) for name, text in THREE.items()]
        found += [replace(small(name, three, text), reduced=True, crashes=False) for name, text in FOUR_WRITES.items()]
    return found


def small(name: str, policy: Policy, text: str, clocks: str = "even") -> Small:
    """Return the small history of these requests, under these clocks."""
    requests = tuple(step for step in read(text) if isinstance(step, Request))
    return Small(f"{name}, Regions {NAMES[: len(policy.regions)]}, clocks {clocks}", policy, requests, CLOCKS[clocks])
