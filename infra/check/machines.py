"""State machines: each name is started once, no value is logged, and the role may do what the tasks call, no more.

arn:aws:states:::dynamodb:putItem  ->  dynamodb:PutItem
arn:aws:states:::lambda:invoke     ->  lambda:InvokeFunction
"""

import json
import re
from collections.abc import Iterator
from typing import Any

from infra.check.names import named
from infra.check.roles import ROLE, WITHOUT_RESOURCE, grants
from infra.check.stack import Finding, Resource, Stack

MACHINE = "AWS::Serverless::StateMachine"
INTEGRATION = "arn:aws:states:::"
PLACEHOLDER = re.compile(r"\$\{(\w+)\}")
OTHER_NAMES = {"lambda:Invoke": "lambda:InvokeFunction"}


def machine_rules(stack: Stack) -> Iterator[Finding]:
    """Yield what is wrong with state machines."""
    for machine in stack.of_type(MACHINE):
        yield from _kind(machine)
        try:
            text = stack.text_of(str(machine.properties.get("DefinitionUri")))
            needed = set(_called(json.loads(text)))
        except (OSError, ValueError) as error:
            yield machine.finding("definition", f"cannot be read: {error}", "DefinitionUri")
            continue
        yield from _substitutions(machine, set(PLACEHOLDER.findall(text)))
        yield from _rights(machine, needed, stack)


def _kind(machine: Resource) -> Iterator[Finding]:
    properties = machine.properties
    if properties.get("Type", "STANDARD") != "STANDARD":
        yield machine.finding("machine-type", "starts an execution of the same name again", "Type")
    if properties.get("Logging", {}).get("IncludeExecutionData") in (True, "true"):
        yield machine.finding("execution-data", "logs values of items", "Logging", "IncludeExecutionData")


def _substitutions(machine: Resource, asked: set[str]) -> Iterator[Finding]:
    """Yield the names that nobody gives, which are taken as they stand, and those that nobody asks for."""
    name = "DefinitionSubstitutions"
    given = set(machine.properties.get(name, {}))
    for missing in sorted(asked - given):
        yield machine.finding("substitution", f"${{{missing}}} is taken as it stands: nothing is given for it", name)
    for spare in sorted(given - asked):
        yield machine.finding("substitution", f"the definition has no ${{{spare}}}", name, spare)


def _rights(machine: Resource, needed: set[str], stack: Stack) -> Iterator[Finding]:
    """Yield what the machine's role may not do and must, or may do and need not."""
    role = stack.resources.get(named(machine.properties.get("Role")))
    if role is None or role.kind != ROLE:
        yield machine.finding("permission-missing", "has no role of this template", "Role")
        return
    granted = {grant.action: grant for grant in grants(role, stack) if grant.action not in WITHOUT_RESOURCE}
    for action in sorted(needed - granted.keys()):
        yield role.finding("permission-missing", f"{action}, which {machine.name} needs", "Policies")
    for action in sorted(granted.keys() - needed):
        yield granted[action].finding("permission-spare", f"{action}, which {machine.name} never needs")


def _called(value: Any) -> Iterator[str]:  # noqa: ANN401 - any part of a definition
    """Yield the action of each task, however deep it is nested."""
    match value:
        case {"Type": "Task", "Resource": str(resource)} if resource.startswith(INTEGRATION):
            service, _, operation = resource.removeprefix(INTEGRATION).partition(":")
            action = f"{service}:{operation[:1].upper()}{operation[1:].partition('.')[0]}"
            yield OTHER_NAMES.get(action, action)
        case dict():
            for member in value.values():
                yield from _called(member)
        case list():
            for member in value:
                yield from _called(member)
