"""A stack: what a template makes in one Region with its parameters' defaults, and where each part of it is written."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

from infra.check.resolve import NOTHING, holds, resolved
from infra.check.source import Block, line_of, read

ROOT = Path(__file__).parents[2]
REGION, ACCOUNT = "us-east-1", "111122223333"
TABLE_ARN = f"arn:aws:dynamodb:{REGION}:{ACCOUNT}:table/GlobalEventTable"
STREAM_ARN = f"{TABLE_ARN}/stream/2026-01-01T00:00:00.000"
# For parameters without a default, in this order: a pattern that takes a table's ARN for a stream's is so found out.
SAMPLES = (
    TABLE_ARN,
    STREAM_ARN,
    f"arn:aws:sqs:{REGION}:{ACCOUNT}:Queue",
    f"https://sqs.{REGION}.amazonaws.com/1/Queue",
)
FUNCTIONS = ("AWS::Serverless::Function", "AWS::Lambda::Function")


@dataclass(frozen=True, slots=True, order=True)
class Finding:
    """One thing that is wrong: where it stands, the rule that says so, and why it matters."""

    line: int
    rule: str
    why: str


@dataclass(frozen=True, slots=True)
class Resource:
    """One resource of a stack."""

    name: str
    line: int
    block: Block

    @property
    def kind(self) -> str:
        """The CloudFormation type."""
        return str(self.block.get("Type"))

    @property
    def properties(self) -> Block:
        """The properties; none where the template gives none."""
        found = self.block.get("Properties")
        return found if isinstance(found, Block) else Block([], {})

    def finding(self, rule: str, why: str, *path: str | int) -> Finding:
        """Return a finding at a property's path, or at what is nearest around it."""
        return Finding(line_of(self.properties, path, self.line), rule, f"{self.name}: {why}")

    def attribute_finding(self, rule: str, why: str, name: str) -> Finding:
        """Return a finding at an attribute beside the properties, such as DeletionPolicy."""
        return Finding(line_of(self.block, [name], self.line), rule, f"{self.name}: {why}")


@dataclass(frozen=True)
class Stack:
    """A template's resources in `region`; parameters that are not `given` have their defaults."""

    path: Path
    template: Block
    region: str = REGION
    given: Mapping[str, str] | None = None

    @classmethod
    def read(cls, path: Path) -> "Stack":
        """Read a template's file; TemplateError where it is none."""
        return cls(path, read(path))

    def text_of(self, name: str) -> str:
        """Return a file that lies beside the template, or, for a copy of the template elsewhere, the project's own."""
        beside = self.path.parent / name
        path = beside if beside.exists() else ROOT / "infra" / name
        return path.read_text(encoding="utf-8")

    def with_parameters(self, **given: str) -> "Stack":
        """Return the stack as these parameters make it."""
        return replace(self, given=given)

    @cached_property
    def parameters(self) -> dict[str, str]:
        """The parameters' values; one without a default has an example that its pattern takes."""
        declared: Mapping[str, Any] = self.template.get("Parameters") or {}
        return {**{name: _default(name, said) for name, said in declared.items()}, **(self.given or {})}

    @cached_property
    def resources(self) -> dict[str, Resource]:
        """The resources whose conditions hold, by logical name."""
        known = {**_pseudo_parameters(self.region), **self.parameters}
        conditions: Mapping[str, Any] = self.template.get("Conditions") or {}
        written: Block = self.template["Resources"]
        made = {name: resolved(block, known, conditions) for name, block in written.items()}
        return {
            name: Resource(name, written.lines[name], block)
            for name, block in made.items()
            if isinstance(block, Block) and ("Condition" not in block or holds(block["Condition"], known, conditions))
        }

    def of_type(self, *kinds: str) -> Iterator[Resource]:
        """Yield the resources of these types, as they stand in the file."""
        return (resource for resource in self.resources.values() if resource.kind in kinds)

    def functions(self) -> Iterator[Resource]:
        """Yield the Lambda functions, each with what Globals gives to all."""
        shared = Resource("Globals", 1, self._globals)
        for function in self.of_type(*FUNCTIONS):
            if function.kind == FUNCTIONS[0]:
                yield replace(function, block=_with_globals(function.block, shared.properties))
            else:
                yield replace(function, block=_with_globals(function.block, Block([], {})))

    @cached_property
    def _globals(self) -> Block:
        known = {**_pseudo_parameters(self.region), **self.parameters}
        functions = (self.template.get("Globals") or {}).get("Function") or Block([], {})
        return Block([("Properties", resolved(functions, known, {}))], {"Properties": 1})


def _pseudo_parameters(region: str) -> dict[str, Any]:
    return {
        "AWS::Region": region,
        "AWS::AccountId": ACCOUNT,
        "AWS::Partition": "aws",
        "AWS::StackName": "stack",
        "AWS::URLSuffix": "amazonaws.com",
        "AWS::NoValue": NOTHING,
    }


def _default(name: str, declared: Mapping[str, Any]) -> Any:  # noqa: ANN401 - text, number or list
    if "Default" in declared:
        return declared["Default"]
    pattern = str(declared.get("AllowedPattern", ""))
    return next((sample for sample in SAMPLES if pattern and re.fullmatch(pattern, sample)), f"<{name}>")


def _with_globals(block: Block, shared: Block) -> Block:
    """Return a function's block with what Globals says where it says nothing; environments are united."""
    own = block.get("Properties") or Block([], {})
    theirs, mine = _variables(shared), _variables(own)
    variables = Block({**theirs, **mine}.items(), {**theirs.lines, **mine.lines})
    environment = Block([("Variables", variables)], getattr(own.get("Environment"), "lines", {}))
    members = {**shared, **own, "Environment": environment}
    properties = Block(members.items(), own.lines)
    return Block({**block, "Properties": properties}.items(), block.lines)


def _variables(properties: Mapping[str, Any]) -> Block:
    variables = (properties.get("Environment") or {}).get("Variables")
    return variables if isinstance(variables, Block) else Block([], {})
