"""The resolvers' code, run by Node.js: what AppSync is asked to do for each field."""

import json
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.infra.planting import INFRA

NODE = shutil.which("node")
RUN = Path(__file__).with_name("run_resolver.mjs")
CODE = sorted((INFRA / "appsync").glob("*.js"))

pytestmark = pytest.mark.skipif(NODE is None, reason="Node.js is not installed")


def run(name, side, *contexts):
    """Return what a resolver makes of each context."""
    command = [NODE, RUN, INFRA / "appsync" / name, side, json.dumps(contexts)]
    done = subprocess.run(command, capture_output=True, check=True, text=True, timeout=30)  # noqa: S603 - our own script
    return json.loads(done.stdout)


def test_a_change_sets_what_it_names_and_nothing_else():
    """The client's version goes to AppSync, not into the item; a null is a value."""
    given = {"Id": "x", "Data": "d", "Tags": ["a"], "Owner": None, "Timestamp": 1, "IdempotencyKey": "k", "_version": 4}
    (request,) = run("update_item.js", "request", {"args": {"input": given}})
    assert request == {
        "operation": "UpdateItem",
        "key": {"Id": {"S": "x"}},
        "update": {
            "expression": "SET #n0 = :v0, #n1 = :v1, #n2 = :v2, #n3 = :v3, #n4 = :v4",
            "expressionNames": {
                "#n0": "Data",
                "#n1": "Tags",
                "#n2": "Owner",
                "#n3": "Timestamp",
                "#n4": "IdempotencyKey",
            },
            "expressionValues": {
                ":v0": {"S": "d"},
                ":v1": {"L": [{"S": "a"}]},
                ":v2": {"NULL": True},
                ":v3": {"N": 1},
                ":v4": {"S": "k"},
            },
        },
        "condition": {"expression": "attribute_exists(#id)", "expressionNames": {"#id": "Id"}},
        "_version": 4,
    }


def test_a_new_item_overwrites_none():
    """Where the item is there already, deleted or not, nothing is written."""
    (request,) = run("create_item.js", "request", {"args": {"input": {"Id": "x", "Data": "d"}}})
    assert request == {
        "operation": "PutItem",
        "key": {"Id": {"S": "x"}},
        "attributeValues": {"Data": {"S": "d"}},
        "condition": {"expression": "attribute_not_exists(#id)", "expressionNames": {"#id": "Id"}},
    }


def test_a_delete_says_what_it_saw():
    """The version decides whether the delete is stale."""
    (request,) = run("delete_item.js", "request", {"args": {"Id": "x", "_version": 4}})
    assert request == {"operation": "DeleteItem", "key": {"Id": {"S": "x"}}, "_version": 4}


def test_a_client_catches_up_from_where_it_was():
    """Page by page, and bounded where the client names no limit."""
    first, next_page = run(
        "sync_items.js", "request", {"args": {}}, {"args": {"limit": 5, "nextToken": "t", "lastSync": 9}}
    )
    assert first == {"operation": "Sync", "limit": 100}
    assert next_page == {"operation": "Sync", "limit": 5, "nextToken": "t", "lastSync": 9}


def test_an_item_is_read_as_it_stands():
    """The version that a client reads is the newest in this Region."""
    (request,) = run("get_item.js", "request", {"args": {"Id": "x"}})
    assert request == {"operation": "GetItem", "key": {"Id": {"S": "x"}}, "consistentRead": True}


def test_a_conflict_passes_through():
    """The mutation without a table answers what it was given: that is what subscribers see."""
    (request,) = run("tell_conflict.js", "request", {"args": {"conflict": {"kind": "overwritten"}}})
    assert run("tell_conflict.js", "response", {"result": request["payload"]}) == [{"kind": "overwritten"}]


@pytest.mark.parametrize("name", [path.name for path in CODE if path.name != "tell_conflict.js"])
def test_a_refused_operation_is_an_error_of_its_type(name):
    """A client tells ConflictUnhandled from everything else, and sees what it is told of the item."""
    refused = {
        "error": {"message": "Conflict resolver rejects mutation.", "type": "ConflictUnhandled"},
        "result": {"a": 1},
    }
    raised, answered = run(name, "response", refused, {"result": {"a": 1}})
    assert (raised["raised"], raised["type"]) == ("Conflict resolver rejects mutation.", "ConflictUnhandled")
    assert answered == {"a": 1}
