"""The conflict function of AppSync's versioned data sources: a stale mutation is merged, not refused.

AppSync asks where a mutation's `_version` is not the item's: `newItem` is the item as the mutation would have left it,
`existingItem` the one that stands in this Region's table.

    RESOLVE   both are merged under the policy; nothing that only one of them has is lost
    REMOVE    one of them is deleted: a delete beats what it has not seen (`lost_to_delete = "record"`)
    REJECT    two values do not tell what to do, or are no items: the client gets the item as it stands, and decides

Whichever of the two is named first, the answer is the same to the byte.
(https://docs.aws.amazon.com/appsync/latest/devguide/conflict-detection-and-sync.html)
"""

from collections.abc import Collection, Mapping
from functools import cache
from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from handlers.appsync_merge import DELETES, Merge, RejectedError
from handlers.bootstrap import Handler, load_policy, logger_of, told
from handlers.settings import Settings
from reconciler.adapters.log import Logger
from reconciler.conflict import bounded
from reconciler.errors import ConfigurationError
from reconciler.policy import Policy


def conflict_handler(
    settings: Settings | None = None,
    *,
    policy: Policy | None = None,
    logger: Logger | None = None,
    deletes: Collection[str] = DELETES,
) -> Handler:
    """Return the conflict function of one Region, with settings from the environment where none are given."""
    settings = settings or Settings.from_environment(needs_queue=False)
    merge = Merge(policy or load_policy(settings), deletes)
    log = logger or logger_of(settings, "conflict")

    def handle(event: dict[str, Any], _context: Any) -> dict[str, Any]:  # noqa: ANN401 - Lambda's own context, or none
        field = _field_of(event, settings)
        try:
            answer, line = merge.answer(event, field)
        except RejectedError as rejected:
            answer, line = {"action": "REJECT"}, {"reason": rejected.reason, **bounded("names", rejected.names)}
        told(lambda: log.info("stale_mutation", action=answer["action"], field=field, **line))
        return answer

    return handle


def _field_of(event: object, settings: Settings) -> str:
    """Return the mutation's name; ConfigurationError where AppSync asks for another table, or in another Region."""
    resolver = event.get("resolver") if isinstance(event, Mapping) else None
    if not isinstance(resolver, Mapping):
        raise ConfigurationError("the event has no resolver: it is not from an AppSync conflict")
    for name, expected in (("tableName", settings.table_name), ("awsRegion", settings.region)):
        if resolver.get(name) != expected:
            raise ConfigurationError(f"resolver.{name}: is {resolver.get(name)!r}; {expected!r} was expected")
    return str(resolver.get("field", ""))


@cache
def handler() -> Handler:
    """Put the function together at its first event: a wrong setting fails the invocation, not the import."""
    return conflict_handler()


def lambda_handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Return ``{"action": "RESOLVE", "item": {...}}``, ``{"action": "REMOVE"}`` or ``{"action": "REJECT"}``.

    Takes ``{"newItem", "existingItem", "arguments", "resolver": {"tableName", "awsRegion", "parentType", "field"},
    "identity"}``; neither arguments nor identity have a say.
    Raises ConfigurationError where AppSync asks for a table or Region that this function does not serve.
    """
    return handler()(event, context)
