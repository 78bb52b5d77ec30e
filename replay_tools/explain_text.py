"""Values, keys and objects as the commands print them: for a terminal, safe and short; for a machine, exact."""

import json
from collections.abc import Mapping
from typing import Any

import click

from reconciler.wire import Value, plain
from replay_tools.inputs import Damage
from replay_tools.replay_command import json_ready

MAX_SHOWN = 60  # characters of one value


def shown(value: object) -> str:
    """Write a plain value for a person: JSON, cut where it is long, nothing in it that a terminal would obey."""
    text = printable(json.dumps(value, default=json_ready, ensure_ascii=False))
    return text if len(text) <= MAX_SHOWN else f"{text[: MAX_SHOWN - 1]}…"


def shown_key(key: Mapping[str, Any]) -> str:
    """Write an item's plain key for a person."""
    if len(key) == 1:
        return shown(next(iter(key.values())))
    return " ".join(f"{printable(name)}={shown(value)}" for name, value in key.items()) or "an unknown key"


def printable(text: str) -> str:
    """Escape what a terminal would take as a command."""
    return "".join(letter if letter.isprintable() else f"\\u{ord(letter):04x}" for letter in text)


def plain_or_raw(value: Value) -> Any:  # noqa: ANN401 - any Python value
    """Return a value as boto3's resources give it; as it came, where it is no value."""
    try:
        return plain(value)
    except (AttributeError, ArithmeticError, TypeError, ValueError):
        return value


def echo_object(told: Mapping[str, Any]) -> None:
    """Print one object on a line of its own."""
    click.echo(json.dumps(told, default=json_ready, separators=(",", ":")))


class Damages:
    """Tells of each damaged place on standard error, and counts them."""

    def __init__(self) -> None:
        """Start with none."""
        self.count = 0

    def __call__(self, damage: Damage) -> None:
        """Tell of one."""
        self.count += 1
        click.echo(f"damaged: {printable(str(damage))}", err=True)


def is_named(key: Mapping[str, Any], wanted: str | None) -> bool:
    """Say whether a person's `--key` means this plain key: its one value, or `NAME=VALUE` pairs by commas."""
    if wanted is None:
        return True
    texts = {name: value if isinstance(value, str) else json.dumps(json_ready(value)) for name, value in key.items()}
    return [*texts.values()] == [wanted] or sorted(f"{name}={text}" for name, text in texts.items()) == sorted(
        wanted.split(",")
    )
