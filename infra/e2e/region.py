"""One Region of the deployment: its stacks, and what a person would do there."""

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import boto3  # noqa: TID251 - this is whoever deploys, from outside
from botocore.config import Config  # noqa: TID251 - as above

from infra.e2e.limits import without_what_is_refused
from infra.e2e.templates import INFRA, expanded, read
from reconciler.adapters.binary import from_boto
from reconciler.adapters.streams import StreamReader
from reconciler.errors import ReconcilerError
from reconciler.wire import Image, canonical_image
from replay_tools.replica import DynamoDBReplica

TABLE, TABLE_STACK, WORKER_STACK = "GlobalEventTable", "global-table", "reconciler"
WORKFLOW_STACK = f"{WORKER_STACK}-workflow"
PACKAGE, MACHINE = "../build/function.zip", "workflow.asl.json"
"""What the templates call the files that they bring."""

CAPABILITY = "CAPABILITY_NAMED_IAM"
Eventually = Callable[[Callable[[], Any]], Any]
"""Returns what a question finds, as soon as it finds something."""


class StackError(ReconcilerError):
    """A stack did not come up: says which resource, and why."""


class Region:
    """Deploys and asks, as a person would, by the services' own names."""

    def __init__(self, name: str, endpoint: str, eventually: Eventually) -> None:
        """Reach the services of one Region at the endpoint."""
        self.name = name
        self._endpoint = endpoint
        self._eventually = eventually
        self._clients: dict[str, Any] = {}

    def client(self, service: str) -> Any:  # noqa: ANN401 - of whichever service
        """Return the Region's client of a service."""
        if service not in self._clients:
            make: Any = boto3.client
            self._clients[service] = make(
                service,
                region_name=self.name,
                endpoint_url=self._endpoint,
                aws_access_key_id="testing",
                aws_secret_access_key="testing",  # noqa: S106 - ministack takes any
                config=Config(account_id_endpoint_mode="disabled", s3={"addressing_style": "path"}),
            )
        return self._clients[service]

    def deploy_table(self, other: str) -> None:
        """Deploy table.yaml; `other` is the Region of the second replica."""
        self._deploy(TABLE_STACK, read("table.yaml"), {"SecondRegion": other})

    def deploy_worker(self, package: Path) -> None:
        """Deploy worker.yaml with this package, on this Region's own stream."""
        self._deploy_sam(WORKER_STACK, "worker.yaml", {PACKAGE: package}, {"StreamArn": self.stream_arn})

    def deploy_workflow(self, package: Path) -> None:
        """Deploy workflow.yaml with this package, on the worker's function and queue."""
        sqs, url = self.client("sqs"), self.queue_url("poison")
        queue = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
        write = self.client("lambda").get_function(FunctionName=f"{WORKER_STACK}-write")["Configuration"]
        parameters = {"WriteFunctionArn": write["FunctionArn"], "PoisonQueueArn": queue, "PoisonQueueUrl": url}
        files = {PACKAGE: package, MACHINE: INFRA / MACHINE}
        self._deploy_sam(WORKFLOW_STACK, "workflow.yaml", files, parameters)

    def _deploy_sam(self, stack: str, name: str, files: Mapping[str, Path], parameters: Mapping[str, str]) -> None:
        """Upload a template's files, by what it calls them; expand it; deploy it."""
        bucket, s3 = f"{stack}-{self.name}", self.client("s3")
        s3.create_bucket(Bucket=bucket, **_place(self.name))
        for path in files.values():
            s3.put_object(Bucket=bucket, Key=path.name, Body=path.read_bytes())
        places = {called: f"s3://{bucket}/{path.name}" for called, path in files.items()}
        template = without_what_is_refused(read(name))
        self._deploy(stack, expanded(template, places, parameters), parameters)

    def _deploy(self, stack: str, template: Mapping[str, Any], parameters: Mapping[str, str]) -> None:
        formation = self.client("cloudformation")
        given = [{"ParameterKey": name, "ParameterValue": value} for name, value in parameters.items()]
        formation.create_stack(
            StackName=stack, TemplateBody=json.dumps(template), Parameters=given, Capabilities=[CAPABILITY]
        )
        status = self._eventually(lambda: self._end_of(stack))
        if status != "CREATE_COMPLETE":
            events = formation.describe_stack_events(StackName=stack)["StackEvents"]
            failed = [event for event in events if event["ResourceStatus"].endswith("FAILED")]
            reasons = [f"{event['LogicalResourceId']}: {event.get('ResourceStatusReason')}" for event in failed]
            raise StackError(f"{stack} in {self.name}: {status}: {'; '.join(reasons)}")

    def _end_of(self, stack: str) -> str | None:
        status = self.client("cloudformation").describe_stacks(StackName=stack)["Stacks"][0]["StackStatus"]
        return None if status.endswith("_IN_PROGRESS") else str(status)

    @property
    def stream_arn(self) -> str:
        """The ARN of this Region's stream."""
        return str(self.client("dynamodb").describe_table(TableName=TABLE)["Table"]["LatestStreamArn"])

    def replica(self) -> DynamoDBReplica:
        """Return the table as replication sees it."""
        stream = StreamReader(self.client("dynamodbstreams"), self.stream_arn, self.name)
        return DynamoDBReplica(self.client("dynamodb"), TABLE, stream)

    def invoke(self, function: str, event: object, stack: str = WORKER_STACK) -> Any:  # noqa: ANN401 - its answer
        """Return a function's answer, or ``{"errorType", "errorMessage", ...}``."""
        answer = self.client("lambda").invoke(FunctionName=f"{stack}-{function}", Payload=json.dumps(event))
        return json.loads(answer["Payload"].read())

    def item(self, key: str) -> Image | None:
        """Return an item in canonical form; None where there is none."""
        found = self.client("dynamodb").get_item(TableName=TABLE, Key={"Id": {"S": key}}, ConsistentRead=True)
        return canonical_image(from_boto(found["Item"])) if "Item" in found else None

    def queue_url(self, queue: str) -> str:
        """Return the URL of one of the worker's queues."""
        return str(self.client("sqs").get_queue_url(QueueName=f"{WORKER_STACK}-{queue}")["QueueUrl"])

    def messages(self, queue: str) -> list[Any]:
        """Take the messages of one of the worker's queues: none of them comes again."""
        url, sqs = self.queue_url(queue), self.client("sqs")
        received = sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10, MessageAttributeNames=["All"])
        taken = received.get("Messages", [])
        for message in taken:
            sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
        return list(taken)


def _place(region: str) -> dict[str, Any]:
    """Return what S3 wants to be told: nothing in its first Region."""
    return {} if region == "us-east-1" else {"CreateBucketConfiguration": {"LocationConstraint": region}}
