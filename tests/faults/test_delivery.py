"""Batches as no one would wish them: many times, in slices, to two workers at once, out of time, by the thousand."""

import random
from concurrent.futures import ThreadPoolExecutor
from itertools import count

import pytest

from tests.faults.site import EAST, WEST, Context
from tests.faults.world import MemoryWorld, from_lowest, memory_world

ITEMS = tuple(f"item-{number}" for number in range(30))
LARGEST_BATCH = 10_000


@pytest.fixture
def lost() -> MemoryWorld:
    """The first Region has lost a write of each item, half of which need a person, and its worker has not run yet."""
    world = memory_world()
    for number, item in enumerate(ITEMS):
        world.conflict([item], "k", owned=number % 2 == 0)
    world.replicate()
    return world


def assert_settled(world: MemoryWorld) -> None:
    """Come to rest, with every write in the table and one message for each conflict that needs a person."""
    account = world.assert_nothing_lost()
    assert account.in_table == account.acknowledged == 2 * len(ITEMS)
    assert [message.reason for message in world.east.messages()] == ["manual"] * (len(ITEMS) // 2)


def test_one_batch_many_times_is_one_batch(lost: MemoryWorld) -> None:
    """The first delivery settles everything; nineteen more change nothing, and report no failure."""
    batch = list(lost.batch(EAST))
    assert lost.east.work(batch) == []
    settled, shown = lost.east.items(), len(lost.east.records())
    assert shown == len(ITEMS)
    for _ in range(19):
        assert lost.east.work(batch) == []
    assert lost.east.items() == settled
    assert lost.east.records() == []
    assert lost.east.telemetry.totals["repaired"] == len(ITEMS)


@pytest.mark.parametrize("seed", range(10))
def test_overlapping_slices_are_one_batch(lost: MemoryWorld, seed: int) -> None:
    """Lambda bisects, resumes and repeats: in whatever parts a batch comes, it is settled once."""
    draw = random.Random(seed)  # noqa: S311 - seeded
    batch = list(lost.batch(EAST))
    for _ in range(20):
        start, end = sorted(draw.sample(range(len(batch) + 1), 2))
        assert lost.east.work(batch[start:end]) == []
    assert_settled(lost)


@pytest.mark.parametrize("seed", range(10))
def test_clients_go_on_between_slices(lost: MemoryWorld, seed: int) -> None:
    """An old slice meets an item that has been written, repaired and replicated since."""
    draw = random.Random(seed)  # noqa: S311 - seeded
    batches = {region: list(lost.batch(region)) for region in lost.sites}
    for number in range(30):
        region, item = draw.choice([EAST, WEST]), draw.choice(ITEMS)
        lost.write(region, item, f"later-{number}", owned=draw.random() < 0.2)
        if draw.random() < 0.3:
            lost.replicator.step()
        start = draw.randrange(len(batches[region]))
        lost.sites[region].work(batches[region][start:])
        batches[region] += lost.sites[region].records()
    lost.pending = batches
    account = lost.assert_nothing_lost()
    assert account.in_table == account.acknowledged == 2 * len(ITEMS) + 30


def test_two_workers_at_once_settle_each_key_once(lost: MemoryWorld) -> None:
    """Lambda may run a batch twice at the same time: one of the two finds the other's repair."""
    batch = list(lost.batch(EAST))
    lost.east.lanes = 4
    functions = [lost.east.stream_function() for _ in range(2)]
    with ThreadPoolExecutor(2) as pool:
        answers = list(pool.map(lambda handle: handle({"Records": batch}, Context()), functions))
    assert answers == [{"batchItemFailures": []}] * 2
    assert len(lost.east.records()) == len(ITEMS)
    assert_settled(lost)


@pytest.mark.parametrize("seconds", range(0, 40, 3))
def test_a_deadline_in_the_middle_fails_what_is_left(lost: MemoryWorld, seconds: int) -> None:
    """What was begun in time is done; the rest is reported, and comes again with the next invocation."""
    spent_ms = count(0, 1_000)
    limit_ms = seconds * 1_000 + 6_000
    lost.east.context = Context(lambda: limit_ms - next(spent_ms))
    batch = list(lost.batch(EAST))
    failed = lost.east.work(batch)
    assert 0 < len(failed) <= len(ITEMS)
    assert lost.east.telemetry.details == ["DeadlineError: too little time is left for another effect"]
    assert lost.east.telemetry.totals.get("repaired", 0) == len(ITEMS) - len(failed)
    lost.pending[EAST] = from_lowest(batch, failed)
    lost.east.context = Context()
    assert_settled(lost)


def test_the_largest_batch_of_one_key_is_one_repair() -> None:
    """10,000 records, of which each overwrites a write of its own: one conditional write, and all are told."""
    world = memory_world(max_causality_bytes=10**7)
    conflicts = 25
    for number in range(conflicts):
        world.conflict(["hot"], f"k{number}")
        world.replicate()
    batch = list(world.batch(EAST))
    many = (batch * (1 + LARGEST_BATCH // len(batch)))[-LARGEST_BATCH:]
    assert world.east.work(many) == []
    assert world.east.telemetry.totals["attempts"] == 1
    assert world.assert_nothing_lost().in_table == 2 * conflicts


def test_the_largest_batch_of_many_keys_is_one_repair_for_each() -> None:
    """1,000 keys, each lost once and shown ten times over, in one batch of 10,000 records."""
    world = memory_world()
    keys = [f"item-{number}" for number in range(1_000)]
    world.conflict(keys, "k")
    world.replicate()
    batch = world.batch(EAST) * 5
    assert len(batch) == LARGEST_BATCH
    assert world.east.work(batch) == []
    assert world.east.telemetry.totals["attempts"] == len(keys)
    account = world.assert_nothing_lost()
    assert account.in_table == account.acknowledged == 2 * len(keys)


def test_the_largest_batch_out_of_time_reports_each_record_once() -> None:
    """No effect is begun: every conflict's record comes again, and nothing else."""
    world = memory_world()
    keys = [f"item-{number}" for number in range(100)]
    world.conflict(keys, "k")
    world.replicate()
    batch = world.batch(EAST) * (LARGEST_BATCH // 200)
    world.east.context = Context(lambda: 0)
    failed = world.east.work(batch)
    assert sorted(failed, key=int) == sorted(
        {record["dynamodb"]["SequenceNumber"] for record in batch[100:200]}, key=int
    )
    world.pending[EAST], world.east.context = from_lowest(batch, failed), Context()
    assert world.assert_nothing_lost().in_table == 2 * len(keys)


def test_no_write_is_started_with_less_time_than_the_reserve() -> None:
    """A slow queue takes the time of the write after it: the record fails, and comes again."""
    world = memory_world()
    world.conflict(["x"], "k", owned=True)
    world.replicate()
    left, inner, writes = [11_000], world.east.outbox, []

    class SlowQueue:
        def send(self, message):
            left[0] -= 10_000
            inner.send(message)

    class Watched:
        read = staticmethod(world.east.table.read)
        transact = staticmethod(world.east.table.transact)

        def write(self, change):
            writes.append(left[0])
            return world.east.table.write(change)

    world.east.outbox, world.east.port = SlowQueue(), Watched()
    world.east.context = Context(lambda: left[0])
    failed = world.deliver(EAST)
    assert (failed, writes) == (2, [])
    assert world.pending[EAST]
