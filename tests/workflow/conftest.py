"""The world of the workflow's tests: moto that executes state machines, and no way out."""

from collections.abc import Iterator

import pytest
from botocore.loaders import Loader
from moto import mock_aws

from tests.workflow.world import LAMBDA_INVOKE, REGION, World

MODELS = Loader(include_default_search_paths=True)
"""Read once: moto makes a new client for every step of an execution."""


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    """A Region with tables, a queue and the workflow, whose Lambda task runs the project's write function."""
    for name in ("AWS_PROFILE", "AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_DYNAMODB", "AWS_ENDPOINT_URL_SQS"):
        monkeypatch.delenv(name, raising=False)
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "testing")
    monkeypatch.setenv("AWS_DEFAULT_REGION", REGION)
    monkeypatch.setattr("botocore.loaders.create_loader", lambda *_: MODELS)
    with mock_aws(config={"stepfunctions": {"execute_state_machine": True}}):
        world = World()
        monkeypatch.setattr(LAMBDA_INVOKE, world.invoke)
        yield world
