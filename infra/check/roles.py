"""What must hold of roles: what they allow is written in them, and named."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from infra.check.names import listed, named
from infra.check.stack import Finding, Resource, Stack

ROLE, APART = "AWS::IAM::Role", ("AWS::IAM::RolePolicy", "AWS::IAM::Policy")
Path = tuple[str | int, ...]
# Actions that know no resource (https://docs.aws.amazon.com/service-authorization/latest/reference/).
WITHOUT_RESOURCE = {
    *(f"logs:{verb}LogDelivery" for verb in ("Create", "Get", "Update", "Delete")),
    *("logs:ListLogDeliveries", "logs:PutResourcePolicy", "logs:DescribeResourcePolicies", "logs:DescribeLogGroups"),
    *("xray:PutTraceSegments", "xray:PutTelemetryRecords", "xray:GetSamplingRules", "xray:GetSamplingTargets"),
}


@dataclass(frozen=True, slots=True)
class Grant:
    """One action that is allowed on one resource, and where that is written."""

    holder: Resource
    action: str
    on: str
    path: Path

    def finding(self, rule: str, why: str) -> Finding:
        """Return a finding at the grant's own line."""
        return self.holder.finding(rule, why, *self.path)


def role_rules(stack: Stack) -> Iterator[Finding]:
    """Yield what is wrong with roles."""
    for role in stack.of_type(ROLE):
        if role.properties.get("ManagedPolicyArns"):
            yield role.finding("managed-policy", "no file here says what it allows", "ManagedPolicyArns")
    for holder in stack.of_type(ROLE, *APART):
        for grant in _written_in(holder):
            if "*" in grant.action or ("*" in grant.on and grant.action not in WITHOUT_RESOURCE):
                yield grant.finding("star", f"{grant.action} on {grant.on}")


def grants(role: Resource, stack: Stack) -> Iterator[Grant]:
    """Yield what a role allows, in itself or in a policy apart; denials allow nothing."""
    yield from _written_in(role)
    for policy in stack.of_type(*APART):
        if role.name in map(named, [policy.properties.get("RoleName"), *policy.properties.get("Roles", [])]):
            yield from _written_in(policy)


def _written_in(holder: Resource) -> Iterator[Grant]:
    if holder.kind in APART:
        yield from _allowed(holder, holder.properties["PolicyDocument"], ("PolicyDocument",))
    for number, policy in enumerate(holder.properties.get("Policies", [])):
        yield from _allowed(holder, policy["PolicyDocument"], ("Policies", number, "PolicyDocument"))


def _allowed(holder: Resource, document: Mapping[str, Any], path: Path) -> Iterator[Grant]:
    for position, statement in enumerate(listed(document["Statement"])):
        if statement.get("Effect") != "Allow":
            continue
        for action, at in _each(statement, "Action"):
            for resource, on_at in _each(statement, "Resource"):
                is_about_resource = "*" in str(resource) and "*" not in action
                place = (*path, "Statement", position, *(on_at if is_about_resource else at))
                yield Grant(holder, action, named(resource), place)


def _each(statement: Mapping[str, Any], member: str) -> Iterator[tuple[Any, Path]]:
    """Yield each value of a member, with its place; a member that is missing allows everything."""
    value = statement.get(member, "*")
    if not isinstance(value, list):
        yield value, (member,)
        return
    yield from ((each, (member, position)) for position, each in enumerate(value))
