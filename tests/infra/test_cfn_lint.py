"""The templates, held against CloudFormation's own schemas by cfn-lint, which has to see SAM's resources expanded."""

import json
from copy import deepcopy

import pytest

from tests.infra.template import read
from tests.infra.worker_rules import REGION, STREAM_ARN

cfnlint = pytest.importorskip("cfnlint.api")
samtranslator = pytest.importorskip("samtranslator.translator.transform")
arguments = pytest.importorskip("cfnlint.config")


class NoManagedPolicies:
    """Stands in for a look at IAM: no role of these templates has a managed policy."""

    def load(self):
        """Return no policies."""
        return {}


@pytest.fixture(autouse=True)
def _region(monkeypatch):
    """The translator asks botocore for the partition of a Region, and nothing of AWS."""
    monkeypatch.setenv("AWS_DEFAULT_REGION", REGION)


def expanded(template):
    """Return a SAM template as what CloudFormation makes of it; a package on this machine becomes one in S3."""
    template = deepcopy(template)
    template["Globals"]["Function"]["CodeUri"] = "s3://bucket/function.zip"
    return samtranslator.transform(template, {"StreamArn": STREAM_ARN}, NoManagedPolicies())


def complaints(template):
    """Return the ids of the rules that cfn-lint finds broken, warnings included."""
    config = arguments.ManualArgs(regions=["us-east-1", "eu-west-1"])
    return {match.rule.id: str(match) for match in cfnlint.lint(json.dumps(template, default=str), config=config)}


def test_the_table_fits_the_schemas():
    """cfn-lint has nothing to say, warnings included."""
    assert complaints(read("table.yaml")) == {}


def test_the_expanded_worker_stack_fits_the_schemas():
    """cfn-lint has nothing to say, warnings included."""
    assert complaints(expanded(read("worker.yaml"))) == {}


def test_the_expansion_adds_no_resource_but_a_functions():
    """No role, policy or mapping comes from SAM's own defaults: what is deployed is what is written down."""
    template = read("worker.yaml")
    assert set(expanded(template)["Resources"]) == set(template["Resources"])


def test_a_misspelt_property_of_the_table_is_noticed():
    """The schemas are in use: a replica knows no such property."""
    template = read("table.yaml")
    template["Resources"]["Table"]["Properties"]["Replicas"][1]["PointInTimeRecovery"] = True
    assert set(complaints(template)) == {"E3002"}


def test_a_reference_to_nothing_is_noticed():
    """The expanded template is looked at too: a function's queue must exist."""
    template = read("worker.yaml")
    variables = template["Resources"]["StreamFunction"]["Properties"]["Environment"]["Variables"]
    variables["POISON_QUEUE_URL"] = {"Ref": "PoisonQueu"}
    assert set(complaints(expanded(template))) == {"E1020"}
