"""A deployment as values: what is wished for, and one command of it."""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from infra.deploy.errors import DeployError
from infra.deploy.package import Package

INFRA = Path(__file__).parents[1]

Judge = Callable[[Any, Mapping[str, str]], Iterator[str]]
"""Yields what is wrong with a command's answer; the second argument is what earlier steps have found."""


@dataclass(frozen=True, slots=True)
class Step:
    """A command, and why; `finds` names what its output is to later ones, which write it `<name>`."""

    purpose: str
    command: tuple[str, ...]
    finds: str = ""
    judge: Judge | None = None

    def filled(self, found: Mapping[str, str]) -> "Step":
        """Return the step with what earlier ones have found."""
        words = list(self.command)
        for name, value in found.items():
            words = [word.replace(f"<{name}>", value) for word in words]
        return replace(self, command=tuple(words))


@dataclass(frozen=True, slots=True)
class Wish:
    """What is to be deployed, beside the package."""

    package: Package
    table_stack: str = "global-table"
    worker_stack: str = "reconciler"
    makes_table: bool = True
    """Whether the table stack is deployed; else a table that is there is taken as it is."""
    with_workflow: bool = False
    with_appsync: bool = False
    parameters: Sequence[tuple[str, str, str]] = ()
    """Region ("" for all), name, value: for every template that has a parameter of this name."""

    @property
    def workflow_stack(self) -> str:
        """The name of the workflow's stack in every Region."""
        return f"{self.worker_stack}-workflow"

    @property
    def appsync_stack(self) -> str:
        """The name of AppSync's stack in every Region."""
        return f"{self.worker_stack}-appsync"


def sam_deploy(region: str, stack: str, template: str, given: Mapping[str, str]) -> tuple[str, ...]:
    """Return the command that uploads what a template names, and makes or updates its stack: nothing, if up to date."""
    overrides = [_parameter(name, value) for name, value in given.items()]
    return (
        *("sam", "deploy", "--region", region, "--stack-name", stack),
        *("--template-file", str(INFRA / template), "--resolve-s3", "--capabilities", "CAPABILITY_IAM"),
        *("--no-confirm-changeset", "--no-fail-on-empty-changeset", "--no-progressbar"),
        *(["--parameter-overrides", *overrides] if overrides else []),
    )


def _parameter(name: str, value: str) -> str:
    """Return a parameter as sam reads it: without quotes, it takes a value for ended at the first blank."""
    quoted = f'"{value}"' if " " in value and not value.startswith("<") else value
    return f"ParameterKey={name},ParameterValue={quoted}"


def answer_of(output: str, step: Step) -> Any:  # noqa: ANN401 - JSON
    """Return what a command that looks has printed; DeployError where that is no JSON."""
    try:
        return json.loads(output)
    except ValueError as error:
        raise DeployError(f"{step.purpose}: the answer is no JSON: {output[:200]!r}") from error
