"""State machines against their roles: what a definition's tasks call its role may do, and nothing else.

arn:aws:states:::dynamodb:putItem  ->  dynamodb:PutItem
arn:aws:states:::lambda:invoke     ->  lambda:InvokeFunction
"""

import json
from collections.abc import Iterator
from typing import Any

from infra.check.names import named
from infra.check.roles import ROLE, WITHOUT_RESOURCE, grants
from infra.check.stack import ROOT, Finding, Resource, Stack

MACHINE = "AWS::Serverless::StateMachine"
INTEGRATION = "arn:aws:states:::"
OTHER_NAMES = {"lambda:Invoke": "lambda:InvokeFunction"}


def machine_rules(stack: Stack) -> Iterator[Finding]:
    """Yield what state machines may not do and must, or may do and need not."""
    for machine in stack.of_type(MACHINE):
        role = stack.resources.get(named(machine.properties.get("Role")))
        if role is None or role.kind != ROLE:
            yield machine.finding("permission-missing", "has no role of this template", "Role")
            continue
        try:
            needed = set(_called(_definition(machine, stack)))
        except (OSError, ValueError) as error:
            yield machine.finding("definition", f"cannot be read: {error}", "DefinitionUri")
            continue
        granted = {grant.action: grant for grant in grants(role, stack) if grant.action not in WITHOUT_RESOURCE}
        for action in sorted(needed - granted.keys()):
            yield role.finding("permission-missing", f"{action}, which {machine.name} needs", "Policies")
        for action in sorted(granted.keys() - needed):
            yield granted[action].finding("permission-spare", f"{action}, which {machine.name} never needs")


def _definition(machine: Resource, stack: Stack) -> Any:  # noqa: ANN401 - JSON
    """Read the definition beside the template, or, for a copy of the template elsewhere, the project's own."""
    name = str(machine.properties.get("DefinitionUri"))
    beside = stack.path.parent / name
    path = beside if beside.exists() else ROOT / "infra" / name
    return json.loads(path.read_text(encoding="utf-8"))


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
