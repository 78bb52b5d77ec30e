"""What must hold of logs: each function has a log group of the stack, and each log group an end."""

from collections.abc import Iterator

from infra.check.names import named
from infra.check.stack import Finding, Stack

GROUP = "AWS::Logs::LogGroup"


def log_rules(stack: Stack) -> Iterator[Finding]:
    """Yield what is wrong with log groups, and functions without one."""
    groups = {group.name for group in stack.of_type(GROUP)}
    for group in stack.of_type(GROUP):
        if not group.properties.get("RetentionInDays"):
            yield group.finding("log-retention", "lines are kept, and paid for, for ever", "RetentionInDays")
    for function in stack.functions():
        if named(function.properties.get("LoggingConfig", {}).get("LogGroup")) not in groups:
            why = "logs to a group of Lambda's own making, which is kept for ever"
            yield function.finding("log-group", why, "LoggingConfig", "LogGroup")
