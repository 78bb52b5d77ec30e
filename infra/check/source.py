"""Templates as they stand in a file: YAML with CloudFormation's tags as data, in which every member knows its line.

!GetAtt A.Arn  ->  {"Fn::GetAtt": ["A", "Arn"]}       as the JSON form says it
"""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import yaml
from yaml.constructor import SafeConstructor

PLAIN = "tag:yaml.org,2002:"
LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
"""libyaml where PyYAML has it: seven times as fast."""
SCALARS = SafeConstructor()


class Block(dict[str, Any]):
    """A mapping; `lines` has the line of each key, counted from 1."""

    def __init__(self, members: Iterable[tuple[str, Any]], lines: Mapping[str, int]) -> None:
        """Hold the members, each with its line."""
        super().__init__(members)
        self.lines = dict(lines)


class Items(list[Any]):
    """A list; `lines` has the line of each item, counted from 1."""

    def __init__(self, items: Iterable[Any], lines: Iterable[int]) -> None:
        """Hold the items, each with its line."""
        super().__init__(items)
        self.lines = list(lines)


class TemplateError(Exception):
    """A file that cannot be read as a template."""


def parsed(text: str) -> Any:  # noqa: ANN401 - whatever the file holds
    """Return a document with the line of every member; MarkedYAMLError says where it is none.

    Aliases are refused, which CloudFormation does not know, and keys given twice.
    """
    for event in yaml.parse(text, LOADER):
        if isinstance(event, yaml.AliasEvent):
            mark: Any = event.start_mark
            raise yaml.MarkedYAMLError(problem="CloudFormation reads no aliases", problem_mark=mark)
    node = yaml.compose(text, LOADER)
    return None if node is None else _value(node)


def _value(node: yaml.Node) -> Any:  # noqa: ANN401 - whatever the file holds
    """Return a node as data; a tag is the function of its name."""
    content = _content(node)
    if node.tag.startswith(PLAIN):
        return content
    function = node.tag.removeprefix("!")
    name = function if function in {"Ref", "Condition"} else f"Fn::{function}"
    if name == "Fn::GetAtt" and isinstance(content, str):
        content = content.split(".", 1)
    return Block([(name, content)], {name: _line(node)})


def _content(node: yaml.Node) -> Any:  # noqa: ANN401 - the same
    match node:
        case yaml.MappingNode():
            return _block(node)
        case yaml.SequenceNode():
            return Items(map(_value, node.value), map(_line, node.value))
        case _ if node.tag.startswith(PLAIN):
            return SCALARS.construct_object(node)
        case _:
            return node.value


def _block(node: yaml.MappingNode) -> Block:
    lines: dict[str, int] = {}
    for key, _ in node.value:
        name = str(key.value)
        if name in lines:
            raise yaml.MarkedYAMLError(problem=f"{name} is given twice", problem_mark=key.start_mark)
        lines[name] = _line(key)
    return Block(zip(lines, (_value(value) for _, value in node.value), strict=True), lines)


def _line(node: yaml.Node) -> int:
    return int(node.start_mark.line) + 1


def read(path: Path) -> Block:
    """Return a template; TemplateError says in one line why it cannot be read."""
    try:
        template = parsed(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise TemplateError(f"{path}: cannot be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise TemplateError(f"{path}: is not UTF-8 text") from error
    except yaml.MarkedYAMLError as error:
        line = f":{error.problem_mark.line + 1}" if error.problem_mark else ""
        raise TemplateError(f"{path}{line}: is not YAML: {error.problem}") from error
    except yaml.YAMLError as error:
        raise TemplateError(f"{path}: is not YAML: {' '.join(str(error).split())}") from error
    if not isinstance(template, Block) or not isinstance(template.get("Resources"), Block):
        raise TemplateError(f"{path}: is no template: it has no Resources")
    return template


def line_of(block: Any, path: Iterable[str | int], otherwise: int) -> int:  # noqa: ANN401 - any value of a template
    """Return the line of the member at a path, or of the nearest one around it that is there."""
    line = otherwise
    for step in path:
        try:
            line, block = block.lines[step], block[step]
        except (AttributeError, LookupError, TypeError):
            break
    return line
