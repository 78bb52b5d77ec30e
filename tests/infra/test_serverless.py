"""serverless.yml and worker.yaml make one stack: what one of them says, the other refers to."""

import re
from functools import reduce
from pathlib import Path
from typing import Any

import pytest
import yaml

from infra.check.source import read

INFRA = Path(__file__).parents[2] / "infra"
WORKER: Any = read(INFRA / "worker.yaml")
SERVERLESS: Any = yaml.safe_load((INFRA / "serverless.yml").read_text(encoding="utf-8"))
IS_FUNCTION = {name: made["Type"] == "AWS::Serverless::Function" for name, made in WORKER["Resources"].items()}
FUNCTIONS = [name for name, is_function in IS_FUNCTION.items() if is_function]
IN_ITS_WORDS = {
    "Description": "description",
    "Environment": "environment",
    "Handler": "handler",
    "ReservedConcurrentExecutions": "reservedConcurrency",
    "Role": "role",
    "Timeout": "timeout",
}
WITHOUT_A_WORD = {"LoggingConfig", "MemorySize"}
REFERENCE = re.compile(r"\$\{file\(\./worker\.yaml\):([\w.]+)\}")


def meant(value: Any) -> Any:
    """Return what stands in worker.yaml at the place that a value refers to; nothing may stand here by itself."""
    found = REFERENCE.fullmatch(value)
    assert found, f"{value!r} is no reference to worker.yaml"
    steps = [int(step) if step.isdigit() else step for step in found[1].split(".")]
    return reduce(lambda place, step: place[step], steps, WORKER)


def key_of(name: str) -> str:
    """Return a function's name here, of which serverless_names.js makes the one in worker.yaml."""
    return name.removesuffix("Function").lower()


def test_both_have_the_same_functions() -> None:
    """None is missing here, and none is here alone."""
    assert sorted(SERVERLESS["functions"]) == sorted(map(key_of, FUNCTIONS))
    assert SERVERLESS["plugins"] == ["./serverless_names.js"]
    assert (INFRA / "serverless_names.js").is_file()


@pytest.mark.parametrize("name", FUNCTIONS)
def test_a_function_is_the_same(name: str) -> None:
    """Handler, role, environment, time, memory and log; a property that this test does not know is told."""
    wanted = WORKER["Resources"][name]["Properties"]
    here = SERVERLESS["functions"][key_of(name)]
    assert set(wanted) == {"FunctionName"} | WITHOUT_A_WORD | (IN_ITS_WORDS.keys() & wanted.keys())
    for property_, word in IN_ITS_WORDS.items():
        if property_ in wanted:
            expected = wanted[property_]["Variables"] if property_ == "Environment" else wanted[property_]
            assert meant(here[word]) == expected
    assert here["name"] == f"${{self:provider.stackName}}-{key_of(name)}"
    assert wanted["FunctionName"] == {"Fn::Sub": f"${{AWS::StackName}}-{key_of(name)}"}
    extension = SERVERLESS["resources"]["extensions"][name]["Properties"]
    assert {word: meant(value) for word, value in extension.items()} == {word: wanted[word] for word in WITHOUT_A_WORD}
    assert here["disableLogs"] is True


def test_what_all_functions_share_is_the_same() -> None:
    """Runtime, architecture, variables and package."""
    shared, provider = WORKER["Globals"]["Function"], SERVERLESS["provider"]
    assert set(shared) == {"Architectures", "CodeUri", "Environment", "Runtime"}
    assert meant(provider["runtime"]) == shared["Runtime"]
    assert [meant(provider["architecture"])] == shared["Architectures"]
    assert meant(provider["environment"]) == shared["Environment"]["Variables"]
    assert SERVERLESS["package"] == {"artifact": shared["CodeUri"]}


def test_all_else_is_worker_yamls_own() -> None:
    """Mapping, roles, queues, alarms: each resource is the very one, and so are parameters, conditions and outputs."""
    here = SERVERLESS["resources"]
    assert sorted(here["Resources"]) == sorted(name for name, is_function in IS_FUNCTION.items() if not is_function)
    for name, reference in here["Resources"].items():
        assert meant(reference) is WORKER["Resources"][name]
    assert set(here) == {"Parameters", "Conditions", "Resources", "Outputs", "extensions"}
    for section in ("Parameters", "Conditions", "Outputs"):
        assert meant(here[section]) is WORKER[section]
    assert set(WORKER) <= {"AWSTemplateFormatVersion", "Transform", "Description", "Globals", *here}


def test_what_has_no_default_is_asked_for() -> None:
    """The stream's ARN, and nothing else."""
    needed = [name for name, parameter in WORKER["Parameters"].items() if "Default" not in parameter]
    assert [given["ParameterKey"] for given in SERVERLESS["provider"]["stackParameters"]] == needed


def test_no_alias_of_a_version_is_made() -> None:
    """worker.yaml has none: each deployment replaces the code."""
    assert SERVERLESS["provider"]["versionFunctions"] is False
