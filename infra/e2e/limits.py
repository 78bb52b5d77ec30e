"""What ministack does not do: left out here where it would refuse it, and said with every run."""

from collections.abc import Mapping
from typing import Any

LIMITS = """\
Replication: its GlobalTable ignores Replicas. Each Region has a table of its own, and the project's replicator carries
writes between them, conflicts included.
Partial batches: its mapping ignores batchItemFailures, bisecting and the number of retries. A record that the worker
reports as failed is not delivered again.
Faults: it calls every exception of a function Runtime.HandlerError. Which of them the workflow retries is shown by the
tests of the workflow alone.
Rights: every call is allowed. That the roles suffice, and no more, is checked without a server.
Runtime: functions run on the Python of .venv-e2e, not on the one that the template names, nor on arm64.
Encryption, TLS, time to live, alarms and schedules: accepted at most, without effect.
Alarms by metric math are refused: they are left out of the stack. Queues are reached by http: workflow.yaml is made to
take such a URL.
"""


def without_what_is_refused(template: Mapping[str, Any]) -> dict[str, Any]:
    """Return the template without the resources that ministack's CloudFormation refuses."""
    kept = {name: resource for name, resource in template["Resources"].items() if not _is_refused(resource)}
    parameters = {name: _with_http(parameter) for name, parameter in template["Parameters"].items()}
    return {**template, "Parameters": parameters, "Resources": kept}


def _with_http(parameter: Mapping[str, Any]) -> dict[str, Any]:
    """Return the parameter; one that wants https takes http too."""
    return {name: _loosened(value) if name == "AllowedPattern" else value for name, value in parameter.items()}


def _loosened(pattern: str) -> str:
    return pattern.replace("https://", "https?://", 1) if pattern.startswith("https://") else pattern


def _is_refused(resource: Mapping[str, Any]) -> bool:
    """Say whether it is an alarm that computes."""
    return resource["Type"] == "AWS::CloudWatch::Alarm" and "Metrics" in resource["Properties"]
