"""What must outlive its stack: tables, queues and log groups hold data or evidence."""

from collections.abc import Iterator

from infra.check.stack import Finding, Stack
from infra.check.tables import GLOBAL, LOCAL

# A stack that fails to come up may take an empty queue or log group with it.
ENOUGH = {
    GLOBAL: {"Retain"},
    LOCAL: {"Retain"},
    "AWS::SQS::Queue": {"Retain", "RetainExceptOnCreate"},
    "AWS::Logs::LogGroup": {"Retain", "RetainExceptOnCreate"},
}


def kept_rules(stack: Stack) -> Iterator[Finding]:
    """Yield what goes with the stack, or with a replacement, and should not."""
    for resource in stack.of_type(*ENOUGH):
        for policy in ("DeletionPolicy", "UpdateReplacePolicy"):
            if resource.block.get(policy) not in ENOUGH[resource.kind]:
                yield resource.attribute_finding("retain", f"{policy} does not retain what it holds", policy)
