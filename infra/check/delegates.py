"""Roles that services take for a stack's own parts: what they are used for they allow, and nothing else.

schedule      invokes its target
event rule    executes its operation          mutation Tell(...) { tellConflict  ->  .../Mutation/fields/tellConflict
data source   does what the resolvers on it ask for, keeps the changes of a versioned table, invokes conflict handlers
"""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from infra.check.names import named
from infra.check.permissions import Right, compared
from infra.check.stack import Finding, Resource, Stack

INVOKE = "lambda:InvokeFunction"
RESOLVER, SOURCE = "AWS::AppSync::Resolver", "AWS::AppSync::DataSource"
OTHER_NAMES = {"Sync": "Scan"}
"""What AppSync calls otherwise than DynamoDB does: a client's first sync reads the whole table."""
ON_CHANGES = {"Sync": ("Query",)} | dict.fromkeys(("PutItem", "UpdateItem", "DeleteItem"), ("PutItem", "UpdateItem"))
"""What AppSync does on the table of recent changes besides.
https://docs.aws.amazon.com/appsync/latest/devguide/conflict-detection-and-sync.html"""


def delegate_rules(stack: Stack) -> Iterator[Finding]:
    """Yield what schedules, rules and data sources may not do and must, or may do and need not."""
    for schedule in stack.of_type("AWS::Scheduler::Schedule"):
        target = schedule.properties.get("Target", {})
        needed = {(INVOKE, named(target.get("Arn")))}
        yield from compared(schedule, target.get("RoleArn"), needed, stack, "Target", "RoleArn")
    for rule in stack.of_type("AWS::Events::Rule"):
        for position, target in enumerate(rule.properties.get("Targets", [])):
            if "AppSyncParameters" in target:
                needed = {_executed(target)}
                yield from compared(rule, target.get("RoleArn"), needed, stack, "Targets", position, "RoleArn")
    for source in stack.of_type(SOURCE):
        if source.properties.get("Type") == "AMAZON_DYNAMODB":
            yield from _source(source, stack)


def _executed(target: Mapping[str, Any]) -> Right:
    """Return the one field of an API that a rule's operation is about."""
    found = re.match(r"\s*(\w+)[^{]*\{\s*(\w+)", target["AppSyncParameters"]["GraphQLOperation"])
    kind, field = found.groups() if found else ("?", "?")
    return "appsync:GraphQL", f"${{{named(target['Arn'])}.Arn}}/types/{kind.capitalize()}/fields/{field}"


def _source(source: Resource, stack: Stack) -> Iterator[Finding]:
    needed: set[Right] = set()
    for resolver in stack.of_type(RESOLVER):
        if named(resolver.properties.get("DataSourceName")) != source.name:
            continue
        try:
            operations = _operations(resolver, stack)
        except OSError as error:
            yield resolver.finding("definition", f"cannot be read: {error}", "CodeS3Location")
            continue
        needed |= set(_on_tables(source.properties["DynamoDBConfig"], operations))
        handler = resolver.properties.get("SyncConfig", {}).get("LambdaConflictHandlerConfig", {})
        needed |= {(INVOKE, named(arn)) for arn in handler.values()}
    yield from compared(source, source.properties.get("ServiceRoleArn"), needed, stack, "ServiceRoleArn")


def _operations(resolver: Resource, stack: Stack) -> list[str]:
    """Return the operations that a resolver's code asks for; OSError where it lies nowhere."""
    code = resolver.properties.get("Code") or stack.text_of(str(resolver.properties.get("CodeS3Location")))
    return re.findall(r"operation:\s*['\"](\w+)['\"]", code)


def _on_tables(config: Mapping[str, Any], operations: list[str]) -> Iterator[Right]:
    changes = config.get("DeltaSyncConfig", {}).get("DeltaSyncTableName")
    for operation in operations:
        yield f"dynamodb:{OTHER_NAMES.get(operation, operation)}", named(config["TableName"])
        for action in ON_CHANGES.get(operation, ()) if changes else ():
            yield f"dynamodb:{action}", named(changes)
