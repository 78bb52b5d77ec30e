"""The templates of infra/, held against this project's own rules; each rule notices a planted fault."""

import importlib
import json
import re
import tomllib
from pathlib import Path

import pytest
import yaml  # type: ignore[import-untyped, unused-ignore]

from handlers.metrics import Metrics
from handlers.settings import Settings
from reconciler.policy import Policy
from tests.infra.faults import TABLE_FAULTS, WORKER_FAULTS, planted
from tests.infra.metric_rules import DIMENSIONS, NAMESPACE
from tests.infra.table_rules import table_findings
from tests.infra.template import INFRA, Loader, of_type, read, resolved
from tests.infra.worker_rules import FUNCTIONS, REGION, STREAM_ARN, worker_findings

TABLE, WORKER = read("table.yaml"), read("worker.yaml")


def rules_of(template):
    """Return the rules that a template breaks, for a stack in the first Region."""
    resources = resolved(template, REGION, StreamArn=STREAM_ARN)
    found = list(table_findings(resources, REGION))
    if "StreamFunction" in resources:
        found += worker_findings(resources)
    return {finding.rule for finding in found}


def environment(name):
    """Return the environment that a function of the worker stack finds."""
    shared = WORKER["Globals"]["Function"]["Environment"]["Variables"]
    own = WORKER["Resources"][name]["Properties"].get("Environment", {"Variables": {}})["Variables"]
    resources = {"Variables": {"Type": "Variables", "Properties": {**shared, **own}}}
    of_stack = resolved({**WORKER, "Resources": resources}, REGION, StreamArn=STREAM_ARN)
    in_region = {**of_stack["Variables"]["Properties"], "AWS_REGION": REGION}
    urls = {"PoisonQueue": "https://queue.example/poison"}
    return {
        key: urls.get(value["Ref"], value["Ref"]) if isinstance(value, dict) else value
        for key, value in in_region.items()
    }


@pytest.mark.parametrize("template", [TABLE, WORKER], ids=["table", "worker"])
def test_the_templates_break_no_rule(template):
    """As they stand, every rule holds."""
    assert rules_of(template) == set()


@pytest.mark.parametrize(("rule", "path", "value"), TABLE_FAULTS)
def test_a_fault_in_the_table_is_noticed(rule, path, value):
    """One fault, and its rule is broken."""
    assert rule in rules_of(planted(TABLE, path, value))


@pytest.mark.parametrize(("rule", "path", "value"), WORKER_FAULTS)
def test_a_fault_in_the_worker_stack_is_noticed(rule, path, value):
    """One fault, and its rule is broken."""
    assert rule in rules_of(planted(WORKER, path, value))


def test_a_third_region_is_a_third_replica():
    """A Region more, and the table has a replica more, as well kept as the others."""
    resources = resolved(TABLE, REGION, ThirdRegion="ap-southeast-2")
    assert list(table_findings(resources, REGION)) == []
    regions = [replica["Region"] for replica in resources["Table"]["Properties"]["Replicas"]]
    assert regions == ["us-east-1", "eu-west-1", "ap-southeast-2"]


def test_the_table_is_the_policys():
    """Name, key and Regions are those of the example policy, which the functions ship."""
    policy = tomllib.loads((INFRA / "policy.toml").read_text(encoding="utf-8"))["table"]
    table = resolved(TABLE, REGION)["Table"]["Properties"]
    assert table["TableName"] == policy["name"]
    assert table["KeySchema"] == [{"AttributeName": policy["partition_key"], "KeyType": "HASH"}]
    assert [replica["Region"] for replica in table["Replicas"]] == policy["regions"]


def test_both_stacks_name_the_same_table():
    """The worker's default is the table's."""
    assert WORKER["Parameters"]["TableName"]["Default"] == TABLE["Parameters"]["TableName"]["Default"]


def test_the_table_without_its_stream_is_not_accepted():
    """The parameter takes a stream's ARN, and refuses the table's."""
    pattern = re.compile(WORKER["Parameters"]["StreamArn"]["AllowedPattern"])
    assert pattern.fullmatch(STREAM_ARN)
    assert not pattern.fullmatch(STREAM_ARN.partition("/stream/")[0])


@pytest.mark.parametrize(("name", "needs_queue"), [("StreamFunction", True), ("WriteFunction", False)])
def test_the_functions_start_with_their_environment(name, needs_queue):
    """The settings are accepted, and none is misspelt: every variable sets the field of its name."""
    environ = environment(name)
    settings = Settings.from_environment(environ, needs_queue=needs_queue)
    for variable, value in environ.items():
        assert getattr(settings, {"AWS_REGION": "region"}.get(variable, variable.lower())) == value
    assert Policy.load(Path(__file__).parents[2] / settings.policy_file).name == settings.table_name


def test_the_stream_function_tells_its_conflicts():
    """The stack's queue, bus and history are the function's."""
    environ = environment("StreamFunction")
    assert environ["EVENT_BUS_NAME"] == "ConflictBus"
    assert environ["HISTORY_TABLE_NAME"] == "HistoryTable"
    assert environ["POISON_QUEUE_URL"] == "https://queue.example/poison"


def test_the_functions_emit_where_the_alarms_look(capsys):
    """A metric has the dimensions that the rules ask of alarms; one more or less, and an alarm sees nothing."""
    Metrics(NAMESPACE, "GlobalEventTable", "stream").emit({"repaired": 1})
    emitted = json.loads(capsys.readouterr().out)
    (directive,) = emitted["_aws"]["CloudWatchMetrics"]
    assert [set(names) for names in directive["Dimensions"]] == [DIMENSIONS]
    watched = resolved(WORKER, REGION)["UnrecordedConflictsAlarm"]["Properties"]["Dimensions"]
    assert {dimension["Name"]: dimension["Value"] for dimension in watched} == {
        name: emitted[name] for name in DIMENSIONS
    }


def test_the_handlers_exist():
    """Each function names a function that can be imported."""
    for function in of_type(WORKER["Resources"], *FUNCTIONS).values():
        module, _, name = function["Handler"].rpartition(".")
        assert callable(getattr(importlib.import_module(module), name))


@pytest.mark.parametrize("template", [TABLE, WORKER], ids=["table", "worker"])
def test_only_what_has_no_safe_default_must_be_given(template):
    """The stream's ARN cannot be guessed; everything else can, and every parameter is described."""
    parameters = template["Parameters"]
    assert {name for name, parameter in parameters.items() if "Default" not in parameter} <= {"StreamArn"}
    assert all(parameter["Description"] for parameter in parameters.values())


def test_an_alias_is_refused():
    """CloudFormation reads no YAML aliases, so neither does the loader."""
    with pytest.raises(yaml.YAMLError, match="aliases"):
        yaml.load("a: &x 1\nb: *x\n", Loader)  # noqa: S506 - safe
