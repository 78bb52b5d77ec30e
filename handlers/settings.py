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
    log_level: str = "INFO"
    metrics_namespace: str = "GlobalTableReconciler"

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
            log_level=_level(found),
            metrics_namespace=found.get("METRICS_NAMESPACE") or cls.metrics_namespace,
        )


MAX_DIGITS = 9
LEVELS = ("DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL")


def _required(environ: Mapping[str, str], name: str) -> str:
    value = environ.get(name, "").strip()
    if not value:
        raise ConfigurationError(f"environment variable {name} is missing or empty")
    return value


def _queue_url(environ: Mapping[str, str], *, needed: bool) -> str:
    if not needed and not environ.get("POISON_QUEUE_URL"):
        return ""
    url = _required(environ, "POISON_QUEUE_URL")
    if not url.startswith(("https://", "http://")):
        raise ConfigurationError("environment variable POISON_QUEUE_URL is not the URL of a queue")
    return url


def _whole(environ: Mapping[str, str], name: str, default: int, least: int, most: int) -> int:
    text = environ.get(name)
    if not text:
        return default
    if not (text.isascii() and text.isdigit() and len(text) <= MAX_DIGITS and least <= int(text) <= most):
        raise ConfigurationError(
            f"environment variable {name} is {text!r}; a whole number {least} to {most} was expected"
        )
    return int(text)


def _level(environ: Mapping[str, str]) -> str:
    level = (environ.get("LOG_LEVEL") or Settings.log_level).upper()
    if level not in LEVELS:
        raise ConfigurationError(
            f"environment variable LOG_LEVEL is {level!r}; one of {', '.join(LEVELS)} was expected"
        )
    return level
