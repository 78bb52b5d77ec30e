"""Replication of a global table, paused by AWS Fault Injection Service for a while.

    create a template -> start an experiment -> running ... stop it -> stopped -> delete the template

The experiment ends by itself after `DURATION`, whatever becomes of this process. A replica that is cut off for more
than 20 hours would be made a table of its own: the duration stays far below that.
https://docs.aws.amazon.com/fis/latest/userguide/fis-actions-reference.html#dynamodb-actions-reference
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

ACTION = "aws:dynamodb:global-table-pause-replication"
RESOURCE_TYPE = "aws:dynamodb:global-table"
DURATION = "PT10M"
ENDED = {"completed", "stopped", "failed", "cancelled"}

Eventually = Callable[[Callable[[], Any]], Any]
"""Returns what a question finds, as soon as it finds something; fails when that takes too long."""


def template(table_arn: str, role_arn: str, token: str) -> dict[str, Any]:
    """Return the request for an experiment template; `token` makes a repeated request the same one."""
    return {
        "clientToken": token,
        "description": "global-table-reconciler smoke test: pause replication of one global table",
        "roleArn": role_arn,
        "stopConditions": [{"source": "none"}],
        "targets": {
            "table": {"resourceType": RESOURCE_TYPE, "resourceArns": [table_arn], "selectionMode": "ALL"},
        },
        "actions": {
            "pause": {"actionId": ACTION, "parameters": {"duration": DURATION}, "targets": {"Tables": "table"}},
        },
        "tags": {"Name": "global-table-reconciler-smoke"},
    }


@contextmanager
def paused(fis: Any, request: dict[str, Any], eventually: Eventually) -> Iterator[None]:
    """Let replication be paused inside the block; afterwards it is on again, and nothing of this is left."""
    made = fis.create_experiment_template(**request)["experimentTemplate"]["id"]
    try:
        begun = fis.start_experiment(experimentTemplateId=made, clientToken=request["clientToken"])["experiment"]["id"]
        try:
            _await_running(fis, begun, eventually)
            yield
        finally:
            _end(fis, begun, eventually)
    finally:
        fis.delete_experiment_template(id=made)


def _await_running(fis: Any, experiment: str, eventually: Eventually) -> None:
    def begun() -> dict[str, Any] | None:
        state = _state(fis, experiment)
        return state if state["status"] in {"running", *ENDED} else None

    state = eventually(begun)
    assert state["status"] == "running", f"the experiment is {state['status']}: {state.get('reason')}"


def _end(fis: Any, experiment: str, eventually: Eventually) -> None:
    if _state(fis, experiment)["status"] not in ENDED:
        fis.stop_experiment(id=experiment)
    eventually(lambda: _state(fis, experiment)["status"] in ENDED)


def _state(fis: Any, experiment: str) -> dict[str, Any]:
    state: dict[str, Any] = fis.get_experiment(id=experiment)["experiment"]["state"]
    return state
