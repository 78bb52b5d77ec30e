"""A Region's process is killed (SIGKILL): before, inside and after each effect of a batch, and at random moments.

    effects of one key    poison message -> conditional write
    killed                ^ before   ^ inside: the engine has it, the worker has no answer     ^ after

Whatever was done stays done, whatever was not is delivered again: every step is a no-op when it is repeated.
"""

import random
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from signal import SIGKILL
from time import perf_counter, sleep

import pytest

from reconciler.policy import Region
from reconciler.records import RawRecord
from tests.faults.accounting import Account, tags_of
from tests.faults.engine import EngineWorld
from tests.faults.faulty_server import passed
from tests.faults.invocations import Function, function
from tests.faults.site import EAST, POLICY, TABLE, WEST
from tests.faults.strikes import Hold

pytestmark = pytest.mark.dynamodb_local
SEED = 20_231_114
KILLS = 500
ITEMS = tuple(f"item-{number}" for number in range(4))
REACHED_SECONDS = 20
KILLS_PER_BATCH = 35
MAX_BATCHES = 60
WRITER_KILLS = 60
RACES = 10
WRITER_SECONDS = 0.04
LONGEST_SECONDS = 0.2


@pytest.fixture
def environment(world: EngineWorld, tmp_path: Path) -> dict[str, str]:
    """The environment of the deployed functions, without their Region."""
    (tmp_path / "policy.toml").write_text(POLICY)
    deployed = {"TABLE_NAME": TABLE, "POLICY_FILE": str(tmp_path / "policy.toml"), "LANES": "1"}
    return {**world.engine.environment(), **deployed}


@pytest.fixture
def functions(environment: dict[str, str]) -> Iterator[dict[Region, Function]]:
    """The stream function of each Region, one process for each invocation."""
    with (
        function("stream", {**environment, "AWS_REGION": EAST}) as east,
        function("stream", {**environment, "AWS_REGION": WEST}) as west,
    ):
        yield {EAST: east, WEST: west}


OWNED = ITEMS[::2]


def told(world: EngineWorld) -> set[str]:
    """Return the keys of the overwritten writes of which a person was told."""
    return {key for message in world.engine.queue.messages for key in tags_of(message.old_image or {})}


def lose(world: EngineWorld, name: str) -> None:
    """Let one Region or the other lose a write of each item, half of which need a person."""
    for item in ITEMS:
        world.conflict([item], name, owned=item in OWNED)
    world.replicate()


def finish(world: EngineWorld, functions: dict[Region, Function]) -> Account:
    """Let all invocations run to their end until nothing moves: every write is in the table, and counts once."""
    for region, site in world.sites.items():
        site.invoke = functions[region].invoke
    account = world.assert_nothing_lost()
    assert account.in_table == account.acknowledged
    return account


def test_a_worker_is_killed_at_each_effect(world: EngineWorld, functions: dict[Region, Function]) -> None:
    """Before, inside and after each poison message and each repair of one batch, then delivered once more."""
    lose(world, "k")
    worker, batch = functions[EAST], {"Records": world.batch(EAST)}
    servers = {"SendMessage": world.engine.sqs, "UpdateItem": world.engine.dynamodb}
    effects = [("SendMessage", number) for number in range(2)] + [("UpdateItem", number) for number in range(4)]
    for action, number in effects:
        for moment in ("before", "inside", "after"):
            hold = Hold(moment)
            servers[action].plan(action, *[passed] * number, hold)
            process_id = worker.start(batch)
            assert hold.reached.wait(REACHED_SECONDS)
            worker.kill(process_id)
            hold.released.set()
            servers[action].mend()
    assert worker.kills >= 2 * len(effects)  # after its last effect, an invocation may be quicker than its end
    finish(world, functions)
    assert told(world) >= {f"k-{EAST}-{item}" for item in OWNED}


def seconds_of(worker: Function, batch: Sequence[RawRecord]) -> float:
    """Return how long one invocation takes that nobody kills; the batch is done, so that it changes nothing more."""
    start = perf_counter()
    worker.invoke({"Records": batch})
    return perf_counter() - start


def test_workers_are_killed_at_random_moments(world: EngineWorld, functions: dict[Region, Function]) -> None:
    """500 kills at random microseconds, in both Regions; each time the batch, or a part of it, comes again."""
    draw = random.Random(SEED)  # noqa: S311 - a seed makes the draws the same, though not the moments
    seconds, requests = 0.1, Counter[int]()
    for number in range(MAX_BATCHES):
        lose(world, f"k{number}")
        loser = max(world.sites, key=lambda region: len(world.batch(region)))
        worker, batch = functions[loser], list(world.batch(loser))
        for _ in range(KILLS_PER_BATCH):
            start, before = draw.choice((0, draw.randrange(len(batch)))), world.engine.requests
            process_id = worker.start({"Records": batch[start:]})
            sleep(draw.uniform(0, seconds))
            if worker.kill(process_id)["status"] == SIGKILL:
                requests[world.engine.requests - before] += 1
        finish(world, functions)
        assert told(world) >= {f"k{number}-{loser}-{item}" for item in OWNED}
        seconds = min(seconds_of(worker, batch), LONGEST_SECONDS)
        if requests.total() >= KILLS:
            break
    assert requests.total() >= KILLS
    assert requests.total() - requests[0] > KILLS // 3  # in the middle of the batch


def test_two_workers_at_once_and_one_is_killed(world: EngineWorld, environment: dict[str, str]) -> None:
    """Both have the same batch: one dies at a random moment, the other finishes as if it were alone."""
    draw = random.Random(SEED)  # noqa: S311 - as above
    with (
        function("stream", {**environment, "AWS_REGION": EAST}) as doomed,
        function("stream", {**environment, "AWS_REGION": EAST}) as other,
    ):
        for number in range(RACES):
            lose(world, f"k{number}")
            batch = {"Records": list(world.batch(EAST))}
            process_id = doomed.start(batch)
            other.start(batch)
            sleep(draw.uniform(0, LONGEST_SECONDS / 2))
            doomed.kill(process_id)
            assert other.reap()["answer"] == {"batchItemFailures": []}
        assert doomed.kills > 0
    account = world.assert_nothing_lost()
    assert account.in_table == account.acknowledged


def test_a_writer_is_killed_and_its_client_asks_the_other_region(
    world: EngineWorld, environment: dict[str, str]
) -> None:
    """The outcome is unknown: executed in one Region, in the other or in both, the write counts once."""
    draw = random.Random(SEED)  # noqa: S311 - as above
    with function("write", {**environment, "AWS_REGION": EAST}) as writer:
        for number in range(WRITER_KILLS):
            request = world.books.request(f"item-{number % 4}", f"k{number}")
            process_id = writer.start(request)
            sleep(draw.uniform(0, WRITER_SECONDS))
            if "answer" not in writer.kill(process_id):
                assert world.write(WEST, request["Id"], request["IdempotencyKey"]) in {"applied", "duplicate"}
            if number % 10 == 0:
                world.replicate()
    account = world.assert_nothing_lost()
    assert account.in_table == account.acknowledged
