"""Who may take a role: the service that uses it here, on behalf of this account, and nobody else.

https://docs.aws.amazon.com/IAM/latest/UserGuide/confused-deputy.html
"""

from collections.abc import Iterator, Mapping
from typing import Any

from infra.check.machines import MACHINE
from infra.check.names import listed, named
from infra.check.roles import ROLE, Path
from infra.check.stack import ACCOUNT, Finding, Resource, Stack

LAMBDA = "lambda.amazonaws.com"
"""It takes a role only for a function of the role's own account; the other services have to be told."""
TRUST = "AssumeRolePolicyDocument"


def trust_rules(stack: Stack) -> Iterator[Finding]:
    """Yield the roles that others may take, or that their own service may not."""
    users: dict[str, set[str]] = {}
    for role, service in _users(stack):
        users.setdefault(named(role), set()).add(service)
    for role in stack.of_type(ROLE):
        yield from _trust(role, users.get(role.name, set()))


def _users(stack: Stack) -> Iterator[tuple[Any, str]]:
    """Yield each use of a role, with the service that takes it."""
    for function in stack.functions():
        yield function.properties.get("Role"), LAMBDA
    for machine in stack.of_type(MACHINE):
        yield machine.properties.get("Role"), "states.amazonaws.com"
    for schedule in stack.of_type("AWS::Scheduler::Schedule"):
        yield schedule.properties.get("Target", {}).get("RoleArn"), "scheduler.amazonaws.com"
    for rule in stack.of_type("AWS::Events::Rule"):
        yield from ((target.get("RoleArn"), "events.amazonaws.com") for target in rule.properties.get("Targets", []))
    for source in stack.of_type("AWS::AppSync::DataSource"):
        yield source.properties.get("ServiceRoleArn"), "appsync.amazonaws.com"
    for api in stack.of_type("AWS::AppSync::GraphQLApi"):
        yield api.properties.get("LogConfig", {}).get("CloudWatchLogsRoleArn"), "appsync.amazonaws.com"


def _trust(role: Resource, users: set[str]) -> Iterator[Finding]:
    statements = role.properties[TRUST]["Statement"]
    trusted: set[str] = set()
    for position, statement in enumerate(listed(statements)):
        path: Path = (TRUST, "Statement", position) if isinstance(statements, list) else (TRUST, "Statement")
        services = _services(statement.get("Principal"))
        trusted |= services
        if not services or (users and services - users):
            why = f"may be taken by others than {', '.join(sorted(users)) or 'one service'}"
            yield role.finding("trust", why, *path, "Principal")
        elif services != {LAMBDA} and not _is_of_this_account(statement.get("Condition", {})):
            yield role.finding("trust", "may be taken on behalf of another account", *path, "Condition")
    for service in sorted(users - trusted):
        yield role.finding("trust", f"{service} uses it and may not take it", TRUST)


def _services(principal: Any) -> set[str]:  # noqa: ANN401 - text or a mapping
    """Return the services of a principal; none where it is, or has besides, anybody else."""
    match principal:
        case {"Service": services, **others} if not others:
            return set(map(str, listed(services)))
        case _:
            return set()


def _is_of_this_account(condition: Mapping[str, Mapping[str, Any]]) -> bool:
    """Return whether only this account's resources make the service take the role."""
    arns = [condition.get(test, {}).get("aws:SourceArn", "") for test in ("ArnEquals", "ArnLike")]
    account = condition.get("StringEquals", {}).get("aws:SourceAccount")
    return account == ACCOUNT or any(f":{ACCOUNT}:" in str(arn) for arn in arns)
