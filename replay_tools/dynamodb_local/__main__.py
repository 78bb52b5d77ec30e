"""Fetch DynamoDB Local, once: ``python -m replay_tools.dynamodb_local``."""

import click

from reconciler.errors import ConfigurationError
from replay_tools.dynamodb_local.jars import LIB, fetch

MISSING = 2


class MissingPartError(click.ClickException):
    """DynamoDB Local cannot run here; one line says why."""

    exit_code = MISSING


@click.command
def main() -> None:
    """Fetch DynamoDB Local by Maven where it is not there yet; exit status 2 says what is missing."""
    try:
        was_needed = fetch()
    except ConfigurationError as error:
        raise MissingPartError(str(error)) from error
    if was_needed:
        click.echo(f"DynamoDB Local fetched to {LIB}")


if __name__ == "__main__":
    main()
