"""Between the functions, the engine and the queue: the user is told what happens, and nothing is lost.

Each row strikes once, where the client's own retry mends most faults and the user sees nothing, and without end, where
records fail, with the reason in the log, until the fault is gone.
"""

import re

import pytest

from reconciler.errors import ConfigurationError
from tests.faults.engine import EngineWorld
from tests.faults.faulty_server import FaultyServer
from tests.faults.rows import DAMAGED, ENGINE, QUEUE, REFUSES, Row
from tests.faults.site import EAST
from tests.faults.strikes import refused, signed_late

pytestmark = pytest.mark.dynamodb_local
ITEMS = ("x", "y", "z")
UPDATE = "TransientError: UpdateItem on GlobalEventTable: "
SENT = "TransientError: "


@pytest.fixture
def lost(world: EngineWorld) -> EngineWorld:
    """The first Region has lost a write of each item, and its worker has not run yet."""
    world.conflict(ITEMS, "k", owned=True)
    world.replicate()
    return world


def assert_all_in_table(world: EngineWorld) -> None:
    """Come to rest, with every write in the table."""
    account = world.assert_nothing_lost()
    assert account.in_table == account.acknowledged == 2 * len(ITEMS)


def struck_without_end(world: EngineWorld, server: FaultyServer, action: str, row: Row, told: str) -> None:
    """Strike every request: the log says why records fail, as long as they do."""
    server.always(action, row.fault)
    world.deliver(EAST)
    details = world.east.telemetry.details
    assert bool(world.pending[EAST]) == bool(details) == bool(row.log_says)
    assert all(re.match(f"{told}.*{row.log_says}", detail) for detail in details), details
    server.mend()


@pytest.mark.parametrize("row", ENGINE, ids=str)
def test_an_engine_that_fails_once_is_asked_again(lost: EngineWorld, row: Row) -> None:
    """The client's own retry is a no-op where the first attempt had been executed: the repair counts once."""
    lost.engine.dynamodb.plan("UpdateItem", row.fault)
    lost.deliver(EAST)
    assert bool(lost.pending[EAST]) == row.once_is_seen
    assert_all_in_table(lost)


@pytest.mark.parametrize("row", ENGINE, ids=str)
def test_an_engine_that_fails_without_end_fails_the_records(lost: EngineWorld, row: Row) -> None:
    """They come again; once all is well they are settled."""
    struck_without_end(lost, lost.engine.dynamodb, "UpdateItem", row, UPDATE)
    assert_all_in_table(lost)


@pytest.mark.parametrize("row", QUEUE, ids=str)
def test_a_queue_that_fails_once_is_asked_again(lost: EngineWorld, row: Row) -> None:
    """A message that was stored twice has one id."""
    lost.engine.sqs.plan("SendMessage", row.fault)
    lost.deliver(EAST)
    assert bool(lost.pending[EAST]) == row.once_is_seen
    assert_all_in_table(lost)
    assert [message.reason for message in lost.engine.queue.messages] == ["manual"] * len(ITEMS)


@pytest.mark.parametrize("row", QUEUE, ids=str)
def test_a_queue_that_fails_without_end_fails_the_records(lost: EngineWorld, row: Row) -> None:
    """No repair is made before its message is stored: afterwards nobody could tell that there was one to send."""
    struck_without_end(lost, lost.engine.sqs, "SendMessage", row, SENT + REFUSES)
    assert bool(row.log_says) == ("repaired" not in lost.east.telemetry.totals)
    assert_all_in_table(lost)
    assert [message.reason for message in lost.engine.queue.messages] == ["manual"] * len(ITEMS)


@pytest.mark.parametrize("row", DAMAGED, ids=str)
def test_a_damaged_answer_is_an_unknown_outcome_at_worst(lost: EngineWorld, row: Row) -> None:
    """The engine had committed: taken for done, or delivered again and found done."""
    lost.engine.dynamodb.always("UpdateItem", row.fault)
    lost.deliver(EAST)
    lost.engine.dynamodb.mend()
    assert_all_in_table(lost)


def test_a_queue_that_is_down_fails_the_records(world: EngineWorld, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody listens there: what needs no message is repaired all the same."""
    world.conflict(["plain"], "p")
    world.conflict(ITEMS, "k", owned=True)
    world.replicate()
    with FaultyServer(world.engine.queue).running() as gone:
        url = gone.url
    monkeypatch.setenv("AWS_ENDPOINT_URL_SQS", url)
    world.deliver(EAST)
    assert len(world.pending[EAST]) >= len(ITEMS)
    assert world.east.telemetry.totals["repaired"] == 1
    assert all(re.match(SENT + REFUSES + "Could not connect", detail) for detail in world.east.telemetry.details)
    monkeypatch.setenv("AWS_ENDPOINT_URL_SQS", world.engine.sqs.url)
    world.east.restart()
    account = world.assert_nothing_lost()
    assert account.in_table == account.acknowledged == 2 * len(ITEMS) + 2


@pytest.mark.parametrize("hours", [1, -1])
def test_a_clock_too_wrong_for_signatures_is_set_by_the_engines(lost: EngineWorld, hours: int) -> None:
    """The engine refuses what seems to be signed an hour ago, or ahead: the next attempt goes by the engine's clock."""
    lost.engine.dynamodb.always("UpdateItem", signed_late(hours * 3_600))
    lost.deliver(EAST)
    assert lost.pending[EAST] == []
    assert_all_in_table(lost)


@pytest.mark.parametrize("code", ["AccessDeniedException", "ResourceNotFoundException", "UnrecognizedClientException"])
def test_an_engine_that_is_not_ours_refuses_the_whole_batch(lost: EngineWorld, code: str) -> None:
    """A role without rights, a table that is not there: the invocation fails, loudly, and the batch comes again."""
    lost.engine.dynamodb.always("UpdateItem", refused(code))
    with pytest.raises(ConfigurationError, match=f"UpdateItem on GlobalEventTable: {code}: injected"):
        lost.deliver(EAST)
    lost.engine.dynamodb.mend()
    assert_all_in_table(lost)
