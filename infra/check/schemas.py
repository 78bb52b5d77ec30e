"""What CloudFormation itself would say: SAM's resources expanded, then cfn-lint, which does not expand them.

Both tools are loaded when they are needed: they take two seconds.
"""

import json
import logging
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from copy import deepcopy
from typing import Any

from infra.check.source import line_of
from infra.check.stack import Finding, Stack

REGIONS = ["us-east-1", "eu-west-1"]
IGNORED = ["W3002"]
"""It warns of files of this machine, which `package` puts where CloudFormation finds them."""
FILES = ("CodeUri", "DefinitionUri", "ContentUri")
SERVERLESS = "AWS::Serverless"
# The translator counts what it does, and warns where nobody collects it.
logging.getLogger("samtranslator").addHandler(logging.NullHandler())


def schema_rules(stack: Stack) -> Iterator[Finding]:
    """Yield what SAM's translator and cfn-lint find, warnings included, each at its place in the source."""
    template = _plain(stack.template)
    if SERVERLESS in str(template.get("Transform")):
        from samtranslator.model.exceptions import InvalidDocumentException  # type: ignore[import-untyped]  # noqa: PLC0415 - as above

        try:
            template = expanded(stack)
        except InvalidDocumentException as error:
            yield from (_at(stack, _named_in(stack, cause.message), "sam", cause.message) for cause in error.causes)
            return
        for name in sorted(template["Resources"].keys() - stack.template["Resources"].keys()):
            yield _at(stack, ["Resources", _origin(stack, name)], "sam", f"makes {name} by itself: write it down")
    for match in _matches(template):
        steps = getattr(match, "path", ["Resources"])  # a fault of the template as a whole has no path
        yield _at(stack, _in_source(stack, steps), match.rule.id, " ".join(match.message.split()))


def expanded(stack: Stack) -> dict[str, Any]:
    """Return a SAM template as what CloudFormation makes of it; files of this machine become S3's."""
    from boto3.session import Session  # noqa: PLC0415, TID251 - the translator asks it for the Region's partition
    from samtranslator.parser.parser import Parser  # type: ignore[import-untyped]  # noqa: PLC0415 - as above
    from samtranslator.translator.translator import Translator  # type: ignore[import-untyped]  # noqa: PLC0415 - as above

    template = _packaged(_plain(stack.template))
    # The map of managed policies is empty: no role of these templates has one.
    translator = Translator({}, Parser(), boto_session=Session(region_name=stack.region))
    made: dict[str, Any] = translator.translate(template, parameter_values=dict(stack.parameters))
    return made


def _plain(template: Mapping[str, Any]) -> dict[str, Any]:
    """Return a copy without lines, and with dates as text."""
    copy: dict[str, Any] = json.loads(json.dumps(template, default=str))
    return copy


def _packaged(template: dict[str, Any]) -> dict[str, Any]:
    template = deepcopy(template)
    shared = template.get("Globals", {}).values()
    made = [resource.get("Properties", {}) for resource in template["Resources"].values()]
    for properties in (*shared, *made):
        for name in FILES:
            if isinstance(properties.get(name), str):
                properties[name] = "s3://bucket/file"
    return template


def _matches(template: Mapping[str, Any]) -> Iterable[Any]:
    from cfnlint import api  # type: ignore[import-untyped]  # noqa: PLC0415 - as above
    from cfnlint.config import ManualArgs  # type: ignore[import-untyped]  # noqa: PLC0415 - as above

    matches: Iterable[Any] = api.lint(json.dumps(template), config=ManualArgs(regions=REGIONS, ignore_checks=IGNORED))
    return matches


def _at(stack: Stack, path: Iterable[str | int], rule: str, why: str) -> Finding:
    return Finding(line_of(stack.template, path, 1), rule, why)


def _in_source(stack: Stack, steps: Sequence[str | int]) -> list[str | int]:
    """Return a path of the expanded template as one of the source."""
    match steps:
        case ["Resources", name, *rest]:
            return ["Resources", _origin(stack, name), *rest]
        case _:
            return [*steps]


def _origin(stack: Stack, name: Any) -> Any:  # noqa: ANN401 - a step of a path
    """Return the resource in the source that one of SAM's making comes from: its name begins so."""
    sources = [source for source in stack.template["Resources"] if str(name).startswith(source)]
    return max(sources, key=len, default=name)


def _named_in(stack: Stack, message: str) -> list[str]:
    """Return the path of the resource that a message of SAM's names."""
    names = [name for name in re.findall(r"\[(\w+)\]", message) if name in stack.template["Resources"]]
    return ["Resources", *names[:1]]
