"""Roles are derived from the code: what a handler may come to call is found, however deep, and nothing else."""

import shutil
from functools import cache
from pathlib import Path

import pytest

from infra.check.calls import actions
from infra.check.code import Code
from infra.check.permissions import by_lambda, called
from infra.check.roles import grants
from infra.check.rules import OWN, findings
from infra.check.stack import ROOT, Stack
from tests.infra.planting import INFRA

WORKER = Stack.read(INFRA / "worker.yaml")
FUNCTIONS = {function.name: function for function in WORKER.functions()}
WRITES = {"dynamodb:GetItem", "dynamodb:PutItem", "dynamodb:UpdateItem"}
TELLS = {"dynamodb:BatchWriteItem", "events:PutEvents"}


def copied(folder):
    """Copy the source to where it can be changed."""
    for package in ("handlers", "reconciler"):
        shutil.copytree(ROOT / package, folder / package, ignore=shutil.ignore_patterns("__pycache__"))
    return folder


def edited(path, old, new):
    """Change one place in a file."""
    text = path.read_text(encoding="utf-8")
    assert text.count(old) == 1
    path.write_text(text.replace(old, new), encoding="utf-8")


@cache
def rights(root, handler):
    """Return what the handler's code calls, read from the source under `root`, which changes no more."""
    return actions(Code(root).reached_from(f"handlers.{handler}.lambda_handler"))


@pytest.mark.parametrize(
    ("handler", "expected"),
    [
        ("stream", WRITES | TELLS | {"sqs:SendMessage"}),
        ("write", WRITES | {"dynamodb:ConditionCheckItem"}),
        ("start", {"states:StartExecution"}),
        ("appsync", set()),
        (
            "redrive",
            WRITES
            | TELLS
            | {"sqs:ChangeMessageVisibility", "sqs:DeleteMessage", "sqs:ReceiveMessage", "sqs:SendMessage"},
        ),
    ],
)
def test_what_a_handler_calls_is_read_from_its_code(handler, expected):
    """The reading agrees with a person's, for each of the functions."""
    assert rights(ROOT, handler) == expected


@pytest.mark.parametrize("name", FUNCTIONS)
def test_a_role_is_what_its_function_calls_and_what_lambda_does_for_it(name):
    """Nothing is missing, nothing is spare; what only Lambda does is listed apart, in `by_lambda`."""
    function = FUNCTIONS[name]
    role = WORKER.resources[name.replace("Function", "Role")]
    code, service = called(function, function.properties["Handler"]), set(by_lambda(function, WORKER))
    assert {(grant.action, grant.on) for grant in grants(role, WORKER)} == code | service


# A new call, where it stands, who comes to need a right by it, and which one.
PLANTED = [
    (
        "reconciler/adapters/sqs.py",
        "            for body in bodies(message, self._max_bytes):\n",
        '            self._client.get_queue_attributes(QueueUrl=self._queue_url, AttributeNames=["All"])\n',
        {"stream": {"sqs:GetQueueAttributes"}},
    ),
    (
        "reconciler/adapters/replica.py",
        '        if action == "ConditionCheck":\n',
        '        self._call("DeleteItem", request)\n',
        {handler: {"dynamodb:DeleteItem"} for handler in ("stream", "write", "redrive")},
    ),
    (
        "reconciler/adapters/history.py",
        "        answer = self._batch_write_item(\n",
        "        self._client.describe_table(TableName=self._table)\n",
        {handler: {"dynamodb:DescribeTable"} for handler in ("stream", "redrive")},
    ),
    (
        "reconciler/adapters/event_bus.py",
        "        answer = self._put_events(Entries=batch)\n",
        '        boto3.client("sns").publish(Message="told")\n',
        {handler: {"sns:Publish"} for handler in ("stream", "redrive")},
    ),
    (
        "reconciler/adapters/connections.py",
        "    def post(",
        "    def _unused(self, client):\n        client.delete_table()\n\n",
        {},
    ),
]


@pytest.mark.parametrize(("path", "before", "call", "needed"), PLANTED, ids=[row[0] for row in PLANTED])
def test_a_new_call_in_an_adapter_is_a_right_that_is_missing(path, before, call, needed, tmp_path):
    """Whoever can come to the call needs the right, and nobody else; what nothing calls needs none."""
    root = copied(tmp_path)
    edited(root / path, before, call + before)
    code = Code(root)
    for handler in ("stream", "write", "redrive"):
        rights_now = actions(code.reached_from(f"handlers.{handler}.lambda_handler"))
        assert rights_now - rights(ROOT, handler) == needed.get(handler, set())


def test_a_call_that_goes_is_a_right_that_is_spare(tmp_path):
    """Without transactions, the write function need not check conditions on their own."""
    root = copied(tmp_path)
    edited(root / "reconciler/adapters/replica.py", 'self._call("TransactWriteItems", ', 'self._call("none", ')
    assert rights(ROOT, "write") - rights(root, "write") == {"dynamodb:ConditionCheckItem"}


def test_the_command_says_which_right_the_code_lacks(tmp_path, monkeypatch):
    """The template is as it was, the code calls more: the role is short of it, on its own line."""
    root = copied(tmp_path)
    edited(
        root / "reconciler/adapters/replica.py",
        '        if action == "ConditionCheck":\n',
        '        self._call("DeleteItem", request)\n        if action == "ConditionCheck":\n',
    )
    code = Code(root)
    monkeypatch.setattr("infra.check.permissions.actions_of", lambda handler: actions(code.reached_from(handler)))
    found = list(findings(Stack.read(INFRA / "worker.yaml"), OWN))
    lines = (INFRA / "worker.yaml").read_text(encoding="utf-8").splitlines()
    assert {lines[each.line - 1].strip() for each in found} == {"Policies:"}
    assert [(each.rule, each.why.partition(",")[0]) for each in found] == [
        ("permission-missing", f"{role}: dynamodb:DeleteItem on GlobalEventTable")
        for role in ("StreamRole", "WriteRole", "RedriveRole")
    ]


def test_only_adapters_and_handlers_are_read_for_calls():
    """Nothing else may know AWS: a word of the core that is also an operation's name is no call."""
    units = Code(ROOT).reached_from("handlers.stream.lambda_handler")
    core = [unit for unit in units if not unit.module.startswith(("handlers", "reconciler.adapters"))]
    assert core
    assert actions(core) == set()


def test_a_handler_that_there_is_not_is_said():
    """A name that is wrong in the template is no function without rights."""
    for handler in ("handlers.stream.lambda_handle", "handlers.strem.lambda_handler"):
        with pytest.raises(LookupError):
            Code(Path(ROOT)).reached_from(handler)
