"""A Region in which the workflow runs: claims, items and a queue in moto, and the project's own write function.

moto's Lambda tasks only echo their input; here the task calls the function that is deployed, on a moto table.
"""

import json
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError

from handlers.bootstrap import Handler, write_handler
from handlers.settings import Settings
from reconciler.adapters.dynamodb import DynamoDBTable
from reconciler.policy import AttributePolicy, Kind, Policy, Recreate, Region

REGION = "us-east-1"
START_MS = 1_700_000_000_000
DEFINITION = Path(__file__).parents[2] / "infra" / "workflow.asl.json"
POLICY = Policy(
    "Items", "Id", (Region(REGION), Region("eu-west-1")), attributes={"Balance": AttributePolicy(Kind.COUNTER)}
)
LAMBDA_INVOKE = (
    "moto.stepfunctions.parser.asl.component.state.exec.state_task.lambda_eval_utils._invoke_lambda_function"
)
_PATIENCE_S = 20


@dataclass
class World:
    """What a test acts on."""

    faults: list[str] = field(default_factory=list)
    """Error types with which the write function fails, one a call, before it answers."""
    answer: Mapping[str, Any] | None = None
    """What the write function answers instead of its own word."""
    now_ms: int = START_MS
    calls: int = 0
    policy: Policy = POLICY

    def __post_init__(self) -> None:
        """Make tables and queue, and put the workflow together."""
        self.dynamodb, self.sqs = boto3.client("dynamodb", REGION), boto3.client("sqs", REGION)
        self.states = boto3.client("stepfunctions", REGION)
        for name, key in (("Items", "Id"), ("Claims", "IdempotencyKey")):
            self.dynamodb.create_table(
                TableName=name,
                AttributeDefinitions=[{"AttributeName": key, "AttributeType": "S"}],
                KeySchema=[{"AttributeName": key, "KeyType": "HASH"}],
                BillingMode="PAY_PER_REQUEST",
            )
        self.queue_url = self.sqs.create_queue(QueueName="poison")["QueueUrl"]
        self.machine = self.make_machine()

    def make_machine(self, **substitutions: str) -> str:
        """Create the state machine; `substitutions` name something else in place of what is there."""
        names = {
            "ClaimsTable": "Claims",
            "PoisonQueueUrl": self.queue_url,
            "WriteFunctionArn": f"arn:aws:lambda:{REGION}:123456789012:function:write",
            **substitutions,
        }
        definition = DEFINITION.read_text(encoding="utf-8")
        for name, value in names.items():
            definition = definition.replace(f"${{{name}}}", value)
        answer = self.states.create_state_machine(
            name=f"workflow-{len(substitutions)}",
            definition=definition,
            roleArn="arn:aws:iam::123456789012:role/workflow",
        )
        return str(answer["stateMachineArn"])

    def invoke(self, parameters: Mapping[str, Any], region: str, state_credentials: Any) -> dict[str, Any]:
        """Answer as Lambda does: with the function's result, or with the type and message of its error."""
        self.calls += 1
        if self.faults:
            return _failed(self.faults.pop(0), "as the test asked")
        if self.answer is not None:
            return {"StatusCode": 200, "Payload": dict(self.answer)}
        try:
            return {"StatusCode": 200, "Payload": self.writer()(json.loads(parameters["Payload"]), None)}
        except Exception as error:  # noqa: BLE001 - as the Lambda runtime does
            return _failed(type(error).__name__, str(error))

    def writer(self) -> Handler:
        """Return the write function of this Region."""
        self.now_ms += 10
        return write_handler(
            Settings("Items", "", REGION),
            policy=self.policy,
            table=DynamoDBTable(self.dynamodb, "Items"),
            emit=lambda _: None,
            clock=lambda: self.now_ms,
        )

    def refuse_recreation(self) -> None:
        """Let the policy refuse what comes after a delete."""
        self.policy = replace(self.policy, recreate=Recreate.REFUSE)

    def run(self, event: Any, name: str = "k1", machine: str | None = None) -> dict[str, Any]:
        """Execute the workflow to its end, and return the execution."""
        started = self.states.start_execution(
            stateMachineArn=machine or self.machine, name=name, input=json.dumps(event)
        )
        return self.end_of(started["executionArn"])

    def end_of(self, arn: str) -> dict[str, Any]:
        """Return the execution once it has ended."""

        def ended() -> Any:
            execution = self.states.describe_execution(executionArn=arn)
            return None if execution["status"] == "RUNNING" else execution

        return dict(eventually(ended))

    def result(self, event: Any, name: str = "k1") -> Any:
        """Return what the workflow answers, once it has succeeded."""
        execution = self.run(event, name)
        assert execution["status"] == "SUCCEEDED", execution
        return json.loads(execution["output"])

    def item(self) -> Any:
        """Return the item that the events are about."""
        return self.dynamodb.get_item(TableName="Items", Key={"Id": {"S": "sub-1"}}).get("Item")

    def claim(self, key: str = "k1") -> Any:
        """Return a key's claim."""
        return self.dynamodb.get_item(TableName="Claims", Key={"IdempotencyKey": {"S": key}}).get("Item")

    def put_claim(self, key: str = "k1") -> None:
        """Leave the claim of an execution that came to no outcome."""
        item = {"IdempotencyKey": {"S": key}, "Execution": {"S": "lost"}}
        self.dynamodb.put_item(TableName="Claims", Item=item)

    def poison(self) -> list[Any]:
        """Return what the queue holds."""
        received = self.sqs.receive_message(QueueUrl=self.queue_url, MaxNumberOfMessages=10)
        return [json.loads(message["Body"]) for message in received.get("Messages", [])]

    def path(self, execution: Mapping[str, Any]) -> list[str]:
        """Return the states that an execution entered, in order."""
        events = self.states.get_execution_history(executionArn=execution["executionArn"])["events"]
        return [event["stateEnteredEventDetails"]["name"] for event in events if "stateEnteredEventDetails" in event]


def _failed(kind: str, message: str) -> dict[str, Any]:
    return {"StatusCode": 200, "FunctionError": "Unhandled", "Payload": {"errorType": kind, "errorMessage": message}}


def event(key: str = "k1", **request: Any) -> dict[str, Any]:
    """Return a TMF688 event with a request for one item."""
    return {
        "eventId": key,
        "eventType": "BalanceChangeEvent",
        "event": {"Id": "sub-1", **(request or {"Add": {"Balance": 5}})},
    }


def eventually(ask: Callable[[], Any]) -> Any:
    """Return what `ask` finds, as soon as it finds something."""
    deadline = time.monotonic() + _PATIENCE_S
    while time.monotonic() < deadline:
        if found := ask():
            return found
        time.sleep(0.02)
    raise AssertionError(f"nothing within {_PATIENCE_S} s")


def fail_claims(monkeypatch: pytest.MonkeyPatch, operation: str, code: str) -> dict[str, int]:
    """Let the workflow's next call of one DynamoDB operation on the claims fail; `left` says whether it is yet to."""
    told = {"left": 1}

    def client_for(**_: Any) -> Any:
        client = boto3.client("dynamodb", REGION)
        real = getattr(client, operation)

        def call(**parameters: Any) -> Any:
            if not told["left"]:
                return real(**parameters)
            told["left"] -= 1
            metadata = {"HTTPStatusCode": 400, "RequestId": "r"}
            response: Any = {"Error": {"Code": code, "Message": "as asked"}, "ResponseMetadata": metadata}
            raise ClientError(response, operation)

        setattr(client, operation, call)
        return client

    monkeypatch.setattr(f"{_SERVICE}.boto_client_for", client_for)
    return told


_SERVICE = "moto.stepfunctions.parser.asl.component.state.exec.state_task.service.state_task_service_dynamodb"
