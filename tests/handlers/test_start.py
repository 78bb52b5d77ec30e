"""The workflow's starter: which execution it starts, and that it starts it once."""

import json
from decimal import Decimal

import boto3
import pytest
from botocore.exceptions import ClientError, EndpointConnectionError, NoCredentialsError
from moto import mock_aws

from handlers import start
from handlers.bootstrap_start import start_handler
from handlers.settings import StartSettings
from reconciler.adapters.executions import Executions
from reconciler.errors import ConfigurationError, RequestError, TransientError
from reconciler.execution import MAX_INPUT_BYTES, execution_of
from reconciler.stamps import write_id

REGION = "us-east-1"
ARN = "arn:aws:states:us-east-1:123456789012:stateMachine:workflow"
COMPLETE = {"STATE_MACHINE_ARN": ARN, "AWS_REGION": REGION}
EVENT = {"eventId": "Auftrag Nr. 7/8: \u00fc", "eventType": "T", "event": {"Id": "x", "Add": {"Balance": 0.1}}}


@pytest.fixture
def machine(monkeypatch):
    """A state machine in moto, and the function's environment."""
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "testing")
    with mock_aws():
        states = boto3.client("stepfunctions", REGION)
        definition = json.dumps({"StartAt": "Wait", "States": {"Wait": {"Type": "Wait", "Seconds": 9, "End": True}}})
        role = "arn:aws:iam::123456789012:role/workflow"
        arn = states.create_state_machine(name="workflow", definition=definition, roleArn=role)["stateMachineArn"]
        monkeypatch.setenv("STATE_MACHINE_ARN", arn)
        monkeypatch.setenv("AWS_REGION", REGION)
        start.handler.cache_clear()
        yield arn
    start.handler.cache_clear()


def test_an_event_is_started_once(machine):
    """The name is the key's write id; a second start finds it, whatever else the event says by then."""
    name = write_id(EVENT["eventId"])
    assert start.lambda_handler(EVENT, None) == {"status": "started", "execution": name}
    assert start.lambda_handler({**EVENT, "eventType": "Again"}, None) == {"status": "exists", "execution": name}
    states = boto3.client("stepfunctions", REGION)
    (found,) = states.list_executions(stateMachineArn=machine)["executions"]
    given = json.loads(states.describe_execution(executionArn=found["executionArn"])["input"])
    expires = given.pop("claimExpiresAt")
    assert (given, isinstance(expires, int)) == (EVENT, True)


def test_a_claim_ends_after_its_days():
    """Seconds since 1970, as DynamoDB's time to live wants them; the client has no say in it."""
    inputs = []
    settings = StartSettings(ARN, REGION, claim_days=2)
    handle = start_handler(
        settings, start=lambda execution: inputs.append(execution.input) or True, clock=lambda: 5_999
    )
    handle({**EVENT, "claimExpiresAt": 1}, None)
    assert json.loads(inputs[0])["claimExpiresAt"] == 5 + 2 * 86_400


def test_one_line_says_what_became_of_an_event(capsys):
    """The name of the execution, and nothing of the event."""
    handle = start_handler(StartSettings(ARN, REGION), start=lambda _: False)
    handle(EVENT, None)
    line = json.loads(capsys.readouterr().out)
    assert (line["event"], line["status"], line["execution"]) == ("execution", "exists", write_id(EVENT["eventId"]))
    assert "Balance" not in json.dumps(line)


@pytest.mark.parametrize(
    ("event", "problem"),
    [
        ([], "request: is list; a TMF688 event was expected"),
        ({}, "eventId: is NoneType or empty; text was expected"),
        ({"eventId": "", "event": {}}, "eventId: is str or empty; text was expected"),
        ({"eventId": 7, "event": {}}, "eventId: is int or empty; text was expected"),
        ({"eventId": "k"}, "event: is missing; a request was expected"),
        (
            {"eventId": "k", "event": {"Id": float("nan")}},
            "request: holds what JSON does not; numbers, text, lists and maps were expected",
        ),
        (
            {"eventId": "k", "event": Decimal(1)},
            "request: holds what JSON does not; numbers, text, lists and maps were expected",
        ),
        (
            {"eventId": "k", "event": "\ud800"},
            "request: holds what JSON does not; numbers, text, lists and maps were expected",
        ),
    ],
)
def test_a_wrong_event_names_its_field(event, problem):
    """Nothing is started for it."""
    handle = start_handler(StartSettings(ARN, REGION), start=lambda _: pytest.fail("started"))
    with pytest.raises(RequestError) as caught:
        handle(event, None)
    assert str(caught.value) == problem


def test_an_event_that_no_execution_takes_is_refused():
    """The limit is one of bytes, of the event as it would stand in the poison queue's message."""
    room = MAX_INPUT_BYTES - len(json.dumps(execution_of({"eventId": "k", "event": ""}, 0).input))
    for text, size in (("x", 1), ("\u00fc", 2), ('"', 4), ("\\", 4), ("\n", 3), ("\x01", 7)):
        assert execution_of({"eventId": "k", "event": text * (room // size)}, 0).input
        with pytest.raises(RequestError, match=r"bytes as JSON in JSON; an execution takes at most 114688$"):
            execution_of({"eventId": "k", "event": text * (room // size + 1)}, 0)


def refused(code):
    """Return what Step Functions says."""
    return ClientError({"Error": {"Code": code, "Message": "as asked"}}, "StartExecution")


@pytest.mark.parametrize(
    ("raised", "expected"),
    [
        (refused("StateMachineDoesNotExist"), ConfigurationError),
        (refused("AccessDeniedException"), ConfigurationError),
        (NoCredentialsError(), ConfigurationError),
        (refused("ExecutionLimitExceeded"), TransientError),
        (refused("ThrottlingException"), TransientError),
        (EndpointConnectionError(endpoint_url="https://states"), TransientError),
    ],
)
def test_a_fault_names_the_state_machine(raised, expected):
    """Who started nothing is told whether to try again."""

    class Client:
        def start_execution(self, **_):
            raise raised

    with pytest.raises(expected, match=f"^StartExecution on {ARN}: "):
        Executions(Client(), ARN).start(execution_of(EVENT, 0))


@pytest.mark.parametrize(
    ("variable", "value", "problem"),
    [
        ("STATE_MACHINE_ARN", "", "STATE_MACHINE_ARN: the environment variable is missing or empty"),
        ("STATE_MACHINE_ARN", "workflow", "STATE_MACHINE_ARN: is not the ARN of a state machine"),
        ("STATE_MACHINE_ARN", "arn:aws:sqs:us-east-1:1:q", "STATE_MACHINE_ARN: is not the ARN of a state machine"),
        ("AWS_REGION", "", "AWS_REGION: the environment variable is missing or empty"),
        ("CLAIM_DAYS", "0", "CLAIM_DAYS: is '0'; a whole number 1 to 1825 was expected"),
        (
            "LOG_LEVEL",
            "loud",
            "LOG_LEVEL: is 'loud'; one of DEBUG, INFO, WARNING, ERROR, CRITICAL was expected",
        ),
    ],
)
def test_a_wrong_setting_is_named(variable, value, problem):
    """Whoever deploys reads which variable is wrong."""
    with pytest.raises(ConfigurationError) as caught:
        StartSettings.from_environment({**COMPLETE, variable: value})
    assert str(caught.value) == problem


def test_two_variables_suffice():
    """A claim is kept as long as Step Functions keeps a name."""
    settings = StartSettings.from_environment(COMPLETE)
    assert (settings.state_machine_arn, settings.region, settings.claim_days) == (ARN, REGION, 90)
