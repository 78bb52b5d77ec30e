"""The package starts: unpacked alone into an empty place, with the environment that the template gives."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from infra.package.contents import SERVICES
from tests.infra.template import of_type, read, resolved

REGION = "us-east-1"
ROOT = Path(__file__).parents[2]
TELL = """
import importlib, json, sys, time
place, handler, event = sys.argv[1:]
sys.path.insert(0, place)
begun = time.perf_counter()
module, _, name = handler.rpartition(".")
function = getattr(importlib.import_module(module), name)
imported = time.perf_counter() - begun
try:
    answer = function(json.loads(event), None)
except Exception as error:
    answer = {"error": type(error).__name__, "message": str(error)}
strangers = sorted({
    name for name, loaded in sys.modules.items()
    if (getattr(loaded, "__file__", None) or place).find("site-packages") >= 0
})
print(json.dumps({"imported": imported, "answer": answer, "strangers": strangers}))
"""
CLIENTS = """
import sys
sys.path.insert(0, sys.argv[1])
import boto3
session = boto3.Session("key", "secret", region_name="us-east-1")
print(*session.get_available_services())
for name in session.get_available_services():
    session.client(name).meta.endpoint_url
"""
NOBODY = "http://127.0.0.1:1"
EVENTS: dict[str, tuple[object, object]] = {
    "handlers.appsync.lambda_handler": (
        {},
        {"error": "ConfigurationError", "message": "the event has no resolver: it is not from an AppSync conflict"},
    ),
    "handlers.redrive.lambda_handler": (
        {},
        {
            "error": "TransientError",
            "message": f"the poison queue {NOBODY}/111122223333/q refuses: "
            f'Could not connect to the endpoint URL: "{NOBODY}/"',
        },
    ),
    "handlers.start.lambda_handler": (
        {},
        {"error": "RequestError", "message": "eventId: is NoneType or empty; text was expected"},
    ),
    "handlers.stream.lambda_handler": ({"Records": []}, {"batchItemFailures": []}),
    "handlers.write.lambda_handler": (
        {"Id": "sub-1", "Add": {"Balance": "much"}},
        {"error": "RequestError", "message": "Add.Balance: is str; a number was expected"},
    ),
}
"""What each function answers where no server does: every part of it is put together by then."""


def functions():
    """Return the functions of all templates by their handlers: the environment that each is deployed with."""
    found = {}
    for path in sorted((ROOT / "infra").glob("*.yaml")):
        template = read(path.name)
        resources = of_type(resolved(template, REGION), "AWS::Serverless::Function")
        for properties in resources.values():
            variables = {**shared_variables(template), **properties.get("Environment", {}).get("Variables", {})}
            found[properties["Handler"]] = {name: value_of(name, value) for name, value in variables.items()}
    return found


def shared_variables(template):
    """Return what a template's Globals give to every function."""
    defaults = {name: parameter.get("Default") for name, parameter in template["Parameters"].items()}
    shared = template.get("Globals", {}).get("Function", {}).get("Environment", {}).get("Variables", {})
    return {name: defaults.get(value["Ref"], value) if "Ref" in value else value for name, value in shared.items()}


def value_of(name, value):
    """Return a variable's text; what only a stack knows becomes something of the same shape."""
    if not isinstance(value, dict):
        return str(value)
    if name.endswith("_ARN"):
        return f"arn:aws:states:{REGION}:111122223333:stateMachine:workflow"
    return f"{NOBODY}/111122223333/q" if name.endswith("_URL") else f"the-{name.lower()}"


FUNCTIONS = functions()


def alone(code, *arguments, environment=None, cwd=None):
    """Run code with nothing on the path but the standard library, and only this environment; return what it prints."""
    command = [sys.executable, "-I", "-S", "-B", "-c", code, *map(str, arguments)]
    done = subprocess.run(  # noqa: S603 - our own code
        command, env=environment or {}, cwd=cwd, capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.parametrize("handler", sorted(FUNCTIONS))
def test_a_function_starts_and_answers(handler, package, unpacked, record_property):
    """Every function of the template imports from the package alone, reads its policy, and takes its first event."""
    event, expected = EVENTS[handler]
    environment = {
        **FUNCTIONS[handler],
        "AWS_ENDPOINT_URL": NOBODY,
        "AWS_REGION": REGION,
        "AWS_ACCESS_KEY_ID": "key",
        "AWS_SECRET_ACCESS_KEY": "secret",
        "LAMBDA_TASK_ROOT": str(unpacked),
        "PATH": os.defpath,
    }
    # Lambda starts a function in its own folder.
    printed = alone(TELL, unpacked, handler, json.dumps(event), environment=environment, cwd=unpacked)
    told = json.loads(printed.splitlines()[-1])
    assert told["answer"] == expected
    assert told["strangers"] == []
    record_property("import_seconds", told["imported"])
    record_property("bytes", package.size)
    record_property("bytes_unzipped", package.unzipped)


def test_every_module_of_handlers_that_is_a_function_is_in_the_template():
    """No function is packaged that nothing deploys."""
    modules = {f"handlers.{path.stem}.lambda_handler" for path in (ROOT / "handlers").glob("*.py") if is_function(path)}
    assert modules - set(FUNCTIONS) == set()


def is_function(path):
    """Say whether a module has Lambda's entry."""
    return "def lambda_handler(" in path.read_text()


def test_every_service_that_was_left_in_has_all_that_a_client_needs(unpacked, tmp_path):
    """Clients of each are made from the trimmed models, and no model is half there."""
    listed = alone(CLIENTS, unpacked, environment={"PATH": os.defpath}, cwd=tmp_path)
    assert listed.split() == sorted(SERVICES)
