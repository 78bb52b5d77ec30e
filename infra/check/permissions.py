"""Roles against the code: what a function calls it may do, and nothing else.

code of the handler        its calls, each on the resource that a variable of its environment names
Lambda itself              writes the log, reads the mapping's source, sends to OnFailure, all with the same role
granted - needed = spare   needed - granted = missing
"""

from collections.abc import Iterator
from functools import cache

from infra.check.calls import actions
from infra.check.code import Code
from infra.check.mappings import MAPPING, stream_mappings
from infra.check.names import named
from infra.check.roles import ROLE, Grant, grants
from infra.check.stack import ROOT, Finding, Resource, Stack

ON = {
    "dynamodb": "TABLE_NAME",
    "dynamodb:BatchWriteItem": "HISTORY_TABLE_NAME",
    "events": "EVENT_BUS_NAME",
    "sqs": "POISON_QUEUE_URL",
    "states": "STATE_MACHINE_ARN",
}
"""The variable that names what a service's actions, or one action, are on."""
LOG = ("logs:CreateLogStream", "logs:PutLogEvents")
"""Lambda writes what the function prints."""
READ_STREAM = ("dynamodb:DescribeStream", "dynamodb:GetRecords", "dynamodb:GetShardIterator", "dynamodb:ListStreams")
"""Lambda polls the stream of a mapping; the function is handed its records."""
READ_QUEUE = ("sqs:DeleteMessage", "sqs:GetQueueAttributes", "sqs:ReceiveMessage")
"""Lambda polls the queue of a mapping, and deletes what the function has done with."""
GIVE_UP = "sqs:SendMessage"
"""Lambda tells an OnFailure destination of records that it gives up."""
Right = tuple[str, str]
"""An action, and what it is on."""


@cache
def code() -> Code:
    """Return this project's source, parsed once."""
    return Code(ROOT)


@cache
def actions_of(handler: str) -> frozenset[str]:
    """Return the rights that a handler's code needs; LookupError where there is no such handler."""
    return frozenset(actions(code().reached_from(handler)))


def permission_rules(stack: Stack) -> Iterator[Finding]:
    """Yield what functions may not do and must, or may do and need not."""
    for function in stack.functions():
        handler = str(function.properties.get("Handler"))
        try:
            needed = called(function, handler) | set(by_lambda(function, stack))
        except LookupError:
            yield function.finding("handler", f"{handler} does not exist", "Handler")
            continue
        yield from compared(function, function.properties.get("Role"), needed, stack, "Role")


def called(function: Resource, handler: str) -> set[Right]:
    """Return what the handler's code calls, on what the function's environment names; LookupError without a handler."""
    variables = function.properties.get("Environment", {}).get("Variables", {})

    def on(action: str) -> str:
        variable = ON.get(action, ON.get(action.partition(":")[0], "?"))
        return named(variables.get(variable, f"what {variable} names"))

    return {(action, on(action)) for action in actions_of(handler)}


def by_lambda(function: Resource, stack: Stack) -> Iterator[Right]:
    """Yield what Lambda itself does with the function's role."""
    group = named(function.properties.get("LoggingConfig", {}).get("LogGroup"))
    yield from ((action, group) for action in LOG)
    streams = {mapping.name for mapping in stream_mappings(stack)}
    for mapping in stack.of_type(MAPPING):
        if named(mapping.properties.get("FunctionName")) != function.name:
            continue
        reads = READ_STREAM if mapping.name in streams else READ_QUEUE
        yield from ((action, named(mapping.properties.get("EventSourceArn"))) for action in reads)
        if destination := mapping.properties.get("DestinationConfig", {}).get("OnFailure", {}).get("Destination"):
            yield GIVE_UP, named(destination)


def compared(who: Resource, given: object, needed: set[Right], stack: Stack, *path: str | int) -> Iterator[Finding]:
    """Yield how the role that is given at a path differs from what is needed."""
    role = stack.resources.get(named(given))
    if role is None or role.kind != ROLE:
        yield who.finding(
            "permission-missing", "has no role of this template: what it may do is written nowhere", *path
        )
        return
    granted: dict[Right, Grant] = {(grant.action, grant.on): grant for grant in grants(role, stack)}
    for action, on in sorted(needed - granted.keys()):
        yield role.finding("permission-missing", f"{action} on {on}, which {who.name} needs", "Policies")
    for action, on in sorted(granted.keys() - needed):
        why = f"{action} on {on}, which {who.name} never needs"
        yield granted[action, on].finding("permission-spare", why)
