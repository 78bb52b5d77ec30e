"""Reconciles what DynamoDB Global Tables silently drop when two Regions write one item at about the same time."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from reconciler.adapters.event_processor import EventProcessor
    from reconciler.policy import Policy
    from reconciler.resolver import ConflictResolver

__all__ = ["ConflictResolver", "EventProcessor", "Policy"]

_HOMES = {
    "ConflictResolver": "reconciler.resolver",
    "EventProcessor": "reconciler.adapters.event_processor",
    "Policy": "reconciler.policy",
}


def __getattr__(name: str) -> object:
    """Import a public name when it is first asked for: boto3 is not loaded by those who do not write."""
    from importlib import import_module  # noqa: PLC0415 - as above

    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(_HOMES[name]), name)
