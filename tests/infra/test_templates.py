"""The templates of infra/ against the code that they deploy, and against each other."""

import json
import re
import tomllib
from pathlib import Path

import pytest

from handlers.metrics import NAMES, Metrics
from handlers.settings import Settings
from infra.check.metrics import DIMENSIONS, NAMESPACE
from infra.check.names import named
from infra.check.rules import OWN, findings
from infra.check.schemas import expanded
from infra.check.stack import REGION, STREAM_ARN, Stack
from reconciler.policy import Policy
from reconciler.redrive_run import RENEW_AT_AGE_MS, RENEW_AT_RECEIVES
from tests.infra.planting import INFRA

TABLE, WORKER = Stack.read(INFRA / "table.yaml"), Stack.read(INFRA / "worker.yaml")
URL = "https://queue.example/poison"
FUNCTIONS = {function.name: function for function in WORKER.functions()}


def environment(name):
    """Return the environment that a function of the worker stack finds."""
    variables = FUNCTIONS[name].properties["Environment"]["Variables"]
    found = {variable: named(value) for variable, value in variables.items()}
    return {**found, "AWS_REGION": REGION, **({"POISON_QUEUE_URL": URL} if "POISON_QUEUE_URL" in found else {})}


def test_a_third_region_is_a_third_replica():
    """A Region more, and the table has a replica more, as well kept as the others."""
    stack = TABLE.with_parameters(ThirdRegion="ap-southeast-2")
    assert list(findings(stack, OWN)) == []
    replicas = stack.resources["Table"].properties["Replicas"]
    assert [replica["Region"] for replica in replicas] == ["us-east-1", "eu-west-1", "ap-southeast-2"]


def test_a_third_region_is_held_to_the_rules():
    """What only a parameter brings about is looked at too: here a Region that there is not."""
    stack = TABLE.with_parameters(ThirdRegion="ap-southeast-9")
    assert {found.rule for found in findings(stack, OWN)} == {"region"}


def test_the_table_is_the_policys():
    """Name, key and Regions are those of the example policy, which the functions ship."""
    policy = tomllib.loads((INFRA / "policy.toml").read_text(encoding="utf-8"))["table"]
    table = TABLE.resources["Table"].properties
    assert table["TableName"] == policy["name"]
    assert table["KeySchema"] == [{"AttributeName": policy["partition_key"], "KeyType": "HASH"}]
    assert [replica["Region"] for replica in table["Replicas"]] == policy["regions"]


def test_both_stacks_name_the_same_table():
    """The worker's default is the table's."""
    assert WORKER.parameters["TableName"] == TABLE.parameters["TableName"]


def test_the_table_without_its_stream_is_not_accepted():
    """The parameter takes a stream's ARN, and refuses the table's."""
    pattern = re.compile(WORKER.template["Parameters"]["StreamArn"]["AllowedPattern"])
    assert pattern.fullmatch(STREAM_ARN)
    assert not pattern.fullmatch(STREAM_ARN.partition("/stream/")[0])


@pytest.mark.parametrize("name", FUNCTIONS)
def test_the_functions_start_with_their_environment(name):
    """The settings are accepted, and none is misspelt: every variable sets the field of its name."""
    environ = environment(name)
    settings = Settings.from_environment(environ, needs_queue=name != "WriteFunction")
    for variable, value in environ.items():
        assert getattr(settings, {"AWS_REGION": "region"}.get(variable, variable.lower())) == value
    assert Policy.load(Path(__file__).parents[2] / settings.policy_file).name == settings.table_name


@pytest.mark.parametrize("name", ["StreamFunction", "RedriveFunction"])
def test_the_functions_that_repair_tell_their_conflicts(name):
    """The stack's queue, bus and history are the function's."""
    variables = FUNCTIONS[name].properties["Environment"]["Variables"]
    assert named(variables["POISON_QUEUE_URL"]) == "PoisonQueue"
    assert named(variables["EVENT_BUS_NAME"]) == "ConflictBus"
    assert named(variables["HISTORY_TABLE_NAME"]) == "HistoryTable"


def test_a_redrive_sends_a_message_anew_before_the_queue_sets_it_aside():
    """Neither receipts nor age end a message that is only judged again and again."""
    queue = WORKER.resources["PoisonQueue"].properties
    assert queue["RedrivePolicy"]["maxReceiveCount"] > RENEW_AT_RECEIVES
    assert queue["MessageRetentionPeriod"] * 1000 > RENEW_AT_AGE_MS


@pytest.mark.parametrize(("given", "state"), [("true", "ENABLED"), ("false", "DISABLED")])
def test_redrives_run_by_the_clock_only_where_that_is_asked_for(given, state):
    """Without it, messages wait for a person who has mended the cause."""
    assert WORKER.parameters["RedriveOnSchedule"] == "false"
    clock = WORKER.with_parameters(RedriveOnSchedule=given).resources["RedriveClock"].properties
    assert clock["State"] == state


def test_an_account_with_little_concurrency_need_not_reserve_any():
    """One redrive at a time is reserved, unless the parameter says that Lambda would refuse it."""
    assert FUNCTIONS["RedriveFunction"].properties["ReservedConcurrentExecutions"] == 1
    small = WORKER.with_parameters(RedriveAlone="false").resources["RedriveFunction"].properties
    assert "ReservedConcurrentExecutions" not in small


def test_the_functions_emit_where_the_alarms_look(capsys):
    """A metric has the dimensions that the rules ask of alarms; one more or less, and an alarm sees nothing."""
    Metrics(NAMESPACE, "GlobalEventTable", "stream").emit({"repaired": 1})
    emitted = json.loads(capsys.readouterr().out)
    (directive,) = emitted["_aws"]["CloudWatchMetrics"]
    assert [set(names) for names in directive["Dimensions"]] == [DIMENSIONS]
    watched = WORKER.resources["SkewAlarm"].properties["Dimensions"]
    assert {dimension["Name"]: dimension["Value"] for dimension in watched} == {
        name: emitted[name] for name in DIMENSIONS
    }


def test_whoever_leaves_conflicts_untold_raises_the_alarm():
    """The stream function and the redrive both may; either of them is enough, where the other is quiet."""
    parts = WORKER.resources["UnrecordedConflictsAlarm"].properties["Metrics"]
    ids = {part["Id"]: part["MetricStat"]["Metric"]["Dimensions"][1]["Value"] for part in parts if "MetricStat" in part}
    assert sorted(ids.values()) == ["redrive", "stream"]
    assert parts[-1]["Expression"] == " + ".join(f"FILL({name}, 0)" for name in ids)


def test_the_dashboard_shows_every_count():
    """What the functions emit is drawn, by reason where it has one."""
    body = WORKER.resources["Dashboard"].properties["DashboardBody"]
    rows = [row for widget in json.loads(body)["widgets"] for row in widget["properties"]["metrics"]]
    drawn = {row[1] for row in rows if isinstance(row[0], str) and row[0] != "..."}
    assert set(NAMES.values()) <= drawn


@pytest.mark.parametrize("stack", [TABLE, WORKER], ids=["table", "worker"])
def test_only_what_has_no_safe_default_must_be_given(stack):
    """The stream's ARN cannot be guessed; everything else can, and every parameter is described."""
    parameters = stack.template["Parameters"]
    assert {name for name, parameter in parameters.items() if "Default" not in parameter} <= {"StreamArn"}
    assert all(parameter["Description"] for parameter in parameters.values())


def test_sam_makes_nothing_that_is_not_written_down():
    """No role, policy or mapping comes from SAM's own defaults: what is deployed is what stands in the template."""
    assert expanded(WORKER)["Resources"].keys() == WORKER.template["Resources"].keys()
