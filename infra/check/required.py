"""What a template of this project must make, by the template's name: a part that is not there breaks no other rule."""

from collections.abc import Iterator

from infra.check.stack import Finding, Resource, Stack
from infra.check.tables import GLOBAL

REQUIRED: dict[str, dict[str, list[str]]] = {
    "table.yaml": {"Type": ["AWS::DynamoDB::GlobalTable"], "IndexName": ["IdempotencyIndex"]},
    "workflow.yaml": {
        "Type": ["AWS::Serverless::StateMachine", "AWS::DynamoDB::Table"],
        "Handler": ["handlers.start.lambda_handler"],
    },
    "worker.yaml": {
        "Type": [
            "AWS::Lambda::EventSourceMapping",
            "AWS::DynamoDB::Table",
            "AWS::Events::EventBus",
            "AWS::CloudWatch::Dashboard",
        ],
        "Handler": [f"handlers.{name}.lambda_handler" for name in ("stream", "write", "redrive")],
    },
}


def required_rules(stack: Stack) -> Iterator[Finding]:
    """Yield what a template of this name lacks, at its list of resources."""
    there: dict[str, set[object]] = {
        "Type": {resource.kind for resource in stack.resources.values()},
        "Handler": {function.properties.get("Handler") for function in stack.functions()},
        "IndexName": {index["IndexName"] for table in stack.of_type(GLOBAL) for index in _indexes(table)},
    }
    line = stack.template.lines["Resources"]
    for kind, wanted in REQUIRED.get(stack.path.name, {}).items():
        for name in wanted:
            if name not in there[kind]:
                yield Finding(line, "missing", f"no {name}")


def _indexes(table: Resource) -> list[dict[str, str]]:
    indexes: list[dict[str, str]] = table.properties.get("GlobalSecondaryIndexes", [])
    return indexes
