"""The optional stacks: the workflow, which needs to know the worker's function and queue, and AppSync."""

from collections.abc import Iterator

from infra.deploy import check
from infra.deploy.package import Package
from infra.deploy.parameters import APPSYNC, WORKFLOW, given_to
from infra.deploy.step import Step, Wish, sam_deploy

START, CONFLICT = "start", "conflict"
"""The functions that workflow.yaml and appsync.yaml make, each by its stack's name and this."""


def deploy_extras(wish: Wish, region: str) -> Iterator[Step]:
    """Yield what deploys the optional stacks that are wished for, after the worker."""
    if wish.with_workflow:
        yield from _deploy_workflow(wish, region)
    if wish.with_appsync:
        given = {"TableName": wish.package.appsync_table, **given_to(APPSYNC, wish, region)}
        command = sam_deploy(region, wish.appsync_stack, APPSYNC, given)
        yield Step(f"deploy AppSync in {region}", command)


def _deploy_workflow(wish: Wish, region: str) -> Iterator[Step]:
    """Yield how the worker's parts are looked up, and the workflow's stack that is given them."""
    there = ("--region", region, "--output", "text")
    function, url, arn = (f"{name} of {region}" for name in ("write function", "queue URL", "queue"))
    yield Step(
        f"look up the write function in {region}",
        (
            *("aws", "lambda", "get-function-configuration", *there),
            *("--function-name", f"{wish.worker_stack}-write", "--query", "FunctionArn"),
        ),
        finds=function,
    )
    yield Step(
        f"look up the poison queue's URL in {region}",
        (
            *("aws", "sqs", "get-queue-url", *there),
            *("--queue-name", f"{wish.worker_stack}-poison", "--query", "QueueUrl"),
        ),
        finds=url,
    )
    yield Step(
        f"look up the poison queue in {region}",
        (
            *("aws", "sqs", "get-queue-attributes", *there, "--queue-url", f"<{url}>"),
            *("--attribute-names", "QueueArn", "--query", "Attributes.QueueArn"),
        ),
        finds=arn,
    )
    found = {"WriteFunctionArn": f"<{function}>", "PoisonQueueArn": f"<{arn}>", "PoisonQueueUrl": f"<{url}>"}
    given = {**found, **given_to(WORKFLOW, wish, region)}
    command = sam_deploy(region, wish.workflow_stack, WORKFLOW, given)
    yield Step(f"deploy the workflow in {region}", command)


def look_at_extras(wish: Wish, region: str) -> Iterator[Step]:
    """Yield the looks at the optional stacks' functions; they change nothing."""
    if wish.with_workflow:
        yield look_at_function(wish.package, f"{wish.workflow_stack}-{START}", region)
    if wish.with_appsync:
        yield look_at_function(wish.package, f"{wish.appsync_stack}-{CONFLICT}", region)


def look_at_function(package: Package, function: str, region: str, table: str = "") -> Step:
    """Return the look at a function, which is to run the package; on this table, if one is given."""
    there = ("--region", region, "--output", "json")
    return Step(
        f"look at {function} in {region}",
        ("aws", "lambda", "get-function-configuration", *there, "--function-name", function),
        judge=check.function(package, function, region, table),
    )
