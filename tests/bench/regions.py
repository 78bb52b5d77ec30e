"""Regions: what happens where several of them write one item at once.

every Region writes x, all from v0; the last one wins everywhere; workers repair until none has anything to do
"""

from dataclasses import replace

from reconciler.policy import Policy, Region
from tests.bench.records import POLICY, Record, numbered, renamed
from tests.worker.replicas import Clock, Replica, deliver

NAMES = ("us-east-1", "eu-west-1", "ap-south-1", "sa-east-1", "af-south-1")
ROUNDS = 50


def policy_of(regions: int) -> Policy:
    """Return the example policy for so many Regions."""
    return replace(POLICY, regions=tuple(map(Region, NAMES[:regions])))


def written_at_once(policy: Policy) -> list[Replica]:
    """Return one replica for each Region, each with its own write from v0."""
    clock = Clock()
    replicas = [Replica(region, policy, clock) for region in policy.regions]
    replicas[0].write("v0", Set={"Data": "v0"})
    deliver(replicas[0], *replicas[1:])
    for number, replica in enumerate(replicas):
        replica.write(f"here-{number}", Set={"Data": f"v{number}"}, Add={"Balance": 1})
    return replicas


def race(policy: Policy, items: int) -> list[Record]:
    """Return what the first Region's stream shows of such items: its write, and each other Region's over it."""
    first, *others = written_at_once(policy)
    before = len(first.stream)
    for other in others:
        deliver(other, first)
    shown = first.stream[before:]
    return numbered(renamed(record, f"race-{number}") for record in shown for number in range(items))


def writes_until_quiet(policy: Policy) -> int:
    """Return how many conditional writes the workers of all Regions make until none has anything to do.

    All work at once, then the last repair made wins everywhere.
    """
    replicas = written_at_once(policy)
    deliver(replicas[-1], *replicas[:-1])
    total = 0
    for _ in range(ROUNDS):
        made = {replica.region: replica.work().counts.get("attempts", 0) for replica in replicas}
        if not any(made.values()):
            return total
        total += sum(made.values())
        winner = [replica for replica in replicas if made[replica.region]][-1]
        deliver(winner, *(replica for replica in replicas if replica is not winner))
    raise AssertionError("the Regions do not come to rest")
