"""One server and one deployment for all of these tests; what the server does not do is said with the result."""

from collections.abc import Iterator

import pytest

from infra.e2e.limits import LIMITS
from infra.e2e.server import ministack
from infra.package.build import Package, build
from tests.e2e.world import A, World


@pytest.fixture(scope="session")
def package(tmp_path_factory) -> Package:
    """The package, as ``make package`` makes it."""
    return build(tmp_path_factory.mktemp("package") / "function.zip")


@pytest.fixture(scope="session")
def world(package) -> Iterator[World]:
    """Both Regions, deployed."""
    with pytest.MonkeyPatch.context() as patch, ministack() as endpoint:
        patch.setenv("AWS_DEFAULT_REGION", A)
        yield World(endpoint, package.path)


def pytest_terminal_summary(terminalreporter) -> None:
    """Say what these tests do not show."""
    if any("tests/e2e/" in report.nodeid for report in terminalreporter.stats.get("passed", [])):
        terminalreporter.section("not shown by these tests: what ministack does not do")
        terminalreporter.write(LIMITS)
