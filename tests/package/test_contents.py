"""What is in the package, and what is not."""

import ast
from pathlib import Path
from zipfile import ZipFile

import pytest
from botocore.session import get_session

from infra.package.build import APPSYNC_POLICY, POLICY
from infra.package.contents import PROJECT, SERVICES
from infra.package.wheels import LAMBDA
from tests.infra.template import read

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def names(package):
    """The names of the package's files."""
    with ZipFile(package.path) as archive:
        return archive.namelist()


def test_nothing_but_the_functions_and_what_they_run_on(names):
    """No tests, no command line, no demo: the functions, their core, the policy, and the eight pinned libraries."""
    modules = {name.partition("/")[0] for name in names if ".dist-info/" not in name}
    assert modules == {
        *PROJECT,
        *("infra", "aws_lambda_powertools", "boto3", "botocore", "dateutil", "jmespath", "s3transfer", "six.py"),
        *("structlog", "typing_extensions.py", "urllib3"),
    }
    assert [name for name in names if name.startswith("infra/")] == [APPSYNC_POLICY, POLICY]


def test_every_library_brings_its_licence(names):
    """Each is named by its metadata, with the terms under which it is passed on."""
    libraries = {name.partition("/")[0] for name in names if ".dist-info/" in name}
    assert len(libraries) == 10
    for library in libraries:
        own = [name for name in names if name.startswith(library)]
        assert any("licen" in name.lower() for name in own), library


def test_no_bytecode_and_no_machine_code(names):
    """The package runs on either architecture: what a file holds does not depend on who packaged it."""
    assert [name for name in names if name.endswith((".pyc", ".so", ".pyd"))] == []


@pytest.mark.parametrize(("template", "policy"), [("worker.yaml", POLICY), ("appsync.yaml", APPSYNC_POLICY)])
def test_a_policy_lies_where_its_functions_look(names, template, policy):
    """The template's default for POLICY_FILE is the package's path of it."""
    assert read(template)["Parameters"]["PolicyFile"]["Default"] == policy
    assert policy in names


@pytest.mark.parametrize("template", ["worker.yaml", "appsync.yaml"])
def test_the_package_is_for_what_the_templates_run(template):
    """Version and architecture of the wheels are those of the functions."""
    function = read(template)["Globals"]["Function"]
    assert function["Runtime"] == f"python{LAMBDA.python}"
    assert function["Architectures"] == [LAMBDA.architecture]


def test_botocore_brings_the_services_that_clients_are_made_of(names):
    """No other service's model, and sts for botocore's own credentials; those that the code names are all there."""
    prefix = "botocore/data/"
    models = {
        name.removeprefix(prefix).split("/")[0] for name in names if name.startswith(prefix) and name.count("/") > 2
    }
    assert models == SERVICES
    assert services_named() | {"sts"} == SERVICES


def services_named() -> set[str]:
    """Return the AWS services whose names the functions' code passes on: it makes clients of them, or none at all."""
    sources = [path for folder in ("handlers", "reconciler/adapters") for path in (ROOT / folder).rglob("*.py")]
    calls = [node for path in sources for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.Call)]
    texts = {str(given.value) for call in calls for given in call.args if isinstance(given, ast.Constant)}
    return texts & set(get_session().get_available_services())
