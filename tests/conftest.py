"""What every test may use."""

from collections.abc import Iterator

import pytest

from replay_tools.dynamodb_local.server import dynamodb_local

pytest_plugins = ["pytester", "replay_tools.pytest_plugin"]


@pytest.fixture(scope="session")
def dynamodb_local_endpoint() -> Iterator[str]:
    """One server for all tests of a process, on loopback: each access key has databases of its own, one a Region."""
    with dynamodb_local() as endpoint:
        yield endpoint
