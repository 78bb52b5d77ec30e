"""Faults planted in a template's text: one member changed, added or left out, and every other line as it was."""

import json
from functools import cache
from pathlib import Path
from typing import Any

import yaml

INFRA = Path(__file__).parents[2] / "infra"
GONE = object()
"""Instead of a value: the member is left out."""


def planted(name: str, path: str, value: Any) -> str:
    """Return the text of a template of infra/ with another value at a path below Resources."""
    text, parent = _composed(name)
    *way, last = ("Resources", *path.split("."))
    for step in way:
        parent = member(parent, step)[1]
    if parent.flow_style:
        return _spliced(text, parent, json.dumps(_changed(data(parent), last, value)))
    if member(parent, last)[0] is None:
        head = "- " if isinstance(parent, yaml.SequenceNode) else f"{last}: "
        return _inserted(text, parent, head + json.dumps(value))
    key, node = member(parent, last)
    if value is GONE:
        return _without(text, key, node)
    return _spliced(text, node, json.dumps(value))


@cache
def _composed(name: str) -> tuple[str, Any]:
    text = (INFRA / name).read_text(encoding="utf-8")
    return text, yaml.compose(text, yaml.SafeLoader)


def member(parent: Any, step: str) -> tuple[Any, Any]:
    """Return a member's key (of a list's item: the item) and value; None twice where it is not there."""
    if isinstance(parent, yaml.SequenceNode):
        items = parent.value[int(step) : int(step) + 1]
        return (items[0], items[0]) if items else (None, None)
    return next(((key, value) for key, value in parent.value if key.value == step), (None, None))


def data(node: Any) -> Any:
    """Return a node in CloudFormation's JSON form."""
    match node:
        case yaml.MappingNode():
            inner: Any = {key.value: data(value) for key, value in node.value}
        case yaml.SequenceNode():
            inner = [data(item) for item in node.value]
        case _ if node.tag.startswith("!"):
            inner = node.value
        case _:
            inner = yaml.safe_load(node.value) if node.style is None else node.value
    if not node.tag.startswith("!"):
        return inner
    function = node.tag[1:]
    name = function if function == "Ref" else f"Fn::{function}"
    return {name: inner.split(".", 1) if function == "GetAtt" else inner}


def _changed(content: Any, last: str, value: Any) -> Any:
    if isinstance(content, list):
        at = int(last)
        return [*content[:at], *([] if value is GONE else [value]), *content[at + 1 :]]
    kept = {name: each for name, each in content.items() if name != last}
    return kept if value is GONE else {**kept, last: value}


def _spliced(text: str, node: Any, new: str) -> str:
    """Return the text with a node's own written anew; a block's ends where the next one begins."""
    start, end = node.start_mark.index, node.end_mark.index
    is_block = not node.flow_style if isinstance(node, yaml.CollectionNode) else node.style in ("|", ">")
    rest = f"\n{' ' * node.end_mark.column}" if is_block else ""
    return f"{text[:start]}{new}{rest}{text[end:]}"


def _inserted(text: str, parent: Any, new: str) -> str:
    start = parent.start_mark
    indent = " " * start.column
    return f"{text[: start.index]}{new}\n{indent}{text[start.index :]}"


def _without(text: str, key: Any, node: Any) -> str:
    lines = text.splitlines(keepends=True)
    ends_with_line = node.flow_style if isinstance(node, yaml.CollectionNode) else node.style not in ("|", ">")
    last = node.end_mark.line + (1 if ends_with_line else 0)
    return "".join([*lines[: key.start_mark.line], *lines[last:]])
