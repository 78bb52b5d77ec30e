"""Parameters by hand: each goes to every stack whose template has it, and none is dropped unseen, as sam would."""

from collections.abc import Iterator
from functools import cache

from infra.check.source import read
from infra.deploy.errors import DeployError
from infra.deploy.step import INFRA, Wish

TABLE, WORKER, WORKFLOW, APPSYNC = "table.yaml", "worker.yaml", "workflow.yaml", "appsync.yaml"
OF_THE_PACKAGE = {"TableName", "SecondRegion", "ThirdRegion", "PolicyFile"}
"""The package's policies say these; --policy and --appsync-policy of ``make package`` change them."""
LOOKED_UP = {"StreamArn", "WriteFunctionArn", "PoisonQueueArn", "PoisonQueueUrl"}
"""The deployment finds these on its way."""


def demand_known(wish: Wish) -> None:
    """Raise DeployError at the first parameter that no stack would get, or that is not for anyone to give."""
    regions = wish.package.regions
    for region, name, _ in wish.parameters:
        said = f"{region}:{name}" if region else name
        if region and region not in regions:
            raise DeployError(f"{said}: the policy has no such Region; it has {', '.join(regions)}")
        if name in OF_THE_PACKAGE:
            raise DeployError(f"{said}: the policy in the package says it; make package takes another one")
        if name in LOOKED_UP:
            raise DeployError(f"{said}: the deployment looks it up by itself")
        templates = list(_templates(wish, region or regions[0]))
        if not any(name in _parameters(template) for template in templates):
            raise DeployError(f"{said}: is no parameter of {', '.join(templates)}")


def given_to(template: str, wish: Wish, region: str) -> dict[str, str]:
    """Return what is given by hand to a template's stack in a Region."""
    known = _parameters(template)
    return {name: value for where, name, value in wish.parameters if where in {"", region} and name in known}


def _templates(wish: Wish, region: str) -> Iterator[str]:
    """Yield the templates of the stacks in a Region; the table's has its own in the first."""
    if wish.makes_table and region == wish.package.regions[0]:
        yield TABLE
    yield WORKER
    if wish.with_workflow:
        yield WORKFLOW
    if wish.with_appsync:
        yield APPSYNC


@cache
def _parameters(template: str) -> frozenset[str]:
    return frozenset(read(INFRA / template)["Parameters"])
