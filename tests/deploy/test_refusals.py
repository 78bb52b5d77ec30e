"""What cannot be deployed is told in one line before anything is done, and every command is one that AWS has."""

import shlex
from zipfile import ZipFile

import pytest
from botocore import xform_name
from botocore.session import get_session

from infra.deploy import __main__ as command
from infra.deploy.extras import CONFLICT, START
from infra.deploy.package import APPSYNC_POLICY
from infra.deploy.parameters import LOOKED_UP, OF_THE_PACKAGE
from infra.deploy.step import Wish
from infra.deploy.steps import FUNCTIONS, steps
from tests.infra.template import of_type, read, resolved

POLICY = '[table]\nname = "T"\npartition_key = "Id"\nregions = {regions}\n'
GLOBAL = {"region", "output", "query"}
"""Options of every command."""


@pytest.fixture
def packaged(tmp_path, monkeypatch):
    """A package of other contents."""

    def put(**files):
        path = tmp_path / "other.zip"
        with ZipFile(path, "w") as archive:
            for name, content in files.items():
                archive.writestr(name, content)
        monkeypatch.setattr(command, "PACKAGE", path)

    return put


def test_a_missing_package_is_named_with_its_target(deploy, tools, monkeypatch, tmp_path):
    """What has to be run first stands in the line."""
    monkeypatch.setattr(command, "PACKAGE", tmp_path / "no.zip")
    assert deploy() == (2, [], [f"Error: {tmp_path / 'no.zip'}: is missing; make package makes it"])
    assert tools.calls() == []


@pytest.mark.parametrize(
    "content",
    [
        {},
        {"infra/policy.toml": "table ="},
        {"infra/policy.toml": "name = 'x'"},
        {"infra/policy.toml": "[table]\nname = 'x'\n"},
        {"infra/policy.toml": POLICY.format(regions=["us-east-1"]), APPSYNC_POLICY: "[table]\nname = 'x'\n"},
    ],
)
def test_a_package_without_a_policy_is_refused(deploy, tools, packaged, content):
    """It is no package of this project's."""
    packaged(**content)
    status, _, complaints = deploy()
    assert status == 2
    assert "other.zip: is no package with a policy: " in complaints[0]
    assert tools.calls() == []


@pytest.mark.parametrize("regions", [["us-east-1"], ["us-east-1", "eu-west-1", "ap-south-1", "us-west-2"]])
def test_regions_that_the_template_cannot_make_are_refused(deploy, packaged, regions):
    """The template has room for two or three; a table that is there may have any number."""
    packaged(**{"infra/policy.toml": POLICY.format(regions=regions)})
    status, _, complaints = deploy("--dry-run")
    assert status == 2
    assert complaints == [f"Error: the policy has {len(regions)} Regions; infra/table.yaml makes 2 to 3 replicas"]
    assert deploy("--dry-run", "--existing-table")[0] == 0


@pytest.mark.parametrize(
    ("parameter", "complaint"),
    [
        ("BatchSize", "'BatchSize': [REGION:]NAME=VALUE was expected"),
        ("=5", "'=5': [REGION:]NAME=VALUE was expected"),
        ('Name="x"', "do without"),
        ("BatchSiz=5", "BatchSiz: is no parameter of table.yaml, worker.yaml"),
        ("batchSize=5", "batchSize: is no parameter of table.yaml, worker.yaml"),
        ("ClaimDays=5", "ClaimDays: is no parameter of table.yaml, worker.yaml"),
        ("eu-west-1:DeletionProtection=false", "eu-west-1:DeletionProtection: is no parameter of worker.yaml"),
        ("TableName=Other", "TableName: the policy in the package says it; make package takes another one"),
        ("ThirdRegion=us-west-2", "ThirdRegion: the policy in the package says it"),
        ("PolicyFile=mine.toml", "PolicyFile: the policy in the package says it"),
        ("eu-west-1:StreamArn=arn", "eu-west-1:StreamArn: the deployment looks it up by itself"),
        ("WriteFunctionArn=arn", "WriteFunctionArn: the deployment looks it up by itself"),
        ("us-west-2:BatchSize=5", "us-west-2:BatchSize: the policy has no such Region; it has us-east-1, eu-west-1"),
    ],
)
def test_a_wrong_parameter_is_refused(deploy, tools, parameter, complaint):
    """What sam would read otherwise than it was meant is not handed to it."""
    status, _, complaints = deploy("--parameter", parameter)
    assert status == 2
    assert complaint in complaints[-1]
    assert tools.calls() == []


def test_a_name_means_the_same_in_every_template():
    """What is given goes to all that have the name: one that two of them understand otherwise must be refused."""
    names = [set(read(name)["Parameters"]) for name in ("table.yaml", "worker.yaml", "workflow.yaml", "appsync.yaml")]
    shared = {name for each in names for name in each if sum(name in others for others in names) > 1}
    assert shared - OF_THE_PACKAGE - LOOKED_UP == {"AlarmTopicArn", "EventBusName", "LogRetentionDays"}


def test_everything_that_the_deployment_gives_by_itself_is_refused(package):
    """What a command fills in is nobody's to give: a name that is added there is added here."""
    filled = set()
    for step in steps(Wish(package, with_workflow=True, with_appsync=True)):
        _, _, given = shlex.join(step.command).partition("--parameter-overrides ")
        filled |= {part.removeprefix("ParameterKey=").replace(",", "=").split("=")[0] for part in shlex.split(given)}
    assert filled <= OF_THE_PACKAGE | LOOKED_UP
    assert "SecondRegion" in filled


@pytest.mark.parametrize(
    ("named", "why"),
    [
        (("Items", []), "lacks eu-west-1, us-east-1: AppSync goes to every Region; it has none"),
        (("Items", ["us-east-1"]), "lacks eu-west-1: AppSync goes to every Region; it has us-east-1"),
        (("T", ["us-east-1", "eu-west-1"]), "names T: AppSync must not write the global table"),
    ],
)
def test_a_policy_that_does_not_fit_appsync_is_refused(deploy, tools, packaged, named, why):
    """Its function would refuse every stale mutation there: nothing is begun, and without AppSync all is well."""
    name, regions = named
    items = POLICY.format(regions=regions).replace('"T"', f'"{name}"')
    packaged(**{"infra/policy.toml": POLICY.format(regions=["eu-west-1", "us-east-1"]), APPSYNC_POLICY: items})
    assert deploy("--with-appsync") == (2, [], [f"Error: {APPSYNC_POLICY} {why}"])
    assert tools.calls() == []
    assert deploy("--dry-run")[0] == 0


def test_a_package_without_appsyncs_policy_is_refused(deploy, packaged):
    """Only where AppSync is asked for."""
    packaged(**{"infra/policy.toml": POLICY.format(regions=["eu-west-1", "us-east-1"])})
    status, _, complaints = deploy("--with-appsync", "--dry-run")
    assert status == 2
    assert complaints[0].startswith(f"Error: {APPSYNC_POLICY} lacks eu-west-1, us-east-1")
    assert deploy("--dry-run")[0] == 0


@pytest.mark.parametrize(
    ("template", "looked_at"),
    [("worker.yaml", set(FUNCTIONS)), ("workflow.yaml", {START}), ("appsync.yaml", {CONFLICT})],
)
def test_every_function_of_a_template_is_looked_at(template, looked_at):
    """A function that is added there is added here."""
    functions = of_type(resolved(read(template), "us-east-1"), "AWS::Serverless::Function")
    assert {properties["FunctionName"].rpartition("-")[2] for properties in functions.values()} == looked_at


def test_parameters_are_those_of_the_templates(package):
    """What a command gives to a template is declared there, and the package is where the template looks for it."""
    for step in steps(Wish(package, with_workflow=True, with_appsync=True)):
        text = shlex.join(step.command)
        for name in ("table.yaml", "worker.yaml", "workflow.yaml", "appsync.yaml"):
            if name in text:
                given = shlex.split(text.partition("--parameter-overrides ")[2])
                names = {part.removeprefix("ParameterKey=").partition("=")[0].partition(",")[0] for part in given}
                parameters = read(name)["Parameters"]
                assert names - {""} <= set(parameters)
                assert names >= {name for name, parameter in parameters.items() if "Default" not in parameter}
    code = read("worker.yaml")["Globals"]["Function"]["CodeUri"]
    assert (command.ROOT / "infra" / code).resolve() == command.ROOT / "build/function.zip"


def test_every_look_is_an_operation_of_its_service(package):
    """Service, operation and options are those of AWS's own models; only the deployments change anything."""
    wish = Wish(package, with_workflow=True, with_appsync=True)
    commands = [step.command for step in steps(wish) if step.command[0] == "aws"]
    for _, service, operation, *options in commands:
        if operation in {"deploy", "wait"}:
            continue
        model = get_session().get_service_model(service)
        names = {xform_name(name, "-"): name for name in model.operation_names}
        members = {xform_name(name, "-") for name in model.operation_model(names[operation]).input_shape.members}
        given = {option[2:] for option in options if option.startswith("--")}
        assert given - GLOBAL <= members, (service, operation)
        assert operation.startswith(("describe-", "get-", "list-"))
    assert sum(command[2] == "deploy" for command in commands) == 1


def test_a_wait_is_one_that_the_service_has(package):
    """The waiter of the table is one of DynamoDB's."""
    waits = {step.command[1:4] for step in steps(Wish(package)) if step.command[2] == "wait"}
    model = get_session().get_waiter_model("dynamodb")
    assert waits == {("dynamodb", "wait", "table-exists")}
    assert "table-exists" in {xform_name(name, "-") for name in model.waiter_names}
