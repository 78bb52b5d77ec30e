"""Which actions of AWS a piece of code calls, as IAM names them.

    client.send_message(...)        sqs:SendMessage          an attribute that is an operation
    call("GetItem", ...)            dynamodb:GetItem         text that is one
    call(f"{action}Item", ...)      dynamodb:PutItem, ...    text that is one with any other text before it

An operation counts where the code also names its service, as making a client of it does.
"""

import ast
from collections.abc import Iterable, Iterator
from functools import cache
from typing import Any

from infra.check.code import Unit

WHERE_AWS_IS = ("reconciler.adapters", "handlers")
"""The dependency rule: nothing else may know AWS."""
TRANSACTION = "dynamodb:TransactWriteItems"
PARTS = ("ConditionCheck", "Delete", "Put", "Update")
"""A transaction needs no right of its own, but the right to each of its parts."""
ONE_BY_ONE = ("sqs:ChangeMessageVisibility", "sqs:DeleteMessage", "sqs:SendMessage")
"""Calls for a batch need the right to one (https://docs.aws.amazon.com/service-authorization/latest/reference/)."""


def actions(units: Iterable[Unit]) -> set[str]:
    """Return the rights that the code's calls need, as ``service:Operation``."""
    nodes = [word for unit in units if unit.module.startswith(WHERE_AWS_IS) for word in unit.words]
    said = set(_said(nodes))
    composed = {text + ending for ending in _endings(nodes) for text in said}
    services = said & _services()
    called = {
        f"{_prefix(service)}:{operations[word]}"
        for service in services
        for operations in [_operations(service)]
        for word in (said | composed) & operations.keys()
    }
    rights = {call.removesuffix("Batch") if call.removesuffix("Batch") in ONE_BY_ONE else call for call in called}
    if TRANSACTION not in rights:
        return rights
    return (rights - {TRANSACTION}) | {f"dynamodb:{part}Item" for part in PARTS if part in said}


def _said(nodes: Iterable[ast.AST]) -> Iterator[str]:
    for node in nodes:
        match node:
            case ast.Constant(value=str(text)):
                yield text
            case ast.Attribute(attr=name):
                yield name


def _endings(nodes: Iterable[ast.AST]) -> Iterator[str]:
    for node in nodes:
        match node:
            case ast.JoinedStr(values=[ast.FormattedValue(), ast.Constant(value=str(ending))]):
                yield ending


@cache
def _services() -> frozenset[str]:
    return frozenset(_session().get_available_services())


@cache
def _operations(service: str) -> dict[str, str]:
    """Return a service's operations by both their names, ``PutItem`` and ``put_item``."""
    from botocore import xform_name  # noqa: PLC0415, TID251 - a list that ships with it

    names = _session().get_service_model(service).operation_names
    return {word: name for name in names for word in (name, xform_name(name))}


@cache
def _prefix(service: str) -> str:
    """Return a service as IAM names it, which nearly always is how its requests are signed."""
    name = str(_session().get_service_model(service).signing_name)
    return {"monitoring": "cloudwatch"}.get(name, name)


@cache
def _session() -> Any:  # noqa: ANN401 - botocore has no types
    from botocore.session import Session  # noqa: PLC0415, TID251 - the same

    return Session()
