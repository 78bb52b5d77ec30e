"""Who may take a role: what is sound is left alone, whoever uses the role, and what is open is said."""

import json

import pytest

from infra.check.rules import findings
from infra.check.stack import Stack
from infra.check.trust import trust_rules

ACCOUNT = {"Fn::Sub": "${AWS::AccountId}"}
ARN = {"Fn::Sub": "arn:${AWS::Partition}:states:${AWS::Region}:${AWS::AccountId}:stateMachine:*"}
OF_ALL = "arn:aws:states:*:*:stateMachine:*"


def found(tmp_path, statement, **users):
    """Return what is said of a role with this trust, used by functions of these names."""
    functions = {
        name: {"Type": "AWS::Lambda::Function", "Properties": {"Role": {"Fn::GetAtt": [role, "Arn"]}}}
        for name, role in users.items()
    }
    role = {"Type": "AWS::IAM::Role", "Properties": {"AssumeRolePolicyDocument": {"Statement": statement}}}
    path = tmp_path / "other.yaml"
    path.write_text(json.dumps({"Resources": {"Role": role, **functions}}), encoding="utf-8")
    return [finding.why.removeprefix("Role: ") for finding in findings(Stack.read(path), [trust_rules])]


def of(service, **condition):
    """Return a statement that trusts a service."""
    principal = {"Service": f"{service}.amazonaws.com"}
    said = {"Effect": "Allow", "Principal": principal, "Action": "sts:AssumeRole"}
    return {**said, "Condition": condition} if condition else said


@pytest.mark.parametrize(
    "statement",
    [
        of("lambda"),
        [of("lambda")],
        of("states", StringEquals={"aws:SourceAccount": ACCOUNT}),
        of("states", ArnLike={"aws:SourceArn": ARN}),
        of("states", ArnEquals={"aws:SourceArn": ARN}),
    ],
)
def test_a_service_of_this_account_may_take_a_role(statement, tmp_path):
    """Account or ARN may say so, in one statement or a list; a role for another stack's parts is no fault."""
    assert found(tmp_path, statement) == []


@pytest.mark.parametrize(
    "statement",
    [
        of("states"),
        of("states", ArnLike={"aws:SourceArn": OF_ALL}),
        of("states", StringEquals={"aws:SourceAccount": "444455556666"}),
        of("states", StringNotEquals={"aws:SourceAccount": ACCOUNT}),
    ],
)
def test_a_service_is_told_for_whom(statement, tmp_path):
    """A condition that any account meets, or only another one, is none."""
    assert found(tmp_path, statement) == ["may be taken on behalf of another account"]


@pytest.mark.parametrize("principal", ["*", {"AWS": "*"}, {"Service": "lambda.amazonaws.com", "AWS": "*"}, {}])
def test_a_role_that_nothing_uses_here_is_not_for_everyone(principal, tmp_path):
    """Whoever uses it, it is one service."""
    statement = {**of("lambda"), "Principal": principal}
    assert found(tmp_path, statement) == ["may be taken by others than one service"]


def test_a_function_can_take_its_role(tmp_path):
    """Lambda may, and the service of another time may not any more: both are said."""
    assert found(tmp_path, of("lambda"), Function="Role") == []
    assert found(tmp_path, of("states", StringEquals={"aws:SourceAccount": ACCOUNT}), Function="Role") == [
        "lambda.amazonaws.com uses it and may not take it",
        "may be taken by others than lambda.amazonaws.com",
    ]
