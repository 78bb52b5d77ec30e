"""What must raise an alarm: every function, queue, stream mapping and state machine calls for its own."""

import re
from collections.abc import Iterator

from infra.check.machines import MACHINE
from infra.check.mappings import stream_mappings
from infra.check.metrics import ALARM, metrics
from infra.check.names import named
from infra.check.queues import QUEUE
from infra.check.stack import Finding, Resource, Stack

OF_A_FUNCTION = ("Errors", "Throttles")
OF_A_TELLER = "UnrecordedConflicts"
TELLS = {"EVENT_BUS_NAME", "HISTORY_TABLE_NAME"}
"""The variables by which a function is to tell its conflicts."""
OF_A_QUEUE = "ApproximateNumberOfMessagesVisible"
OF_A_MAPPING = "IteratorAge"
OF_A_MACHINE = ("ExecutionsFailed", "ExecutionsTimedOut", "ExecutionsAborted")
OF_THE_WORKER = {"ReplicationLatency", "SkewedItems", "Repairs"}
WORKER = "handlers.stream.lambda_handler"
BAD_WHEN_MANY = {*OF_A_FUNCTION, OF_A_TELLER, OF_A_QUEUE, OF_A_MAPPING, *OF_A_MACHINE, *OF_THE_WORKER}


def alarm_rules(stack: Stack) -> Iterator[Finding]:
    """Yield what can go wrong, and tells nobody."""
    seen = [metric for alarm in stack.of_type(ALARM) for metric in metrics(alarm)]
    watched = {(metric.name, on) for metric in seen for on in metric.of.values()}
    wanted = [
        *_of_functions(stack),
        *_of_tellers(stack),
        *_of_queues(stack),
        *_of_mappings(stack),
        *_of_machines(stack),
    ]
    for resource, name, on in wanted:
        if (name, on) not in watched:
            yield resource.finding("alarm", f"no alarm looks at {name} of {on}")
    for function in stack.functions():
        if function.properties.get("Handler") == WORKER:
            for name in sorted(OF_THE_WORKER - {metric.name for metric in seen}):
                yield function.finding("alarm", f"no alarm looks at {name}")


def silent_alarm_rules(stack: Stack) -> Iterator[Finding]:
    """Yield the alarms that could tell nobody, whatever the parameters, or that say the opposite."""
    for alarm in stack.of_type(ALARM):
        if "AlarmActions" not in stack.template["Resources"][alarm.name].get("Properties", {}):
            yield alarm.finding("alarm-action", "only changes its state, whatever topic is given")
        names = BAD_WHEN_MANY & {metric.name for metric in metrics(alarm)}
        if names and not str(alarm.properties.get("ComparisonOperator")).startswith("Greater"):
            why = f"is raised while there is little of {', '.join(sorted(names))}"
            yield alarm.finding("alarm-comparison", why, "ComparisonOperator")
        yield from _unit(alarm)


def _unit(alarm: Resource) -> Iterator[Finding]:
    """Yield where an iterator's age, which is in milliseconds, is made into something else than seconds."""
    parts = alarm.properties.get("Metrics", [])
    ages = {part["Id"] for part in parts if _metric_name(part) == OF_A_MAPPING}
    for position, part in enumerate(parts):
        expression = part.get("Expression", "")
        for age in sorted(ages & set(re.findall(r"\w+", expression))):
            if not re.fullmatch(rf"{age}\s*/\s*1000", expression):
                why = f"is not in seconds; {age} / 1000 is"
                yield alarm.finding("alarm-unit", why, "Metrics", position, "Expression")


def _metric_name(part: dict[str, dict[str, dict[str, str]]]) -> str:
    return part.get("MetricStat", {}).get("Metric", {}).get("MetricName", "")


Wanted = Iterator[tuple[Resource, str, str]]


def _of_functions(stack: Stack) -> Wanted:
    return ((function, name, function.name) for function in stack.functions() for name in OF_A_FUNCTION)


def _of_tellers(stack: Stack) -> Wanted:
    """Yield the functions that tell conflicts; their own metrics know each by its handler's module."""
    for function in stack.functions():
        if TELLS & function.properties["Environment"]["Variables"].keys():
            yield function, OF_A_TELLER, str(function.properties.get("Handler")).split(".")[-2]


def _of_queues(stack: Stack) -> Wanted:
    return ((queue, OF_A_QUEUE, queue.name) for queue in stack.of_type(QUEUE))


def _of_mappings(stack: Stack) -> Wanted:
    names = ((mapping, named(mapping.properties.get("FunctionName"))) for mapping in stream_mappings(stack))
    return ((mapping, OF_A_MAPPING, name) for mapping, name in names)


def _of_machines(stack: Stack) -> Wanted:
    return ((machine, name, machine.name) for machine in stack.of_type(MACHINE) for name in OF_A_MACHINE)
