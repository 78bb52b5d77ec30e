"""The workflow applies one event, once: what stands in the item, the claim and the queue afterwards."""

import json
from typing import Any

import pytest

from reconciler.stamps import write_id
from tests.workflow.world import DEFINITION, World, event, fail_claims

STATES: Any = json.loads(DEFINITION.read_text(encoding="utf-8"))["States"]
TASKS = {name: state for name, state in STATES.items() if state["Type"] == "Task"}


def test_an_event_is_applied(world: World) -> None:
    """The key is claimed, the write function executes the request, and the claim tells the outcome."""
    answer = world.result(event())
    assert (answer["status"], sorted(answer)) == ("applied", ["status", "token", "version"])
    assert world.item()["Balance"] == {"N": "5"}
    claim = world.claim()
    assert (claim["Outcome"], claim["Version"], claim["Execution"]) == ({"S": "applied"}, {"N": "1"}, {"S": "k1"})
    assert claim["ExpiresAt"] == {"N": "0"}
    assert world.poison() == []


def test_a_claim_expires_when_the_input_says(world: World) -> None:
    """TTL takes the claim away at `claimExpiresAt`."""
    world.run({**event(), "claimExpiresAt": 1_800_000_000})
    assert world.claim()["ExpiresAt"] == {"N": "1800000000"}


def test_the_same_event_again_is_a_duplicate(world: World) -> None:
    """A settled claim answers by itself: the write function is not called again."""
    world.run(event())
    execution = world.run(event(), "another-name")
    assert json.loads(execution["output"]) == {"status": "duplicate", "version": 1, "first_status": "applied"}
    assert (world.calls, world.item()["Balance"]) == (1, {"N": "5"})


def test_an_execution_that_was_lost_blocks_nobody(world: World) -> None:
    """A claim without an outcome: the event is applied, for whoever claimed it came to no end."""
    world.put_claim()
    execution = world.run(event())
    assert json.loads(execution["output"])["status"] == "applied"
    assert world.claim()["Outcome"] == {"S": "applied"}


def test_a_write_whose_answer_was_lost_counts_once(world: World) -> None:
    """Applied, but stopped before the outcome was recorded: the ledger says `duplicate`."""
    world.put_claim()
    world.writer()(event(), None)
    execution = world.run(event())
    assert json.loads(execution["output"])["status"] == "duplicate"
    assert world.item()["Balance"] == {"N": "5"}


def test_an_older_write_is_superseded(world: World) -> None:
    """By the client's own time it came too late."""
    world.run(event("k1", Set={"Data": "newer"}), "k1")
    world.run({**event("k2", Set={"Data": "older"}), "eventTime": "2001-09-10T00:00:00Z"}, "k2")
    assert world.claim("k2")["Outcome"] == {"S": "superseded"}
    assert world.item()["Data"] == {"S": "newer"}


def test_another_version_is_a_conflict(world: World) -> None:
    """Nothing is written, and the answer has the version to start from."""
    world.run(event())
    answer = world.result(event("k2", Add={"Balance": 1}, ExpectedVersion=7), "k2")
    assert (answer["status"], answer["version"]) == ("version_conflict", 1)
    assert world.item()["Balance"] == {"N": "5"}


def test_a_write_after_a_delete_may_be_refused(world: World) -> None:
    """Where the policy refuses a new life, the answer says `deleted`."""
    world.refuse_recreation()
    world.run(event("k1", Delete=True), "k1")
    assert world.result(event("k2"), "k2")["status"] == "deleted"
    assert world.claim("k2")["Outcome"] == {"S": "deleted"}


@pytest.mark.parametrize("wrong", [{}, {"event": {}}, {"eventId": 7, "event": {}}, {"eventId": "", "event": {}}])
def test_what_is_no_event_is_poison(world: World, wrong: dict[str, Any]) -> None:
    """It goes to the queue as it came, and nothing is claimed."""
    execution = world.run(wrong)
    assert (execution["status"], execution["error"]) == ("FAILED", "NotAnEvent")
    (message,) = world.poison()
    assert (message["event"], message["fault"]["Error"]) == (wrong, "NotAnEvent")


def test_a_wrong_request_is_poison_at_once(world: World) -> None:
    """No retry can mend it: one call, and the queue has the whole event and the reason."""
    wrong = event("k1", Set={"Balance": 3})
    execution = world.run(wrong)
    assert (execution["status"], execution["error"]) == ("FAILED", "RequestError")
    (message,) = world.poison()
    assert (message["event"], message["fault"]["Error"], world.calls) == (wrong, "RequestError", 1)
    assert message["schema"] == "global-table-reconciler/workflow-poison/1"
    assert "Outcome" not in world.claim()


def test_what_was_poison_can_be_applied_later(world: World) -> None:
    """Its claim has no outcome, so the same key goes through once the fault is gone."""
    world.faults = ["ConfigurationError"]
    assert world.run(event())["status"] == "FAILED"
    assert world.result(event(), "redriven")["status"] == "applied"


@pytest.mark.parametrize("fault", ["ContentionError", "TransientError", "Lambda.TooManyRequestsException"])
def test_what_may_pass_is_tried_again(world: World, fault: str) -> None:
    """A transient fault costs a moment, and nothing is counted twice."""
    world.faults = [fault]
    assert world.result(event())["status"] == "applied"
    assert (world.calls, world.item()["Balance"]) == (2, {"N": "5"})


@pytest.mark.parametrize("answer", [{"status": "odd", "version": 1, "token": "t"}, {"errors": []}])
def test_an_answer_that_is_not_known_is_poison(world: World, answer: dict[str, Any]) -> None:
    """It is never taken for success, nor recorded as an outcome."""
    world.answer = answer
    execution = world.run(event())
    assert execution["status"] == "FAILED"
    assert [message["event"] for message in world.poison()] == [event()]
    assert "Outcome" not in world.claim()


def test_a_claim_that_cannot_be_made_is_poison(world: World) -> None:
    """Nothing is applied without a claim."""
    execution = world.run(event(), machine=world.make_machine(ClaimsTable="Absent"))
    assert (execution["status"], execution["error"]) == ("FAILED", "DynamoDB.ResourceNotFoundException")
    assert (world.calls, len(world.poison())) == (0, 1)


def test_a_claim_that_cannot_be_read_is_poison(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whether it is settled is not known: a person decides."""
    world.put_claim()
    fail_claims(monkeypatch, "get_item", "AccessDeniedException")
    world.run(event())
    assert (world.calls, len(world.poison())) == (0, 1)


@pytest.mark.parametrize("operation", ["put_item", "update_item"])
def test_a_throttled_claim_is_tried_again(world: World, monkeypatch: pytest.MonkeyPatch, operation: str) -> None:
    """Throttling costs a moment, before and after the write."""
    told = fail_claims(monkeypatch, operation, "ThrottlingException")
    assert world.result(event())["status"] == "applied"
    assert (told["left"], world.claim()["Outcome"]) == (0, {"S": "applied"})


def test_an_outcome_that_cannot_be_recorded_is_no_fault(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """What was applied is told as applied; the claim stays open, and the ledger answers the next retry."""
    fail_claims(monkeypatch, "update_item", "AccessDeniedException")
    assert world.result(event())["status"] == "applied"
    assert "Outcome" not in world.claim()
    assert world.result(event(), "again")["status"] == "duplicate"
    assert world.item()["Balance"] == {"N": "5"}


def test_a_name_is_executed_once(world: World) -> None:
    """The name is the key's write id, whatever the key holds; after its end, to start it again is refused: done."""
    key = "Bestellung Nr. 7/8: \u00fc" * 20
    world.run(event(key), write_id(key))
    with pytest.raises(world.states.exceptions.ExecutionAlreadyExists):
        world.run({**event(key), "eventType": "Again"}, write_id(key))
    assert world.calls == 1


@pytest.mark.parametrize("name", TASKS)
def test_every_task_is_bounded_and_retries_with_jitter(name: str) -> None:
    """A time limit, full jitter, and a bounded number of attempts and seconds; what fails for good is caught."""
    task = TASKS[name]
    waiting = [retry for retry in task["Retry"] if retry["MaxAttempts"]]
    assert task["TimeoutSeconds"] <= 60
    assert waiting
    assert all(retry["JitterStrategy"] == "FULL" and retry["MaxDelaySeconds"] <= 60 for retry in waiting)
    assert all(retry["MaxAttempts"] <= 6 for retry in waiting)
    assert name == "SendToPoisonQueue" or task["Catch"][-1]["ErrorEquals"] == ["States.ALL"]
