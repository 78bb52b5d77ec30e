"""A write whose outcome nobody knows: its client asks again, here or in the other Region, and it counts once.

client -> us-east-1: committed? answered? ... -> eu-west-1: the same request, the same key
"""

from contextlib import suppress
from threading import Thread

import pytest

from reconciler.errors import TransientError
from tests.faults.engine import EngineWorld
from tests.faults.faulty_server import Answer, Exchange, HangUp
from tests.faults.rows import DAMAGED, ENGINE, Row
from tests.faults.site import EAST, WEST
from tests.faults.strikes import Hold

pytestmark = pytest.mark.dynamodb_local
ROWS = [row for row in ENGINE if row.log_says]
REACHED_SECONDS = 20


@pytest.mark.parametrize("row", [*ENGINE, *DAMAGED], ids=str)
@pytest.mark.parametrize("action", ["GetItem", "PutItem", "UpdateItem"])
def test_a_write_struck_once(world: EngineWorld, action: str, row: Row) -> None:
    """The client's own retry, the caller's in the other Region before they meet, or both: applied once."""
    if action != "PutItem":
        world.write(EAST, "x", "before")
        world.replicate()
    world.engine.dynamodb.plan(action, row.fault)
    with suppress(TransientError):
        assert world.write(EAST, "x", "k") == "applied"
    assert world.write(WEST, "x", "k") == "applied"
    account = world.assert_nothing_lost()
    assert account.in_table == account.acknowledged


@pytest.mark.parametrize("row", ROWS, ids=str)
def test_a_write_struck_without_end_is_retried_in_the_other_region(world: EngineWorld, row: Row) -> None:
    """The caller is told that a retry may succeed, and with which key; the other Region takes it."""
    world.engine.dynamodb.always("PutItem", row.fault)
    with pytest.raises(TransientError, match=f"PutItem on GlobalEventTable: .*{row.log_says}") as told:
        world.write(EAST, "x", "k")
    assert told.value.idempotency_key == "k"
    world.engine.dynamodb.mend()
    assert world.write(WEST, "x", "k") == "applied"
    account = world.assert_nothing_lost()
    assert account.in_table == account.acknowledged == 1
    assert world.write(EAST, "x", "k") == world.write(WEST, "x", "k") == "duplicate"


def test_a_write_that_replication_overwrote_before_its_answer(world: EngineWorld) -> None:
    """Committed, no answer, overwritten by the other Region: the retry executes it anew, the worker finds the first."""
    world.write(EAST, "x", "before")
    world.replicate()
    hold = Hold("inside")
    world.engine.dynamodb.plan("UpdateItem", lambda exchange: unanswered(hold, exchange))
    answers: list[str] = []
    client = Thread(target=lambda: answers.append(world.write(EAST, "x", "k")))
    client.start()
    assert hold.reached.wait(REACHED_SECONDS)
    world.write(WEST, "x", "other")
    world.replicate()
    hold.released.set()
    client.join()
    assert answers == ["applied"]
    account = world.assert_nothing_lost()
    assert account.in_table == account.acknowledged == 3


def unanswered(hold: Hold, exchange: Exchange) -> Answer:
    """Hold the exchange, then hang up."""
    hold(exchange)
    raise HangUp


@pytest.mark.parametrize("row", ROWS, ids=str)
def test_a_transaction_struck_without_end_is_retried_in_the_other_region(world: EngineWorld, row: Row) -> None:
    """All of its items or none, executed in one Region or in both: it counts once on each item."""
    events = [world.books.request(item, "k") for item in ("x", "y")]
    bare = [{name: value for name, value in event.items() if name != "IdempotencyKey"} for event in events]
    transaction = {"Transaction": {"IdempotencyKey": "k", "Events": bare}}
    world.engine.dynamodb.always("TransactWriteItems", row.fault)
    with pytest.raises(TransientError) as told:
        world.sites[EAST].write(transaction)
    assert told.value.idempotency_key == "k"
    world.engine.dynamodb.mend()
    answer = world.sites[WEST].write(transaction)
    assert [world.books.acknowledge(event, answer) for event in events] == ["applied"] * 2
    account = world.assert_nothing_lost()
    assert account.in_table == account.acknowledged == 2
