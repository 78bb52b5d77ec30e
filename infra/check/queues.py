"""What must hold of queues: messages are encrypted, travel by TLS, fit, and stay until someone has looked."""

from collections.abc import Iterator
from typing import Any

from infra.check.names import listed, named
from infra.check.stack import Finding, Resource, Stack

QUEUE, POLICY = "AWS::SQS::Queue", "AWS::SQS::QueuePolicy"
FOURTEEN_DAYS = 14 * 24 * 3600  # the longest there is
MEBIBYTE = 1 << 20  # the greatest, and what an item of 400 KB needs once its binary is base64


def queue_rules(stack: Stack) -> Iterator[Finding]:
    """Yield what is wrong with queues."""
    secured, targets = set(_secured(stack)), _targets(stack)
    for queue in stack.of_type(QUEUE):
        yield from _alone(queue)
        if queue.name not in secured:
            yield queue.finding("plain-http", "no policy refuses plain HTTP")
        if queue.name in targets:
            continue
        if queue.name in set(_sent_to(stack)):
            yield from _poison(queue, stack)


def _alone(queue: Resource) -> Iterator[Finding]:
    properties = queue.properties
    if properties.get("SqsManagedSseEnabled") is not True and not properties.get("KmsMasterKeyId"):
        yield queue.finding("queue-encryption", "messages lie there in the clear", "SqsManagedSseEnabled")
    if properties.get("MessageRetentionPeriod") != FOURTEEN_DAYS:
        yield queue.finding("queue-retention", "messages end before anyone looks", "MessageRetentionPeriod")


def _poison(queue: Resource, stack: Stack) -> Iterator[Finding]:
    """Yield what is wrong with a queue that a function sends whole images to."""
    if queue.properties.get("MaximumMessageSize") != MEBIBYTE:
        yield queue.finding("message-size", "an image of 400 KB does not fit", "MaximumMessageSize")
    target = stack.resources.get(named(queue.properties.get("RedrivePolicy", {}).get("deadLetterTargetArn")))
    if target is None or target.kind != QUEUE:
        why = "a message that breaks its reader comes back for ever"
        yield queue.finding("dead-letters", why, "RedrivePolicy", "deadLetterTargetArn")
    elif target.properties.get("MaximumMessageSize") != MEBIBYTE:
        yield target.finding("message-size", "what it is to set aside does not fit", "MaximumMessageSize")


def _targets(stack: Stack) -> set[str]:
    """Return the queues that are another's dead-letter queue."""
    policies = [queue.properties.get("RedrivePolicy", {}) for queue in stack.of_type(QUEUE)]
    return {named(policy.get("deadLetterTargetArn")) for policy in policies}


def _sent_to(stack: Stack) -> Iterator[str]:
    """Yield the queues whose URL a function is given."""
    for function in stack.functions():
        variables = function.properties.get("Environment", {}).get("Variables", {})
        yield from (named(value) for value in variables.values())


def _secured(stack: Stack) -> Iterator[str]:
    """Yield the queues with a policy that denies everyone what does not come by TLS."""
    for policy in stack.of_type(POLICY):
        queues = {named(queue) for queue in policy.properties.get("Queues", [])}
        for statement in policy.properties["PolicyDocument"]["Statement"]:
            if _refuses_plain_http(statement):
                yield from queues & {named(resource) for resource in listed(statement["Resource"])}


def _refuses_plain_http(statement: dict[str, Any]) -> bool:
    everyone = statement.get("Principal") in ("*", {"AWS": "*"})
    plain = statement.get("Condition", {}).get("Bool", {}).get("aws:SecureTransport") in ("false", False)
    return statement["Effect"] == "Deny" and everyone and plain and statement["Action"] in ("*", "sqs:*", ["sqs:*"])
