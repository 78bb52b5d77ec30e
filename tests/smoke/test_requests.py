"""What the smoke test asks of AWS, held against AWS's own models: every request and answer is checked by botocore."""

from contextlib import contextmanager

import boto3
import pytest
from botocore.stub import Stubber

from tests.smoke.pause import ACTION, DURATION, RESOURCE_TYPE, paused, template

TABLE = "arn:aws:dynamodb:us-east-1:111122223333:table/GlobalEventTable"
ROLE = "arn:aws:iam::111122223333:role/pauses-replication"
REQUEST = template(TABLE, ROLE, "run-1")


def at_once(ask):
    """Ask a few times; fail as the real wait does."""
    for _ in range(5):
        if found := ask():
            return found
    raise AssertionError("nothing within 5 questions")


@contextmanager
def service(*states):
    """A client that expects the experiment's calls in order, with these states in answer to the questions between."""
    fis = boto3.client("fis", region_name="us-east-1", aws_access_key_id="x", aws_secret_access_key="x")  # noqa: S106 - any
    with Stubber(fis) as stub:
        stub.add_response("create_experiment_template", {"experimentTemplate": {"id": "EXT1"}}, REQUEST)
        started = {"experimentTemplateId": "EXT1", "clientToken": "run-1"}
        stub.add_response("start_experiment", {"experiment": {"id": "EXP1"}}, started)
        for state in states:
            if state == "stop":
                stub.add_response("stop_experiment", {"experiment": {"id": "EXP1"}}, {"id": "EXP1"})
            else:
                answer = {"experiment": {"id": "EXP1", "state": {"status": state, "reason": "as told"}}}
                stub.add_response("get_experiment", answer, {"id": "EXP1"})
        stub.add_response("delete_experiment_template", {"experimentTemplate": {"id": "EXT1"}}, {"id": "EXT1"})
        yield fis
        stub.assert_no_pending_responses()


def test_replication_is_paused_for_the_block():
    """Template, experiment, its begin awaited; afterwards it is stopped, its end awaited, and the template gone."""
    states = ("pending", "initiating", "running", "running", "stop", "stopping", "stopped")
    with service(*states) as fis, paused(fis, REQUEST, at_once):
        pass


def test_a_block_that_fails_leaves_nothing_behind():
    """The experiment is stopped and the template deleted, whatever the block raised."""
    states = ("running", "running", "stop", "stopped")
    with service(*states) as fis, pytest.raises(ZeroDivisionError), paused(fis, REQUEST, at_once):
        raise ZeroDivisionError


def test_an_experiment_that_ended_by_itself_is_not_stopped():
    """Its time was up before the block was."""
    with service("running", "completed", "completed") as fis, paused(fis, REQUEST, at_once):
        pass


def test_an_experiment_that_fails_to_begin_says_why():
    """The reason that the service gives is in the error; the block is not entered, and the template is gone."""
    told = pytest.raises(AssertionError, match="the experiment is failed: as told")
    with service("failed", "failed", "failed") as fis, told, paused(fis, REQUEST, at_once):
        pytest.fail("the block was entered")


def test_the_template_names_one_table_and_ends_by_itself():
    """One action on one target of the type that the action takes; its duration is a fraction of a stream's 24 hours."""
    (action,) = REQUEST["actions"].values()
    (target,) = REQUEST["targets"].values()
    assert (action["actionId"], action["parameters"]) == (ACTION, {"duration": DURATION})
    assert action["targets"] == {"Tables": "table"}
    assert target == {"resourceType": RESOURCE_TYPE, "resourceArns": [TABLE], "selectionMode": "ALL"}
    assert DURATION == "PT10M"
