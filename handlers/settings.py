"""Settings: the environment, read once and validated; an error names the variable."""

import os
from collections.abc import Mapping
from dataclasses import dataclass

from reconciler.errors import ConfigurationError


@dataclass(frozen=True)
class Settings:
    """What one deployed function is told; sizes are numbers of things, times in milliseconds."""

    table_name: str
    policy_file: str
    region: str
    poison_queue_url: str = ""
    lanes: int = 8
    """How many keys are repaired at a time."""
    attempts: int = 8
    """How many conditional writes one key or request may take."""
    reserve_ms: int = 6_000
    """No write is started with less time left: above what one with its retries may take (`reconciler.adapters.aws`)."""
    redrive_messages: int = 100
    """How many messages one redrive takes at most; their bodies, of at most 1 MiB each, are in memory until its end."""
    log_level: str = "INFO"
    metrics_namespace: str = "GlobalTableReconciler"
    event_bus_name: str = ""
    """The EventBridge bus, by name or ARN, that conflicts are told to; none where empty."""
    event_content: str = "names"
    """What an event holds of an item: the names of attributes, or its values too."""
    history_table_name: str = ""
    """The table that keeps both sides of every conflict; none where empty."""

    @classmethod
    def from_environment(cls, environ: Mapping[str, str] | None = None, *, needs_queue: bool = True) -> "Settings":
        """Read the environment; ConfigurationError names the variable that is missing or wrong."""
        found = os.environ if environ is None else environ
        return cls(
            table_name=_required(found, "TABLE_NAME"),
            policy_file=_required(found, "POLICY_FILE"),
            region=_required(found, "AWS_REGION"),
            poison_queue_url=_queue_url(found, needed=needs_queue),
            lanes=_whole(found, "LANES", cls.lanes, 1, 64),
            attempts=_whole(found, "ATTEMPTS", cls.attempts, 1, 100),
            reserve_ms=_whole(found, "RESERVE_MS", cls.reserve_ms, 0, 900_000),
            redrive_messages=_whole(found, "REDRIVE_MESSAGES", cls.redrive_messages, 1, 1000),
            log_level=_one_of(found, "LOG_LEVEL", cls.log_level, LEVELS),
            metrics_namespace=found.get("METRICS_NAMESPACE") or cls.metrics_namespace,
            event_bus_name=found.get("EVENT_BUS_NAME", "").strip(),
            event_content=_one_of(found, "EVENT_CONTENT", cls.event_content, CONTENTS),
            history_table_name=_history(found),
        )


@dataclass(frozen=True)
class StartSettings:
    """What the starter of the workflow is told."""

    state_machine_arn: str
    region: str
    claim_days: int = 90
    """How long a claim is kept: as long as Step Functions keeps the name of an execution."""
    log_level: str = "INFO"

    @classmethod
    def from_environment(cls, environ: Mapping[str, str] | None = None) -> "StartSettings":
        """Read the environment; ConfigurationError names the variable that is missing or wrong."""
        found = os.environ if environ is None else environ
        arn = _required(found, "STATE_MACHINE_ARN")
        if not (arn.startswith("arn:") and ":stateMachine:" in arn):
            raise ConfigurationError("STATE_MACHINE_ARN: is not the ARN of a state machine")
        return cls(
            state_machine_arn=arn,
            region=_required(found, "AWS_REGION"),
            claim_days=_whole(found, "CLAIM_DAYS", cls.claim_days, 1, 1825),
            log_level=_one_of(found, "LOG_LEVEL", cls.log_level, LEVELS),
        )


MAX_DIGITS = 9
LEVELS = ("DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL")
CONTENTS = ("names", "values")


def _required(environ: Mapping[str, str], name: str) -> str:
    value = environ.get(name, "").strip()
    if not value:
        raise ConfigurationError(f"{name}: the environment variable is missing or empty")
    return value


def _queue_url(environ: Mapping[str, str], *, needed: bool) -> str:
    if not needed and not environ.get("POISON_QUEUE_URL"):
        return ""
    url = _required(environ, "POISON_QUEUE_URL")
    if not url.startswith(("https://", "http://")):
        raise ConfigurationError("POISON_QUEUE_URL: is not the URL of a queue")
    return url


def _whole(environ: Mapping[str, str], name: str, default: int, least: int, most: int) -> int:
    text = environ.get(name)
    if not text:
        return default
    if not (text.isascii() and text.isdigit() and len(text) <= MAX_DIGITS and least <= int(text) <= most):
        raise ConfigurationError(f"{name}: is {text!r}; a whole number {least} to {most} was expected")
    return int(text)


def _one_of(environ: Mapping[str, str], name: str, default: str, choices: tuple[str, ...]) -> str:
    """Return the choice, however its letters are cased."""
    text = environ.get(name) or default
    for choice in choices:
        if text.lower() == choice.lower():
            return choice
    raise ConfigurationError(f"{name}: is {text!r}; one of {', '.join(choices)} was expected")


def _history(environ: Mapping[str, str]) -> str:
    name = environ.get("HISTORY_TABLE_NAME", "").strip()
    if name and name == environ.get("TABLE_NAME", "").strip():
        raise ConfigurationError("HISTORY_TABLE_NAME: is TABLE_NAME; a table of its own was expected")
    return name
