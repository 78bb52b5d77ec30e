"""What is printed is what is run: nothing before it is asked for, everything in order, and again without harm."""

import shlex

import pytest

from infra.deploy.run import GO_ON
from tests.deploy.fakes import REGIONS, looked_up


def commands(printed):
    """Return the printed commands, without what is said about them."""
    return [line for line in printed if line.startswith(("aws ", "sam "))]


def filled(line):
    """Return a printed command with what earlier ones look up."""
    words = shlex.split(line)
    for region in REGIONS:
        for name, value in looked_up(region).items():
            words = [word.replace(f"<{name} of {region}>", value) for word in words]
    return shlex.join(words)


def test_a_dry_run_calls_nothing(deploy, tools):
    """Every command is printed, and none is run: not even one that only looks."""
    status, printed, complaints = deploy("--dry-run")
    assert (status, complaints) == (0, [])
    assert len(commands(printed)) == 20
    assert tools.calls() == []


def test_a_dry_run_needs_no_tool(deploy, monkeypatch):
    """It prints the same where neither `aws` nor `sam` is installed."""
    monkeypatch.setenv("PATH", "/nowhere")
    status, printed, _ = deploy("--dry-run")
    assert status == 0
    assert len(commands(printed)) == 20


@pytest.mark.parametrize(
    "options",
    [
        [],
        ["--existing-table", "--worker-stack", "mine"],
        ["--parameter", "eu-west-1:LogRetentionDays=90"],
        ["--with-workflow", "--with-appsync"],
    ],
)
def test_what_a_dry_run_prints_is_what_is_run(deploy, tools, options):
    """The same commands in the same order, with what was looked up in its place."""
    planned = [filled(line) for line in commands(deploy(*options, "--dry-run")[1])]
    deploy(*options)
    assert tools.calls() == planned


def test_a_second_run_is_the_first_again(deploy, tools):
    """Nothing in a command depends on whether it was run before."""
    assert deploy()[0] == 0
    once = tools.calls()
    status, printed, _ = deploy()
    assert status == 0
    assert tools.calls() == once + once
    assert printed[-1] == "what runs is what was meant, in us-east-1, eu-west-1"


def test_the_table_is_deployed_once_and_the_worker_in_every_region(deploy):
    """The first Region of the policy makes the table; each worker gets the stream of its own Region."""
    printed = commands(deploy("--dry-run")[1])
    tables = [line for line in printed if "table.yaml" in line]
    workers = [line for line in printed if "worker.yaml" in line]
    assert len(tables) == 1
    assert "--region us-east-1" in tables[0]
    assert tables[0].endswith("TableName=GlobalEventTable SecondRegion=eu-west-1")
    assert [("us-east-1" in line, "<stream of us-east-1>" in line) for line in workers] == [
        (True, True),
        (False, False),
    ]
    assert printed.index(workers[0]) > printed.index(tables[0])


def test_a_table_that_is_there_is_left_alone(deploy):
    """`--existing-table` leaves the table's stack out, and still looks up its streams."""
    printed = commands(deploy("--dry-run", "--existing-table")[1])
    assert [line for line in printed if "table.yaml" in line] == []
    assert sum("LatestStreamArn" in line for line in printed) == 2


def test_a_parameter_goes_to_every_region_or_to_one(deploy):
    """With a Region before its name, to that one; a value with a blank is quoted as sam reads it."""
    options = ["--parameter", "BatchSize=100", "--parameter", "eu-west-1:RedriveSchedule=rate(1 hour)"]
    workers = [line for line in commands(deploy("--dry-run", *options)[1]) if line.startswith("sam")]
    given = [shlex.split(line.partition("--parameter-overrides ")[2])[2:] for line in workers]
    assert given == [
        ["ParameterKey=BatchSize,ParameterValue=100"],
        [
            "ParameterKey=BatchSize,ParameterValue=100",
            'ParameterKey=RedriveSchedule,ParameterValue="rate(1 hour)"',
        ],
    ]


def test_a_parameter_reaches_every_template_that_has_it(deploy):
    """The topic goes to all that raise alarms, the bus to who tells and who listens, a claim's days to the workflow."""
    given = [
        "AlarmTopicArn=arn",
        "EventBusName=Bus",
        "ClaimDays=7",
        "DeletionProtection=false",
        "eu-west-1:DeltaMinutes=9",
    ]
    options = [option for parameter in given for option in ("--parameter", parameter)]
    printed = commands(deploy("--dry-run", "--with-workflow", "--with-appsync", *options)[1])
    names = ("table.yaml", "worker.yaml", "workflow.yaml", "appsync.yaml")
    lines = {name: [line for line in printed if name in line] for name in names}

    def getting(name, value):
        return {
            template: sum(f"{name},ParameterValue={value}" in line for line in lines[template]) for template in names
        }

    assert getting("AlarmTopicArn", "arn") == dict(zip(names, (0, 2, 2, 2), strict=True))
    assert getting("EventBusName", "Bus") == dict(zip(names, (0, 2, 0, 2), strict=True))
    assert getting("ClaimDays", "7") == dict(zip(names, (0, 0, 2, 0), strict=True))
    assert getting("DeltaMinutes", "9") == dict(zip(names, (0, 0, 0, 1), strict=True))
    assert lines["table.yaml"][0].endswith("TableName=GlobalEventTable SecondRegion=eu-west-1 DeletionProtection=false")


@pytest.mark.parametrize(
    ("part", "step", "calls"),
    [
        ("get-caller-identity", "step 1 of 20 (see whose account this is)", 1),
        ("cloudformation deploy", "step 2 of 20 (make the table, with a replica in each of us-east-1, eu-west-1)", 2),
        ("sam deploy --region eu-west-1", "step 8 of 20 (deploy the worker in eu-west-1)", 8),
        ("describe-time-to-live", "step 10 of 20 (look at its time to live in us-east-1)", 10),
    ],
)
def test_a_failure_stops_and_says_how_to_go_on(deploy, tools, part, step, calls):
    """Nothing is called after it; the last line names the step, and what to do."""
    tools.answer(part, 7)
    status, _, complaints = deploy()
    assert status == 2
    assert complaints == [f"Error: {step} failed with status 7. {GO_ON}"]
    assert len(tools.calls()) == calls


def test_a_table_without_a_stream_stops_before_any_worker(deploy, tools):
    """The AWS command line prints None for what is not there: no worker is deployed on that."""
    tools.answer("LatestStreamArn", "None")
    status, _, complaints = deploy()
    assert (status, complaints) == (2, [f"Error: look up the stream in us-east-1: there is none. {GO_ON}"])
    assert not any(call.startswith("sam") for call in tools.calls())


def test_an_answer_that_is_no_json_is_quoted(deploy, tools):
    """Whatever it is, it is not taken for a sound answer."""
    tools.answer("describe-time-to-live", "enabled")
    status, _, complaints = deploy()
    assert status == 2
    assert complaints == ["Error: look at its time to live in us-east-1: the answer is no JSON: 'enabled\\n'"]


@pytest.mark.parametrize("tool", ["aws", "sam"])
def test_a_missing_tool_is_named_before_anything_is_done(deploy, tools, tool):
    """Neither half of a deployment is begun without the other's tool."""
    (tools.folder / tool).unlink()
    status, _, complaints = deploy()
    assert status == 2
    assert complaints[0].startswith(f"Error: {tool} was not found; install the AWS")
    assert tools.calls() == []


def test_the_workflow_is_given_the_workers_parts(deploy):
    """Function and queue of its own Region are looked up once the worker is there."""
    printed = commands(deploy("--dry-run", "--with-workflow")[1])
    first, second = (line for line in printed if "workflow.yaml" in line)
    assert [part.partition("=")[2] for part in shlex.split(second)[-3:]] == [
        "WriteFunctionArn,ParameterValue=<write function of eu-west-1>",
        "PoisonQueueArn,ParameterValue=<queue of eu-west-1>",
        "PoisonQueueUrl,ParameterValue=<queue URL of eu-west-1>",
    ]
    assert "--stack-name reconciler-workflow" in first
    assert printed.index(first) > max(n for n, line in enumerate(printed) if "worker.yaml" in line)


def test_appsync_is_deployed_if_asked_for(deploy):
    """In every Region, by a stack of its own; its function is looked at."""
    printed = commands(deploy("--dry-run", "--with-appsync")[1])
    assert sum("appsync.yaml" in line and "--stack-name reconciler-appsync" in line for line in printed) == 2
    deployed = [line for line in printed if "appsync.yaml" in line]
    assert all(line.endswith("ParameterKey=TableName,ParameterValue=VersionedItems") for line in deployed)
    assert sum(line.endswith("--function-name reconciler-appsync-conflict") for line in printed) == 2
    assert not any("appsync" in line for line in commands(deploy("--dry-run")[1]))
