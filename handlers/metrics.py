"""Metrics: counts of a batch or request as CloudWatch's embedded metric format.

https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html
"""

from collections.abc import Mapping

from aws_lambda_powertools.metrics import EphemeralMetrics, MetricUnit

NAMES = {
    "lost_writes": "LostWritesFound",
    "repaired": "Repairs",
    "attempts": "RepairAttempts",
    "approximate": "ApproximateDecisions",
    "exact": "ExactDecisions",
    "skewed_items": "SkewedItems",
    "skew_ms": "ClockSkew",
    "failed_records": "FailedRecords",
    "unrecorded": "UnrecordedConflicts",
    "duplicate": "Duplicates",
    "applied": "WritesApplied",
    "superseded": "WritesSuperseded",
    "version_conflict": "VersionConflicts",
    "deleted": "WritesToDeleted",
    "settled": "MessagesSettled",
    "put_back": "MessagesPutBack",
}
ESCALATED = "escalated_"


class Metrics:
    """Writes counts as metrics of one table and function; what has no name here is for the log alone."""

    def __init__(self, namespace: str, table: str, function: str) -> None:
        """Write to `namespace`, with the table and the function as dimensions."""
        self._namespace = namespace
        self._dimensions = {"Table": table, "Function": function}

    def emit(self, counts: Mapping[str, int]) -> None:
        """Write one line with every count, and one for each reason of escalation."""
        named = {NAMES[name]: count for name, count in counts.items() if name in NAMES}
        self._write(named, {})
        for name, count in counts.items():
            if name.startswith(ESCALATED):
                self._write({"Escalations": count}, {"Reason": name.removeprefix(ESCALATED)})

    def _write(self, counts: Mapping[str, int], more: Mapping[str, str]) -> None:
        if not counts:
            return
        metrics = EphemeralMetrics(namespace=self._namespace)
        for name, value in {**self._dimensions, **more}.items():
            metrics.add_dimension(name=name, value=value)
        for name, count in counts.items():
            unit = MetricUnit.Milliseconds if name == "ClockSkew" else MetricUnit.Count
            metrics.add_metric(name=name, unit=unit, value=count)
        metrics.flush_metrics()
