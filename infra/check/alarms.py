"""What must raise an alarm: every function, queue and stream mapping calls for its own, wherever it stands."""

from collections.abc import Iterator

from infra.check.mappings import stream_mappings
from infra.check.metrics import ALARM, metrics
from infra.check.names import named
from infra.check.queues import QUEUE
from infra.check.stack import Finding, Resource, Stack

OF_A_FUNCTION = ("Errors", "Throttles")
OF_A_QUEUE = "ApproximateNumberOfMessagesVisible"
OF_A_MAPPING = "IteratorAge"
OF_THE_WORKER = {"ReplicationLatency", "SkewedItems", "UnrecordedConflicts", "Repairs"}
WORKER = "handlers.stream.lambda_handler"


def alarm_rules(stack: Stack) -> Iterator[Finding]:
    """Yield what can go wrong, and tells nobody."""
    seen = [metric for alarm in stack.of_type(ALARM) for metric in metrics(alarm)]
    watched = {(metric.name, on) for metric in seen for on in metric.of.values()}
    wanted = [*_of_functions(stack), *_of_queues(stack), *_of_mappings(stack)]
    for resource, name, on in wanted:
        if (name, on) not in watched:
            yield resource.finding("alarm", f"no alarm looks at {name} of {on}")
    for function in stack.functions():
        if function.properties.get("Handler") == WORKER:
            for name in sorted(OF_THE_WORKER - {metric.name for metric in seen}):
                yield function.finding("alarm", f"no alarm looks at {name}")


def silent_alarm_rules(stack: Stack) -> Iterator[Finding]:
    """Yield the alarms that could tell nobody, whatever the parameters."""
    for alarm in stack.of_type(ALARM):
        if "AlarmActions" not in stack.template["Resources"][alarm.name].get("Properties", {}):
            yield alarm.finding("alarm-action", "only changes its state, whatever topic is given")


Wanted = Iterator[tuple[Resource, str, str]]


def _of_functions(stack: Stack) -> Wanted:
    return ((function, name, function.name) for function in stack.functions() for name in OF_A_FUNCTION)


def _of_queues(stack: Stack) -> Wanted:
    return ((queue, OF_A_QUEUE, queue.name) for queue in stack.of_type(QUEUE))


def _of_mappings(stack: Stack) -> Wanted:
    names = ((mapping, named(mapping.properties.get("FunctionName"))) for mapping in stream_mappings(stack))
    return ((mapping, OF_A_MAPPING, name) for mapping, name in names)
