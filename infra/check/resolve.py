"""What is left of a template once parameters and conditions are known; every member keeps its line.

{"Ref": "TableName"}  ->  "GlobalEventTable"          what names a resource stays as it is
"""

import re
from collections.abc import Mapping
from typing import Any

from infra.check.source import Block, Items

NOTHING = object()
"""What a reference to AWS::NoValue leaves."""


def resolved(value: Any, known: Mapping[str, Any], conditions: Mapping[str, Any]) -> Any:  # noqa: ANN401 - any value
    """Return the value with what is `known` by name, and each condition decided."""
    return _Resolver(known, conditions).of(value)


def holds(name: str, known: Mapping[str, Any], conditions: Mapping[str, Any]) -> bool:
    """Return whether the condition of that name holds; what cannot be decided does."""
    return _Resolver(known, conditions).holds({"Condition": name})


class _Resolver:
    def __init__(self, known: Mapping[str, Any], conditions: Mapping[str, Any]) -> None:
        self._known = known
        self._conditions = conditions

    def of(self, value: Any) -> Any:  # noqa: ANN401 - any value
        match value:
            case {"Ref": str(name), **rest} if not rest:
                return self._known.get(name, value)
            case {"Fn::Sub": str(text)}:
                return self._substituted(text)
            case {"Fn::If": [str(condition), then, otherwise]}:
                return self.of(then if self.holds({"Condition": condition}) else otherwise)
            case Block():
                return self._block(value)
            case Items():
                return self._items(value)
            case _:
                return value

    def holds(self, condition: Any) -> bool:  # noqa: ANN401 - any function that is true or false
        match condition:
            case {"Condition": str(name)}:
                return self.holds(self._conditions.get(name))
            case {"Fn::Equals": [left, right]}:
                return bool(self.of(left) == self.of(right))
            case {"Fn::Not": [operand]}:
                return not self.holds(operand)
            case {"Fn::And": [*operands]}:
                return all(map(self.holds, operands))
            case {"Fn::Or": [*operands]}:
                return any(map(self.holds, operands))
            case _:
                return True

    def _block(self, block: Block) -> Block:
        members = [(name, self.of(member)) for name, member in block.items()]
        return Block([(name, member) for name, member in members if member is not NOTHING], block.lines)

    def _items(self, items: Items) -> Items:
        pairs = [(self.of(item), line) for item, line in zip(items, items.lines, strict=True)]
        kept = [(item, line) for item, line in pairs if item is not NOTHING]
        return Items([item for item, _ in kept], [line for _, line in kept])

    def _substituted(self, text: str) -> str:
        return re.sub(r"\$\{([^}]+)\}", lambda found: str(self._known.get(found[1], found[0])), text)
