"""The stack of infra/appsync.yaml: what its parts say of each other."""

import re
from pathlib import Path

import pytest

from handlers.appsync_merge import DELETES, MANAGED, UNDECIDABLE
from handlers.settings import Settings
from reconciler.conflict_event import RECORDED, REPAIRED, SYSTEM
from reconciler.policy import Policy
from tests.infra.planting import INFRA
from tests.infra.template import of_type, read, resolved

REGION = "us-east-1"
TEMPLATE = read("appsync.yaml")
STACK = resolved(TEMPLATE, REGION)
RESOLVERS = of_type(STACK, "AWS::AppSync::Resolver")
MUTATIONS = {each["FieldName"]: each for each in RESOLVERS.values() if each["TypeName"] == "Mutation"}


def test_the_function_starts_with_its_environment():
    """The settings are accepted, and the policy is the versioned table's, with the table's key."""
    variables = STACK["ConflictFunction"]["Properties"]["Environment"]["Variables"]
    settings = Settings.from_environment({**variables, "AWS_REGION": REGION}, needs_queue=False)
    policy = Policy.load(INFRA.parent / settings.policy_file)
    table = STACK["Table"]["Properties"]
    assert policy.name == settings.table_name == table["TableName"]
    assert table["KeySchema"] == [{"AttributeName": policy.partition_key, "KeyType": "HASH"}]


def test_the_items_are_versioned():
    """Without versions AppSync detects no conflict, and never asks the function."""
    config = STACK["Items"]["Properties"]["DynamoDBConfig"]
    assert config["Versioned"] is True
    assert config["TableName"] == {"Ref": "Table"}
    assert config["DeltaSyncConfig"]["DeltaSyncTableName"] == {"Ref": "DeltaTable"}


def test_every_request_is_signed():
    """IAM decides who may do what, and nothing else does: there is no key to pass on."""
    api = STACK["Api"]["Properties"]
    assert api["AuthenticationType"] == "AWS_IAM"
    assert "AdditionalAuthenticationProviders" not in api
    assert of_type(STACK, "AWS::AppSync::ApiKey") == {}


def test_the_versioned_table_is_not_the_global_one():
    """AppSync would overwrite items without their ledgers: the two never share a table by default."""
    assert STACK["Table"]["Properties"]["TableName"] != read("table.yaml")["Parameters"]["TableName"]["Default"]


def test_every_write_asks_the_conflict_function():
    """Each mutation of the versioned table detects conflicts by version; the one without a table has none."""
    handler = {"LambdaConflictHandlerArn": {"Fn::GetAtt": ["ConflictFunction", "Arn"]}}
    for name, resolver in MUTATIONS.items():
        if name == "tellConflict":
            assert "SyncConfig" not in resolver
            continue
        assert resolver["SyncConfig"] == {
            "ConflictDetection": "VERSION",
            "ConflictHandler": "LAMBDA",
            "LambdaConflictHandlerConfig": handler,
        }


def test_the_deletes_are_those_of_the_resolvers():
    """The mutations that the function knows as deletes are the ones whose resolvers delete."""
    deleting = {
        name
        for name, resolver in MUTATIONS.items()
        if "operation: 'DeleteItem'" in (INFRA / resolver["CodeS3Location"]).read_text(encoding="utf-8")
    }
    assert deleting == DELETES


def test_both_tables_forget_what_appsync_says():
    """AppSync marks by its own attribute what may go."""
    for name in ("Table", "DeltaTable"):
        ttl = STACK[name]["Properties"]["TimeToLiveSpecification"]
        assert ttl == {"AttributeName": "_ttl", "Enabled": True}
    assert "_ttl" in MANAGED


def test_the_event_bus_may_tell_conflicts_and_nothing_else():
    """Its role is for one field of one API."""
    (statement,) = STACK["TellRole"]["Properties"]["Policies"][0]["PolicyDocument"]["Statement"]
    assert statement["Action"] == "appsync:GraphQL"
    assert statement["Resource"] == "${Api.Arn}/types/Mutation/fields/tellConflict"


def test_the_rule_takes_every_event_that_the_worker_tells():
    """Source and types are the code's, and the bus is the worker stack's."""
    rule = STACK["ConflictRule"]["Properties"]
    assert rule["EventPattern"] == {"source": [SYSTEM], "detail-type": [REPAIRED, RECORDED]}
    assert rule["EventBusName"] == read("worker.yaml")["Parameters"]["EventBusName"]["Default"]


def test_only_what_has_no_safe_default_must_be_given():
    """Every parameter has a default, and says what it is."""
    for parameter in TEMPLATE["Parameters"].values():
        assert "Default" in parameter
        assert parameter["Description"]


def test_files_that_the_stack_names_exist():
    """Schema and resolvers lie beside the template, and no other code does."""
    named = {properties["CodeS3Location"] for properties in RESOLVERS.values()}
    assert named == {f"appsync/{path.name}" for path in (INFRA / "appsync").glob("*.js")}
    assert (INFRA / STACK["Schema"]["Properties"]["DefinitionS3Location"]).is_file()


@pytest.mark.parametrize("kind", sorted(kind.value for kind in UNDECIDABLE))
def test_the_page_says_what_is_refused(kind):
    """docs/appsync.md has a row for each policy whose values cannot be merged."""
    page = (Path(__file__).parents[2] / "docs" / "appsync.md").read_text(encoding="utf-8")
    assert re.search(rf"^\| .*`{kind}`.*\| .*refused", page, re.MULTILINE)
