"""Global Tables in DynamoDB Local, one for each test."""

from collections.abc import Iterator
from itertools import count
from pathlib import Path

import pytest

from tests.dynamodb_local.deployment import A, B, C, Deployment, deployment
from tests.dynamodb_local.queues import Queues, running_queues

_NUMBERS = count(1)


@pytest.fixture
def queues() -> Iterator[Queues]:
    """Queues on loopback."""
    with running_queues() as running:
        yield running


@pytest.fixture
def two_regions(dynamodb_local_endpoint: str, queues: Queues, tmp_path: Path) -> Iterator[Deployment]:
    """A Global Table in A and B, with a process each."""
    with deployment((A, B), dynamodb_local_endpoint, queues, tmp_path, f"history{next(_NUMBERS)}") as deployed:
        yield deployed


@pytest.fixture
def three_regions(dynamodb_local_endpoint: str, queues: Queues, tmp_path: Path) -> Iterator[Deployment]:
    """A Global Table in A, B and C, with a process each."""
    with deployment((A, B, C), dynamodb_local_endpoint, queues, tmp_path, f"history{next(_NUMBERS)}") as deployed:
        yield deployed
