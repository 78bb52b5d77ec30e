"""A change as a request to DynamoDB: its kind, and its parameters with every name and value in a placeholder.

    creates    Put              attribute_not_exists(key)
    changes    Update           attribute_exists(key) AND what is expected; sets and removes only what differs
    is wide    Put              the same AND every other seen attribute, where an update would be too long
    is empty   ConditionCheck   attribute_exists(key) AND what is expected

Limits: https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Constraints.html#limits-expression-parameters
"""

from collections.abc import Iterable, Mapping
from typing import Any, Literal

from reconciler.adapters.binary import to_boto, to_boto_value
from reconciler.adapters.conditions import after, is_empty
from reconciler.change import Change
from reconciler.policy import CAUSALITY
from reconciler.wire import Value

Action = Literal["Put", "Update", "ConditionCheck"]
Parameters = dict[str, Any]

MAX_EXPRESSION_BYTES = 4096
# DynamoDB takes more; moto's parser, which recurses, does not.
MAX_TOUCHED = 100
MAX_OPERATORS = 300
# The key's existence is one operator; each condition is two: AND, and a comparison or function.
MAX_CONDITIONS = (MAX_OPERATORS - 1) // 2
LONGEST_CONDITION = len(" AND attribute_not_exists(#n99999)")


def request_for(change: Change, table_name: str) -> tuple[Action, Parameters]:
    """Return what to send for the change; where a condition fails, the answer shows what stands there."""
    action, parameters = _request(change)
    return action, {**parameters, "TableName": table_name, "ReturnValuesOnConditionCheckFailure": "ALL_OLD"}


def _request(change: Change) -> tuple[Action, Parameters]:
    if change.creates:
        return "Put", _creation(change)
    if is_empty(change):
        return "ConditionCheck", _check(change)
    if len(change.sets) + len(change.removes) > MAX_TOUCHED:
        return "Put", _replacement(change)
    return "Update", _update(change)


def _creation(change: Change) -> Parameters:
    placeholders = _Placeholders()
    condition = f"attribute_not_exists({placeholders.name(next(iter(change.key)))})"
    return {"Item": to_boto(change.item), "ConditionExpression": condition, **placeholders.parameters()}


def _check(change: Change) -> Parameters:
    placeholders = _Placeholders()
    condition = _condition(change, change.expects, placeholders)
    return {"Key": to_boto(change.key), "ConditionExpression": condition, **placeholders.parameters()}


def _update(change: Change) -> Parameters:
    """Return an update of what differs; with placeholders, MAX_TOUCHED attributes need a third of the text allowed."""
    placeholders = _Placeholders()
    sets = [f"{placeholders.name(name)}={placeholders.value(name, value)}" for name, value in change.sets.items()]
    removes = [placeholders.name(name) for name in change.removes]
    clauses = [f"{verb} {','.join(terms)}" for verb, terms in (("SET", sets), ("REMOVE", removes)) if terms]
    return {
        "Key": to_boto(change.key),
        "UpdateExpression": " ".join(clauses),
        "ConditionExpression": _condition(change, change.expects, placeholders),
        **placeholders.parameters(),
    }


def _replacement(change: Change) -> Parameters:
    """Return a put of the whole item on the condition that every seen attribute is as it was.

    No condition can tell an attribute that a foreign writer has just added (a writer that changes `Causality` is
    noticed by that): it is lost. Hence the put only where an update has no room.
    """
    placeholders = _Placeholders()
    seen = change.seen or {}
    unchanged = {name: value for name, value in seen.items() if name not in change.key}
    condition = _condition(change, {**unchanged, **change.expects}, placeholders)
    item = to_boto(after(change, seen))
    return {"Item": item, "ConditionExpression": condition, **placeholders.parameters()}


def _condition(change: Change, expected: Mapping[str, Value | None], placeholders: "_Placeholders") -> str:
    """Return the condition that the item exists and that what is expected stands there, as far as there is room.

    `Causality` comes first, then what the change expects of the attributes that it touches: what the limits cut off of
    a very wide change is only the notice of a foreign write that left `Causality` alone.
    """
    text = f"attribute_exists({placeholders.name(next(iter(change.key)))})"
    for name in _by_weight(change, expected)[:MAX_CONDITIONS]:
        if len(text) > MAX_EXPRESSION_BYTES - LONGEST_CONDITION:
            break
        text += f" AND {_term(name, expected[name], placeholders)}"
    return text


def _by_weight(change: Change, names: Iterable[str]) -> list[str]:
    touched = change.sets.keys() | set(change.removes)
    return sorted(names, key=lambda name: (name != CAUSALITY, name not in change.expects, name not in touched))


def _term(name: str, value: Value | None, placeholders: "_Placeholders") -> str:
    if value is None:
        return f"attribute_not_exists({placeholders.name(name)})"
    return f"{placeholders.name(name)}={placeholders.value(name, value)}"


class _Placeholders:
    """The names and values of one request's expressions."""

    def __init__(self) -> None:
        self._names: dict[str, str] = {}
        self._values: Parameters = {}

    def name(self, attribute: str) -> str:
        """Return the placeholder of an attribute's name."""
        return self._names.setdefault(attribute, f"#n{len(self._names)}")

    def value(self, attribute: str, value: Value) -> str:
        """Return a new placeholder for a value of the attribute."""
        placeholder = f":v{len(self._values)}"
        self._values[placeholder] = to_boto_value(attribute, value)
        return placeholder

    def parameters(self) -> Parameters:
        """Return what the placeholders stand for; DynamoDB refuses an empty map of values."""
        names = {placeholder: attribute for attribute, placeholder in self._names.items()}
        values = {"ExpressionAttributeValues": self._values} if self._values else {}
        return {"ExpressionAttributeNames": names, **values}
