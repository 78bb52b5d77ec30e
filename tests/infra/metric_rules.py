"""What must hold of alarms and the dashboard: they look at metrics that something emits, under the same dimensions."""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from handlers.metrics import NAMES

NAMESPACE = "GlobalTableReconciler"
DIMENSIONS = {"Table", "Function"}
EMITTED = {*NAMES.values(), "Escalations"}
ALARMED = {
    "IteratorAge",
    "ApproximateNumberOfMessagesVisible",
    "Errors",
    "Throttles",
    "ReplicationLatency",
    "SkewedItems",
    "UnrecordedConflicts",
    "Repairs",
}
"""Every alarm there must be, by its metric."""
Found = Iterator[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class Metric:
    """One metric that an alarm looks at."""

    namespace: str
    name: str
    dimensions: frozenset[str]


def alarm_rules(alarm: Mapping[str, Any]) -> Found:
    """Yield what is wrong with an alarm."""
    for metric in metrics(alarm):
        if metric.namespace == NAMESPACE and (metric.name not in EMITTED or metric.dimensions != DIMENSIONS):
            yield "metric", f"nothing emits {metric.name} by {sorted(metric.dimensions)}"
    if alarm.get("TreatMissingData") != "notBreaching":
        yield "missing-data", "a quiet table raises the alarm"


def metrics(alarm: Mapping[str, Any]) -> Iterator[Metric]:
    """Yield the metrics that an alarm looks at, directly, in an expression or in a query."""
    if "MetricName" in alarm:
        yield _metric(alarm)
    for part in alarm.get("Metrics", []):
        if "MetricStat" in part:
            yield _metric(part["MetricStat"]["Metric"])
        for name in re.findall(r"SELECT MAX\((\w+)\)", part.get("Expression", "")):
            yield Metric("AWS/DynamoDB", name, frozenset())


def _metric(named: Mapping[str, Any]) -> Metric:
    dimensions = frozenset(dimension["Name"] for dimension in named.get("Dimensions", []))
    return Metric(named["Namespace"], named["MetricName"], dimensions)


def dashboard_rules(dashboard: Mapping[str, Any]) -> Found:
    """Yield what is wrong with a dashboard."""
    try:
        widgets = json.loads(dashboard["DashboardBody"])["widgets"]
    except ValueError as error:
        yield "dashboard", f"no JSON: {error}"
        return
    for widget in widgets:
        for name in _drawn(widget["properties"]["metrics"]):
            if name not in EMITTED:
                yield "metric", f"nothing emits {name}"


def _drawn(rows: list[list[Any]]) -> Iterator[str]:
    """Yield the names of this project's metrics, with CloudWatch's dots written out."""
    before: list[Any] = []
    for row in rows:
        if isinstance(row[0], dict):
            continue
        full = before[: len(before) + 1 - len(row)] + row[1:] if row[0] == "..." else row
        filled = [before[position] if part == "." else part for position, part in enumerate(full)]
        before = [part for part in filled if not isinstance(part, dict)]
        if filled[0] == NAMESPACE:
            yield filled[1]
