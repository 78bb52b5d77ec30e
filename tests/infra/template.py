"""The templates of infra/, as tests look at them."""

from collections.abc import Mapping
from typing import Any

from infra.check import source
from infra.check.source import Block
from infra.check.stack import Stack
from tests.infra.planting import INFRA


def read(name: str) -> Block:
    """Return one template of infra/ as it stands there."""
    return source.read(INFRA / name)


def resolved(template: Mapping[str, Any], region: str, **given: str) -> dict[str, Any]:
    """Return the resources, with parameters (`given`, or their defaults) and conditions of a stack in `region`."""
    lines = dict.fromkeys(template["Resources"], 0)
    whole = Block({**template, "Resources": Block(template["Resources"].items(), lines)}.items(), {})
    stack = Stack(INFRA, whole, region, given)
    return {name: resource.block for name, resource in stack.resources.items()}


def of_type(resources: Mapping[str, Any], *types: str) -> dict[str, Any]:
    """Return the properties of the resources of these types, by logical name."""
    return {name: found.get("Properties", {}) for name, found in resources.items() if found["Type"] in types}
