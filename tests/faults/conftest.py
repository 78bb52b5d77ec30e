"""The engine under all faults: DynamoDB Local once for all tests, and a world of its own for each."""

from collections.abc import Iterator

import pytest

from tests.faults.engine import Engine, EngineWorld, close, engine_world
from tests.faults.faulty_server import FaultyServer, forwarded_to
from tests.faults.sqs_queue import SqsQueue


@pytest.fixture
def engine(dynamodb_local_endpoint: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Engine]:
    """DynamoDB Local and a queue behind faulty servers; the environment leads the deployed functions there."""
    queue = SqsQueue()
    with (
        FaultyServer(forwarded_to(dynamodb_local_endpoint)).running() as dynamodb,
        FaultyServer(queue).running() as sqs,
    ):
        engine = Engine(dynamodb_local_endpoint, dynamodb, sqs, queue)
        for name in ("AWS_PROFILE", "AWS_ENDPOINT_URL", "AWS_SESSION_TOKEN"):
            monkeypatch.delenv(name, raising=False)
        for name, value in engine.environment().items():
            monkeypatch.setenv(name, value)
        yield engine


@pytest.fixture
def world(engine: Engine) -> Iterator[EngineWorld]:
    """Two Regions on DynamoDB Local, whose tables no other test has seen."""
    world = engine_world(engine)
    yield world
    close(world)
