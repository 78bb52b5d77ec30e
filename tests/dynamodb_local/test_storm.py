"""Clients, replication and workers at once, on the real engine: whatever meets whatever, nothing is lost."""

from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from threading import Event

import pytest

from reconciler.errors import TransientError
from reconciler.policy import Region
from replay_tools.demo.bootstrap import draws
from replay_tools.demo.plan import Write, draw_plan
from replay_tools.demo.verdict import Verdict, judge
from tests.dynamodb_local.deployment import A, B, C, Deployment

pytestmark = pytest.mark.dynamodb_local

CLIENTS = 6
WRITES = 90
MAX_SENDS = 10
NOTHING_WRONG = Verdict(frozenset(), 0, 0, ())


def sent(deployed: Deployment, write: Write) -> list[str]:
    """Send one write to each Region that it asks, until that says that the write is made; return what each said."""
    return [until_answered(deployed, region, write) for region in write.regions]


def until_answered(deployed: Deployment, region: Region, write: Write) -> str:
    """Send one write again while the answer is to try again."""
    for _ in range(MAX_SENDS):
        try:
            return str(deployed.places[region].process.write(write.request)["status"])
        except TransientError:
            continue
    raise AssertionError(f"{write.key} was put off {MAX_SENDS} times")


@contextmanager
def pumping(deployed: Deployment) -> Iterator[None]:
    """Let replication and workers run beside what is done meanwhile."""
    stopped = Event()

    def pump() -> None:
        while not stopped.is_set():
            deployed.pump()

    with ThreadPoolExecutor(1) as platform:
        running = platform.submit(pump)
        try:
            yield
        finally:
            stopped.set()
    running.result()


def send_all(deployed: Deployment, plan: Sequence[Write]) -> list[str]:
    """Let several clients send the writes at once, and return every answer."""
    with ThreadPoolExecutor(CLIENTS) as clients:
        return [status for said in clients.map(lambda write: sent(deployed, write), plan) for status in said]


@pytest.mark.parametrize("seed", [1, 2])
def test_three_regions_under_load_lose_nothing_through_a_partition(three_regions: Deployment, seed: int) -> None:
    """Every acknowledged write is in every Region, once; the Regions are equal, and no person is needed."""
    plan = draw_plan(draws(seed), WRITES, (A, B, C))
    third = WRITES // 3
    with pumping(three_regions):
        answers = send_all(three_regions, plan[:third])
        three_regions.replicator.cut(A, B)
        three_regions.replicator.cut(A, C)
        answers += send_all(three_regions, plan[third : 2 * third])
        three_regions.replicator.heal(A, B)
        three_regions.replicator.heal(A, C)
        answers += send_all(three_regions, plan[2 * third :])
    three_regions.settle()
    assert judge(plan, {region: three_regions.items(region) for region in three_regions.places}) == NOTHING_WRONG
    assert len(answers) == sum(len(write.regions) for write in plan)
    assert Counter(answers).keys() <= {"applied", "duplicate", "superseded"}
    assert three_regions.repairs() > 0
    assert three_regions.poison == []
