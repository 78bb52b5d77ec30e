"""Metrics that alarms and dashboards look at: something has to emit them, under the same dimensions."""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from handlers.metrics import NAMES
from infra.check.names import named
from infra.check.stack import Finding, Resource, Stack

ALARM, DASHBOARD = "AWS::CloudWatch::Alarm", "AWS::CloudWatch::Dashboard"
NAMESPACE = "GlobalTableReconciler"
DIMENSIONS = {"Table", "Function"}
EMITTED = {*NAMES.values(), "Escalations"}
Path = tuple[str | int, ...]


@dataclass(frozen=True, slots=True)
class Metric:
    """One metric that an alarm looks at; `of` are its dimensions' values by name."""

    namespace: str
    name: str
    of: Mapping[str, str]
    path: Path


def metric_rules(stack: Stack) -> Iterator[Finding]:
    """Yield what alarms and dashboards look at and nothing emits."""
    for alarm in stack.of_type(ALARM):
        for metric in metrics(alarm):
            if metric.namespace == NAMESPACE and (metric.name not in EMITTED or set(metric.of) != DIMENSIONS):
                yield alarm.finding("metric", f"nothing emits {metric.name} by {sorted(metric.of)}", *metric.path)
        if alarm.properties.get("TreatMissingData") != "notBreaching":
            yield alarm.finding("missing-data", "a quiet table raises the alarm", "TreatMissingData")
    for dashboard in stack.of_type(DASHBOARD):
        yield from _dashboard(dashboard)


def metrics(alarm: Resource) -> Iterator[Metric]:
    """Yield the metrics that an alarm looks at, directly, in an expression or in a query."""
    if "MetricName" in alarm.properties:
        yield _metric(alarm.properties, ())
    for position, part in enumerate(alarm.properties.get("Metrics", [])):
        path: Path = ("Metrics", position)
        if "MetricStat" in part:
            yield _metric(part["MetricStat"]["Metric"], (*path, "MetricStat", "Metric"))
        for name in re.findall(r"SELECT \w+\((\w+)\)", part.get("Expression", "")):
            yield Metric("AWS/DynamoDB", name, {}, (*path, "Expression"))


def _metric(said: Mapping[str, Any], path: Path) -> Metric:
    of = {each["Name"]: named(each["Value"]) for each in said.get("Dimensions", [])}
    return Metric(said["Namespace"], said["MetricName"], of, (*path, "MetricName"))


def _dashboard(dashboard: Resource) -> Iterator[Finding]:
    try:
        widgets = json.loads(dashboard.properties["DashboardBody"])["widgets"]
    except (ValueError, KeyError, TypeError) as error:
        yield dashboard.finding("dashboard", f"no widgets in JSON: {error}", "DashboardBody")
        return
    for widget in widgets:
        for name in _drawn(widget["properties"].get("metrics", [])):
            if name not in EMITTED:
                yield dashboard.finding("metric", f"nothing emits {name}", "DashboardBody")


def _drawn(rows: Sequence[list[Any]]) -> Iterator[str]:
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
