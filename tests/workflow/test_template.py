"""The workflow's template: what the state machine names is what the template makes and allows."""

import json
import re
from typing import Any

import pytest

from handlers.settings import StartSettings
from infra.check.names import listed, named
from infra.check.stack import Stack
from tests.workflow.world import DEFINITION

STACK = Stack.read(DEFINITION.with_name("workflow.yaml"))
TEXT = DEFINITION.read_text(encoding="utf-8")
TASKS: Any = [state for state in json.loads(TEXT)["States"].values() if state["Type"] == "Task"]
ACTIONS = {
    "arn:aws:states:::dynamodb:putItem": ("dynamodb:PutItem", "Claims"),
    "arn:aws:states:::dynamodb:getItem": ("dynamodb:GetItem", "Claims"),
    "arn:aws:states:::dynamodb:updateItem": ("dynamodb:UpdateItem", "Claims"),
    "arn:aws:states:::lambda:invoke": ("lambda:InvokeFunction", "WriteFunctionArn"),
    "arn:aws:states:::sqs:sendMessage": ("sqs:SendMessage", "PoisonQueueArn"),
}


def properties(name: str) -> Any:
    """Return a resource's properties."""
    return STACK.resources[name].properties


def test_the_role_allows_what_the_tasks_do_and_nothing_else() -> None:
    """Both ways; logs aside, which know no resource."""
    (policy,) = STACK.template["Resources"]["WorkflowRole"]["Properties"]["Policies"]
    granted = {
        (action, named(statement["Resource"]))
        for statement in policy["PolicyDocument"]["Statement"]
        for action in listed(statement["Action"])
        if not action.startswith("logs:")
    }
    assert granted == {ACTIONS[task["Resource"]] for task in TASKS}


def test_every_name_in_the_definition_is_given() -> None:
    """A name that nobody gives would be taken as it stands; one that nobody takes is a mistake."""
    assert set(re.findall(r"\$\{(\w+)\}", TEXT)) == set(properties("Workflow")["DefinitionSubstitutions"])
    assert properties("Workflow")["DefinitionUri"] == DEFINITION.name


def test_claims_are_kept_as_the_definition_writes_them() -> None:
    """The key, and the attribute that ends a claim."""
    (claim,) = (task["Parameters"]["Item"] for task in TASKS if task["Resource"].endswith("putItem"))
    claims = properties("Claims")
    key, expiry = claims["KeySchema"][0]["AttributeName"], claims["TimeToLiveSpecification"]["AttributeName"]
    assert {key, expiry} <= set(claim)
    assert (claims["BillingMode"], claims["SSESpecification"]["SSEEnabled"]) == ("PAY_PER_REQUEST", True)
    assert claims["PointInTimeRecoverySpecification"]["PointInTimeRecoveryEnabled"] is True


def test_an_execution_is_started_once() -> None:
    """Only Standard machines refuse a name that was used."""
    assert properties("Workflow")["Type"] == "STANDARD"


def test_the_log_has_no_values() -> None:
    """Each state is logged, and nothing that it is given."""
    logging = properties("Workflow")["Logging"]
    assert (logging["Level"], logging["IncludeExecutionData"]) == ("ALL", False)
    assert named(logging["Destinations"][0]["CloudWatchLogsLogGroup"]["LogGroupArn"]) == "WorkflowLogs"


def test_the_starter_is_told_all_that_it_asks_for() -> None:
    """Its settings are read without a fault; the parameter's bounds are the setting's."""
    given = properties("StartFunction")["Environment"]["Variables"]
    arn = "arn:aws:states:us-east-1:111122223333:stateMachine:workflow"
    assert set(given) == {"STATE_MACHINE_ARN", "CLAIM_DAYS"}
    days = STACK.template["Parameters"]["ClaimDays"]
    for number in (days["MinValue"], days["Default"], days["MaxValue"]):
        environment = {"STATE_MACHINE_ARN": arn, "AWS_REGION": "us-east-1", "CLAIM_DAYS": str(number)}
        assert StartSettings.from_environment(environment).claim_days == number
    assert StartSettings(arn, "us-east-1").claim_days == days["Default"]


@pytest.mark.parametrize("metric", ["ExecutionsFailed", "ExecutionsTimedOut", "ExecutionsAborted"])
def test_an_event_that_was_not_applied_raises_an_alarm(metric: str) -> None:
    """One is enough."""
    alarms = [alarm.properties for alarm in STACK.of_type("AWS::CloudWatch::Alarm")]
    (alarm,) = [found for found in alarms if found["MetricName"] == metric]
    assert (alarm["Threshold"], alarm["ComparisonOperator"]) == (0, "GreaterThanThreshold")
    assert named(alarm["Dimensions"][0]["Value"]) == "Workflow"
