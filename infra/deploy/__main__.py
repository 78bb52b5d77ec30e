"""``python -m infra.deploy``: deploy the table once, the worker in every Region, and look whether it is so."""

from pathlib import Path

import click

from infra.deploy.errors import DeployError
from infra.deploy.package import read
from infra.deploy.run import run_all, tell_all
from infra.deploy.step import Wish
from infra.deploy.steps import steps

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "build/function.zip"
"""The package that worker.yaml names."""

PARAMETER = "[REGION:]NAME=VALUE"


class OneLineError(click.ClickException):
    """The deployment cannot begin, or stopped; one line says why."""

    exit_code = 2


def parsed(_context: click.Context, _option: click.Parameter, given: tuple[str, ...]) -> list[tuple[str, str, str]]:
    """Return Region (or ""), name and value of each parameter."""
    return [_parsed(text) for text in given]


def _parsed(text: str) -> tuple[str, str, str]:
    place, equals, value = text.partition("=")
    region, _, name = place.rpartition(":")
    if not (equals and name.isalnum()):
        raise click.BadParameter(f"{text!r}: {PARAMETER} was expected")
    if set(value) & set("\"'\\"):
        raise click.BadParameter(f"{text!r}: sam has ideas of its own about quotes and backslashes; do without")
    return region, name, value


@click.command
@click.option("--table-stack", default="global-table", help="Name of the table's stack; global-table.")
@click.option("--worker-stack", default="reconciler", help="Name of the worker's stack in every Region; reconciler.")
@click.option("--existing-table", is_flag=True, help="The table is there: leave table.yaml out.")
@click.option("--with-workflow", is_flag=True, help="Deploy workflow.yaml too.")
@click.option("--with-appsync", is_flag=True, help="Deploy appsync.yaml too.")
@click.option("--parameter", multiple=True, callback=parsed, metavar=PARAMETER, help="Of any of the templates.")
@click.option("--dry-run", is_flag=True, help="Print every command and run none.")
def main(
    *,
    table_stack: str,
    worker_stack: str,
    existing_table: bool,
    parameter: list[tuple[str, str, str]],
    dry_run: bool,
    **extras: bool,
) -> None:
    """Deploy to the Regions of the policy in the package; what is in <brackets> an earlier command has looked up.

    Exit status 1: deployed, but what runs is not what was meant. 2: stopped; the same command goes on.
    """
    try:
        wish = Wish(read(PACKAGE), table_stack, worker_stack, not existing_table, parameters=parameter, **extras)
        planned = steps(wish)
        if dry_run:
            tell_all(planned, click.echo)
            return
        wrong = run_all(planned, click.echo)
    except DeployError as error:
        raise OneLineError(str(error)) from error
    for finding in wrong:
        click.echo(f"wrong: {finding}", err=True)
    if wrong:
        raise SystemExit(1)
    click.echo(f"what runs is what was meant, in {', '.join(wish.package.regions)}")


if __name__ == "__main__":
    main()
