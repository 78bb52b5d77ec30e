"""``python -m infra.check``: each planted fault is found, by its rule and on its line."""

from pathlib import Path

import pytest

from infra.check.__main__ import main
from infra.check.rules import OWN, findings
from infra.check.stack import Stack
from tests.infra.faults import APPSYNC_FAULTS, SCHEMA_FAULTS, TABLE_FAULTS, WORKER_FAULTS, WORKFLOW_FAULTS
from tests.infra.planting import planted

FAULTS = [
    *(("table.yaml", fault) for fault in TABLE_FAULTS),
    *(("worker.yaml", fault) for fault in WORKER_FAULTS),
    *(("appsync.yaml", fault) for fault in APPSYNC_FAULTS),
    *(("workflow.yaml", fault) for fault in WORKFLOW_FAULTS),
]


def places(copy, fault, rules):
    """Plant a fault in a copy of a template; return each finding's rule, resource and line as it stands there."""
    _, path, value, _ = fault
    copy.write_text(planted(copy.name, path, value), encoding="utf-8")
    lines = copy.read_text(encoding="utf-8").splitlines()
    return [(found.rule, enclosing(lines, found.line), lines[found.line - 1].strip()) for found in rules(copy)]


def enclosing(lines, number):
    """Return the resource, or the section, that a line stands in."""
    heads = (line for line in reversed(lines[:number]) if line[:3].strip() and len(line) - len(line.lstrip()) <= 2)
    return next(head.strip().rstrip(":") for head in heads if not head.lstrip().startswith("#"))


def is_found(found, fault):
    """Return whether the fault's rule found something at its place."""
    rule, path, _, place = fault
    resource, _, begins = place.rpartition(" > ")
    where = resource or (begins.removesuffix(":") if begins == "Resources:" else path.partition(".")[0])
    own_line = begins.endswith(":") and begins[:-1] not in path.split(".")
    return any(
        broken == rule and line.startswith(begins) and (at == where or (own_line and at == begins[:-1]))
        for broken, at, line in found
    )


def own_findings(path):
    """Return what this project's rules find: the command's own function, without the slow schemas."""
    return list(findings(Stack.read(path), OWN))


def named(fault):
    """Return what a fault is called in a list of tests."""
    return "-".join(fault[:2]) if isinstance(fault, tuple) else fault


@pytest.mark.parametrize(("name", "fault"), FAULTS, ids=named)
def test_a_planted_fault_is_found_where_it_stands(name, fault, tmp_path):
    """One member of a real template changed: its rule says so, with the line."""
    found = places(tmp_path / name, fault, own_findings)
    assert is_found(found, fault), found


@pytest.mark.parametrize(("name", "fault"), SCHEMA_FAULTS, ids=named)
def test_what_cloudformation_would_refuse_is_found_where_it_stands(name, fault, tmp_path):
    """SAM's translator and cfn-lint speak of the source's own lines, also where SAM rewrote what stands there."""
    found = places(tmp_path / name, fault, lambda copy: list(findings(Stack.read(copy))))
    assert is_found(found, fault), found


def test_the_templates_have_no_fault(capsys):
    """As they stand, all of them are sound, and the command is quiet."""
    assert main([]) == 0
    assert capsys.readouterr().out == ""


def test_a_finding_is_one_line_of_file_line_rule_and_reason(tmp_path, capsys):
    """What is printed is what an editor jumps to."""
    copy = tmp_path / "table.yaml"
    copy.write_text(planted("table.yaml", "Table.Properties.BillingMode", "PROVISIONED"), encoding="utf-8")
    assert main([str(copy)]) == 1
    (line,) = capsys.readouterr().out.splitlines()
    number = copy.read_text(encoding="utf-8").splitlines().index('      BillingMode: "PROVISIONED"') + 1
    assert line.startswith(f"{copy}:{number}: billing: Table: provisioned")


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"a: &x 1\nb: *x\n", ":2: is not YAML: CloudFormation reads no aliases"),
        (b"a: 1\na: 2\n", ":2: is not YAML: a is given twice"),
        (b"a: [1\n", ":2: is not YAML: "),
        (b"a: \x01\n", ": is not YAML: unacceptable character"),
        (b"a: \xff\n", ": is not UTF-8 text"),
        (b"", ": is no template: it has no Resources"),
        (b"Resources: []\n", ": is no template: it has no Resources"),
    ],
)
def test_a_file_that_is_no_template_is_named_in_one_line(content, says, tmp_path, capsys):
    """Status 2, and the reason."""
    path = tmp_path / "table.yaml"
    path.write_bytes(content)
    assert main([str(path)]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith(f"{path}{says}")


def test_an_absent_file_is_named_and_the_others_are_looked_at(tmp_path, capsys):
    """One wrong name does not hide another file's findings; the status is the worse one."""
    faulty = tmp_path / "table.yaml"
    faulty.write_text(planted("table.yaml", "Table.Properties.BillingMode", "PROVISIONED"), encoding="utf-8")
    assert main([str(tmp_path / "absent.yaml"), str(faulty)]) == 2
    told = capsys.readouterr()
    assert told.err == f"{tmp_path / 'absent.yaml'}: cannot be read: No such file or directory\n"
    assert "billing" in told.out


@pytest.mark.parametrize(
    "resource",
    [
        "{Type: AWS::DynamoDB::Table}",
        "{Type: AWS::IAM::Role, Properties: {Policies: [{PolicyName: x}]}}",
        "{Type: AWS::SQS::QueuePolicy, Properties: {Queues: q}}",
        "{Type: AWS::CloudWatch::Alarm, Properties: {Metrics: [1]}}",
        "{Properties: {}}",
        "text",
    ],
)
def test_what_no_rule_can_read_is_a_finding(resource, tmp_path):
    """A malformed resource never ends the command: CloudFormation's schema says what is wrong with it."""
    path = tmp_path / "other.yaml"
    path.write_text(f"Resources:\n  Odd: {resource}\n", encoding="utf-8")
    found = list(findings(Stack.read(path)))
    assert {finding.line for finding in found} <= {1, 2}
    assert any(finding.rule.startswith("E") for finding in found)


def test_another_template_needs_only_what_its_resources_call_for(tmp_path):
    """A stack of another name need not have the worker's parts; what it has is held to the same rules."""
    path = tmp_path / "other.yaml"
    path.write_text("Resources:\n  Dead:\n    Type: AWS::SQS::Queue\n    DeletionPolicy: Retain\n", encoding="utf-8")
    assert {found.rule for found in own_findings(Path(path))} == {
        "retain",
        "queue-encryption",
        "queue-retention",
        "plain-http",
        "alarm",
    }
