"""The schema as AppSync reads it: with AppSync's own scalars and directives."""

from typing import Any

import pytest

from tests.infra.planting import INFRA

graphql = pytest.importorskip("graphql", reason="graphql-core is not installed")

OWN = """
scalar AWSDateTime
scalar AWSTimestamp
directive @aws_subscribe(mutations: [String!]!) on FIELD_DEFINITION
"""
SCHEMA = graphql.build_schema((INFRA / "appsync" / "schema.graphql").read_text(encoding="utf-8") + OWN)


def fields(name: str) -> dict[str, str]:
    """Return a type's fields, each with its type as it is written."""
    return {field: str(kind.type) for field, kind in SCHEMA.type_map[name].fields.items()}


def arguments(type_name: str, field: str) -> dict[str, str]:
    """Return a field's arguments, each with its type as it is written."""
    return {name: str(argument.type) for name, argument in SCHEMA.type_map[type_name].fields[field].args.items()}


def heard(field: str) -> list[str]:
    """Return the mutations whose answers a subscription gets."""
    (directive,) = SCHEMA.subscription_type.fields[field].ast_node.directives
    return [mutation.value for mutation in directive.arguments[0].value.values]


def executed(operation: str, variables: dict[str, Any], **answers: Any) -> dict[str, Any]:
    """Return what an operation that fits the schema is answered, `answers` being what the root fields resolve to."""
    document = graphql.parse(operation)
    problems = graphql.validate(SCHEMA, document)
    assert problems == []
    answer = graphql.execute(SCHEMA, document, root_value=answers, variable_values=variables)
    assert answer.errors is None
    data: dict[str, Any] = answer.data
    return data
