"""Templates: YAML with CloudFormation's tags as data, and what is left of it once parameters and conditions are known.

read      !GetAtt A.Arn  ->  {"Fn::GetAtt": ["A", "Arn"]}       as the JSON form says it
resolved  {"Ref": "TableName"}  ->  "GlobalEventTable"          what names a resource stays as it is
"""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml  # type: ignore[import-untyped, unused-ignore]

INFRA = Path(__file__).parents[2] / "infra"
ACCOUNT = "111122223333"
NOTHING = object()
"""What a reference to AWS::NoValue leaves."""


class Loader(yaml.SafeLoader):  # type: ignore[misc, unused-ignore]
    """Reads CloudFormation's short tags, and refuses aliases, which CloudFormation does not know."""

    def compose_node(self, parent, index):
        """Return the next node; an alias is an error."""
        if self.check_event(yaml.AliasEvent):
            raise yaml.YAMLError(f"CloudFormation reads no aliases{self.peek_event().start_mark}")
        return super().compose_node(parent, index)


def _tagged(loader: yaml.SafeLoader, suffix: str, node: yaml.Node) -> dict[str, Any]:
    """Return a tag as the JSON form of its function."""
    name = suffix if suffix in {"Ref", "Condition"} else f"Fn::{suffix}"
    match node:
        case yaml.ScalarNode():
            value: Any = loader.construct_scalar(node)
        case yaml.SequenceNode():
            value = loader.construct_sequence(node, deep=True)
        case _:
            value = loader.construct_mapping(node, deep=True)
    return {name: value.split(".", 1) if name == "Fn::GetAtt" and isinstance(value, str) else value}


Loader.add_multi_constructor("!", _tagged)


def read(name: str) -> dict[str, Any]:
    """Return one template of infra/ as it stands there."""
    template: dict[str, Any] = yaml.load((INFRA / name).read_text(encoding="utf-8"), Loader)  # noqa: S506 - safe
    return template


def resolved(template: Mapping[str, Any], region: str, **given: str) -> dict[str, Any]:
    """Return the resources, with parameters (`given`, or their defaults) and conditions of a stack in `region`."""
    parameters = template.get("Parameters", {})
    known = {
        "AWS::Region": region,
        "AWS::AccountId": ACCOUNT,
        "AWS::Partition": "aws",
        "AWS::StackName": "worker",
        "AWS::NoValue": NOTHING,
        **{name: parameter.get("Default", f"<{name}>") for name, parameter in parameters.items()},
        **given,
    }
    conditions = _Resolver(known, {}).of(template.get("Conditions", {}))
    resources: dict[str, Any] = _Resolver(known, conditions).of(template["Resources"])
    return resources


class _Resolver:
    def __init__(self, known: Mapping[str, Any], conditions: Mapping[str, bool]) -> None:
        self._known = known
        self._conditions = conditions

    def of(self, value: Any) -> Any:  # noqa: PLR0911 - one for each function
        """Return the value without what is known by now."""
        match value:
            case {"Ref": name}:
                return self._known.get(name, value)
            case {"Fn::Sub": str(text)}:
                return self._substituted(text)
            case {"Fn::Equals": [left, right]}:
                return self.of(left) == self.of(right)
            case {"Fn::Not": [operand]}:
                return not self.of(operand)
            case {"Fn::If": [condition, then, otherwise]}:
                return self.of(then if self._conditions[condition] else otherwise)
            case dict():
                of_each = {name: self.of(member) for name, member in value.items()}
                return {name: member for name, member in of_each.items() if member is not NOTHING}
            case list():
                return [member for member in map(self.of, value) if member is not NOTHING]
            case _:
                return value

    def _substituted(self, text: str) -> str:
        return re.sub(r"\$\{([^}]+)\}", lambda found: str(self._known.get(found[1], found[0])), text)


def of_type(resources: Mapping[str, Any], *types: str) -> dict[str, Any]:
    """Return the properties of the resources of these types, by logical name."""
    return {name: found.get("Properties", {}) for name, found in resources.items() if found["Type"] in types}
