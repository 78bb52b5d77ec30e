"""All rules, in one list: each takes a stack and yields what is wrong with it."""

from collections.abc import Callable, Iterable, Iterator

from infra.check.alarms import alarm_rules, silent_alarm_rules
from infra.check.delegates import delegate_rules
from infra.check.functions import function_rules
from infra.check.kept import kept_rules
from infra.check.logs import log_rules
from infra.check.machines import machine_rules
from infra.check.mappings import mapping_rules
from infra.check.metrics import metric_rules
from infra.check.permissions import permission_rules
from infra.check.queues import queue_rules
from infra.check.required import required_rules
from infra.check.roles import role_rules
from infra.check.schemas import schema_rules
from infra.check.stack import Finding, Stack
from infra.check.tables import table_rules
from infra.check.trust import trust_rules

Rules = Callable[[Stack], Iterable[Finding]]
OWN: tuple[Rules, ...] = (
    required_rules,
    table_rules,
    kept_rules,
    mapping_rules,
    queue_rules,
    log_rules,
    function_rules,
    role_rules,
    trust_rules,
    permission_rules,
    delegate_rules,
    machine_rules,
    metric_rules,
    alarm_rules,
    silent_alarm_rules,
)
ALL: tuple[Rules, ...] = (*OWN, schema_rules)


def findings(stack: Stack, rules: Iterable[Rules] = ALL) -> Iterator[Finding]:
    """Yield what is wrong with a stack, each thing once, in the order of its lines."""
    yield from sorted({finding for rule in rules for finding in _found(rule, stack)})


def _found(rule: Rules, stack: Stack) -> Iterator[Finding]:
    """Yield what a rule finds; what is so malformed that the rule cannot read it is a finding, and ends that rule."""
    try:
        yield from rule(stack)
    except (AttributeError, LookupError, TypeError, ValueError) as error:
        why = f"{rule.__name__} cannot read this template: {type(error).__name__}: {error}"
        yield Finding(stack.template.lines["Resources"], "malformed", why)
