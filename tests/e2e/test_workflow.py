"""The workflow's stack runs with the worker's functions: events in, one outcome each, and poison in the queue."""

import json

import pytest

from infra.e2e.region import WORKFLOW_STACK
from tests.e2e.world import A, eventually

pytestmark = pytest.mark.e2e


class Workflow:
    """The workflow in one Region."""

    def __init__(self, region, package):
        """Deploy it."""
        self.region = region
        region.deploy_workflow(package.path)
        (machine,) = region.client("stepfunctions").list_state_machines()["stateMachines"]
        self.arn = machine["stateMachineArn"]

    def start(self, event):
        """Return what the starter answers."""
        return self.region.invoke("start", event, WORKFLOW_STACK)

    def run(self, event):
        """Start, and return the execution once it has ended."""
        started = self.start(event)
        assert started["status"] == "started", started
        arn = f"{self.arn.replace(':stateMachine:', ':execution:')}:{started['execution']}"

        def ended():
            execution = self.region.client("stepfunctions").describe_execution(executionArn=arn)
            return None if execution["status"] == "RUNNING" else execution

        return eventually(ended)


@pytest.fixture(scope="module")
def workflow(world, package):
    """The workflow in the first Region."""
    return Workflow(world.regions[A], package)


def event(key, **request):
    """Return a TMF688 event with a request for one item."""
    return {"eventId": key, "eventType": "BalanceChangeEvent", "event": {"Id": "flow", **request}}


def test_an_event_is_applied_once(world, workflow):
    """The write function applies it; sent again, it is known: nothing is started, nothing counted twice."""
    execution = workflow.run(event("w1", Add={"Balance": 5}))
    assert execution["status"] == "SUCCEEDED", execution
    assert json.loads(execution["output"])["status"] == "applied"
    assert workflow.start(event("w1", Add={"Balance": 5}))["status"] == "exists"
    assert world.regions[A].item("flow")["Balance"] == {"N": "5"}


def test_what_a_client_has_written_itself_is_a_duplicate(world, workflow):
    """The ledger knows the key, whoever brought it."""
    world.write(A, Id="flow", IdempotencyKey="w2", Add={"Balance": 1})
    execution = workflow.run(event("w2", Add={"Balance": 1}))
    assert json.loads(execution["output"])["status"] == "duplicate"


def test_a_wrong_request_reaches_the_queue(world, workflow):
    """The write function refuses it: the execution fails, and the whole event waits for a person."""
    world.regions[A].messages("poison")
    wrong = event("w3", Add={"Balance": "much"})
    assert workflow.run(wrong)["status"] == "FAILED"
    (message,) = eventually(lambda: world.regions[A].messages("poison"))
    body = json.loads(message["Body"])
    assert wrong.items() <= body["event"].items()
    assert "Add.Balance" in body["fault"]["Cause"]
