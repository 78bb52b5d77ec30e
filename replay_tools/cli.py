"""The command line: each command is imported when it is asked for, so that none waits for, or fails with, another.

Exit codes: 0 fine, 1 something is unsettled, 2 wrong usage or unreadable input.
"""

from importlib import import_module
from typing import Any

import click

from reconciler.errors import ReconcilerError

UNREADABLE = 2

COMMANDS = {
    "record": ("replay_tools.record", "Record a table's live stream to a file."),
    "replay": ("replay_tools.replay_command", "Tell what the worker decides about recorded records."),
    "explain": ("replay_tools.explain", "Tell one key's history across Regions, in sentences."),
    "conflicts": ("replay_tools.conflicts", "Query the conflict history."),
    "redrive": ("replay_tools.redrive", "Judge poison messages again, or resolve them by hand."),
    "check-policy": ("replay_tools.check_policy", "Check a policy file, and what it would change."),
    "report": ("replay_tools.report.command", "Show on one HTML page what each Region saw, and what was lost."),
    "audit": ("replay_tools.audit.command", "Tell which writes last-writer-wins overwrote."),
    "simulate": ("replay_tools.simulator.cli", "Search random histories for a lost write."),
    "demo": ("replay_tools.demo.cli", "Play a conflict and its repair in two Regions, offline."),
}


class UnreadableError(click.ClickException):
    """What was given cannot be used; one line says why."""

    exit_code = UNREADABLE


class LazyGroup(click.Group):
    """A group that knows its commands by name, and imports one only to run it."""

    def list_commands(self, _ctx: click.Context) -> list[str]:
        """Return the commands, in the order of their telling."""
        return list(COMMANDS)

    def get_command(self, _ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import the command; UnreadableError where a library that it needs is not installed."""
        if cmd_name not in COMMANDS:
            return None
        try:
            command: click.Command = getattr(import_module(COMMANDS[cmd_name][0]), cmd_name.replace("-", "_"))
        except ModuleNotFoundError as error:
            hint = "pip install 'global-table-reconciler[tools]' installs what the commands need"
            raise UnreadableError(f"the command {cmd_name} needs the module {error.name}; {hint}") from error
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the commands' help without importing any."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, COMMANDS[name][1]) for name in self.list_commands(ctx)])

    def invoke(self, ctx: click.Context) -> Any:  # noqa: ANN401 - click's own signature
        """Run a command; every fault that the project knows is one line."""
        try:
            return super().invoke(ctx)
        except ReconcilerError as error:
            raise UnreadableError(str(error)) from error


@click.group(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(package_name="global-table-reconciler")
def main() -> None:
    """Record DynamoDB streams, and find out offline what they lost.

    Endpoints and credentials are boto3's: AWS_ENDPOINT_URL=http://127.0.0.1:8000 means DynamoDB Local.
    """
