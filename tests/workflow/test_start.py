"""From the starter to the end: an event is started once, and what failed can be redriven."""

from typing import Any

import pytest

from handlers.bootstrap_redrive import redrive_handler
from handlers.bootstrap_start import start_handler
from handlers.settings import Settings, StartSettings
from reconciler.adapters.dynamodb import DynamoDBTable
from reconciler.adapters.executions import executions
from reconciler.adapters.sqs_messages import SqsMessages
from reconciler.stamps import write_id
from tests.workflow.world import POLICY, REGION, START_MS, World, event

NAME = write_id("k1")
DAY_S = 86_400


def start(world: World, given: Any) -> dict[str, Any]:
    """Let the starter take an event."""
    settings = StartSettings(world.machine, REGION, claim_days=90)
    handle = start_handler(settings, start=executions(world.machine, REGION).start, clock=lambda: START_MS)
    return handle(given, None)


def ended(world: World) -> dict[str, Any]:
    """Return the execution once it has ended."""
    return world.end_of(f"{world.machine.replace('stateMachine', 'execution')}:{NAME}")


def redrive(world: World) -> dict[str, Any]:
    """Redrive the queue as the deployed function does."""
    handle = redrive_handler(
        Settings("Items", "", REGION, world.queue_url),
        policy=POLICY,
        table=DynamoDBTable(world.dynamodb, "Items"),
        messages=SqsMessages(world.sqs, world.queue_url),
        sinks=(),
        emit=lambda _: None,
        clock=lambda: world.now_ms,
    )
    return handle({}, None)


def test_an_event_is_started_and_applied_once(world: World) -> None:
    """While it runs and once it has ended, another start finds it: nothing is left to do."""
    assert start(world, event()) == {"status": "started", "execution": NAME}
    assert ended(world)["status"] == "SUCCEEDED"
    assert start(world, event())["status"] == "exists"
    assert (world.calls, world.item()["Balance"]) == (1, {"N": "5"})
    claim = world.claim()
    assert (claim["Execution"], claim["ExpiresAt"]) == ({"S": NAME}, {"N": str(START_MS // 1000 + 90 * DAY_S)})


def test_what_failed_is_redriven_under_its_own_key(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """The event waits in the queue; a redrive applies it, and no other way does so twice."""
    monkeypatch.setattr("reconciler.adapters.sqs_messages.WAIT_S", 0)
    world.faults = ["ConfigurationError"]
    start(world, event())
    assert ended(world)["status"] == "FAILED"
    assert start(world, event())["status"] == "exists"
    assert redrive(world)["settled"] == {"applied": 1}
    assert world.item()["Balance"] == {"N": "5"}
    assert world.result(event(), "by-hand")["status"] == "duplicate"
    assert (world.item()["Balance"], redrive(world)["received"]) == ({"N": "5"}, 0)


def test_a_redriven_request_counts_as_of_when_it_was_started(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its message says when the execution began: what was written since stays."""
    monkeypatch.setattr("reconciler.adapters.sqs_messages.WAIT_S", 0)
    world.faults = ["ConfigurationError"]
    start(world, event(Set={"Data": "older"}))
    execution = ended(world)
    world.now_ms = round(execution["startDate"].timestamp() * 1000) + 60_000
    world.writer()(event("k2", Set={"Data": "newer"}), None)
    assert redrive(world)["settled"] == {"superseded": 1}
    assert world.item()["Data"] == {"S": "newer"}


def test_what_still_fails_is_left_as_the_workflow_sent_it(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """A wrong request stays wrong: the very message is there after any number of redrives."""
    monkeypatch.setattr("reconciler.adapters.sqs_messages.WAIT_S", 0)
    start(world, event(Set={"Balance": 3}))
    ended(world)
    for _ in range(7):
        assert redrive(world)["put_back"] == {"RequestError": 1}
    (message,) = world.poison()
    assert (message["event"]["eventId"], message["fault"]["Error"]) == ("k1", "RequestError")
    assert "startedAt" in message
