"""Sizes: items at DynamoDB's 400 KB, repairs that would pass it, messages at SQS's 1 MiB; in memory and for real."""

import random
from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from botocore.config import Config

from reconciler.adapters.sqs import SqsPoisonQueue
from reconciler.errors import TooLargeError
from tests.faults.engine import QUEUE_PATH
from tests.faults.faulty_server import FaultyServer, passed
from tests.faults.site import EAST, WEST
from tests.faults.sqs_queue import SqsQueue
from tests.faults.strikes import SQS, refused
from tests.faults.world import World, memory_world

KB = 1_024
Sized = tuple[World[Any], FaultyServer, SqsQueue]
ENGINES = ["memory", pytest.param("dynamodb_local", marks=pytest.mark.dynamodb_local)]


def noise(seed: int, size: int) -> bytes:
    """Return bytes that nothing compresses."""
    return random.Random(seed).randbytes(size)  # noqa: S311 - seeded


@pytest.fixture(params=ENGINES)
def sized(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[Sized]:
    """A world, whose poison messages go over HTTP to a queue with SQS's limit."""
    if request.param == "dynamodb_local":
        world = request.getfixturevalue("world")
        yield world, world.engine.sqs, world.engine.queue
        return
    world, queue = memory_world(), SqsQueue()
    with FaultyServer(queue).running() as server:
        for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
            monkeypatch.setenv(name, "testing")
        client = boto3.client("sqs", EAST, endpoint_url=server.url, config=Config(retries={"total_max_attempts": 2}))
        for site in world.sites.values():
            site.queue, site.outbox = queue, SqsPoisonQueue(client, server.url + QUEUE_PATH)
        yield world, server, queue
        client.close()


def test_a_repair_that_would_pass_400_kb_goes_to_a_person(sized: Sized) -> None:
    """Each write fits, both together do not: the winner stands, the loser is in the queue with both images."""
    world, _, queue = sized
    world.write(EAST, "x", "k1", Set={"OfEast": noise(1, 220 * KB)})
    world.write(WEST, "x", "k2", Set={"OfWest": noise(2, 220 * KB)})
    account = world.assert_nothing_lost()
    assert (account.in_table, account.in_queue) == (1, 1)
    (message,) = queue.messages
    assert message.reason == "too_large"
    assert message.old_image is not None
    assert message.new_image is not None
    assert {"OfEast", "OfWest"} <= message.old_image.keys() | message.new_image.keys()


def test_a_repair_of_an_item_at_400_kb_that_fits_is_made(sized: Sized) -> None:
    """Both Regions set one attribute to 390 KB: the condition, the old value and the new one all travel."""
    world, _, queue = sized
    for number, region in enumerate((EAST, WEST)):
        world.write(region, "x", f"k{number}", Set={"Blob": noise(number, 390 * KB)})
    account = world.assert_nothing_lost()
    assert account.in_table == account.acknowledged == 2
    assert queue.bodies == []


def lose_large(world: World[Any]) -> None:
    """Let the first Region lose a write of 390 KB that needs a person."""
    for number, region in enumerate((EAST, WEST)):
        world.write(region, "x", f"k{number}", owned=True, Set={"Blob": noise(number, 390 * KB)})
    world.replicate()


def test_two_incompressible_images_are_two_messages_with_one_id(
    sized: Sized,
) -> None:
    """No body passes SQS's limit, none is cut short, and both together give the images back whole."""
    world, _, queue = sized
    lose_large(world)
    world.assert_nothing_lost()
    assert len(queue.bodies) == 2
    (message,) = queue.messages
    assert message.reason == "manual"
    blobs = [image["Blob"] for image in (message.old_image, message.new_image) if image]
    assert len(blobs) == 2
    assert blobs[0] != blobs[1]


@pytest.mark.parametrize("after", [0, 1])
def test_a_queue_that_refuses_one_of_two_parts(sized: Sized, after: int) -> None:
    """The record fails, and is not repaired; the next delivery sends both parts, and the same id joins them."""
    world, server, queue = sized
    lose_large(world)
    server.plan("SendMessage", *[passed] * after, refused("AccessDenied", 403, SQS))
    world.deliver(EAST)
    assert world.pending[EAST]
    assert queue.messages == []
    account = world.assert_nothing_lost()
    assert account.in_table == account.acknowledged == 2
    assert (len(queue.bodies), len(queue.messages)) == (2 + after, 1)


def test_a_write_that_would_pass_400_kb_is_refused_to_its_client(
    sized: Sized,
) -> None:
    """The client is told, nothing is written, and the item goes on."""
    world, _, _ = sized
    world.write(EAST, "x", "k1", Set={"Blob": noise(1, 390 * KB)})
    with pytest.raises(TooLargeError, match=r"size|bytes"):
        world.write(EAST, "x", "k2", Set={"More": noise(2, 20 * KB)})
    assert world.write(EAST, "x", "k3") == "applied"
    assert world.assert_nothing_lost().in_table == 2
