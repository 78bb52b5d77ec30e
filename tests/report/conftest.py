"""Pages, and the browser that opens them."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner

from replay_tools.cli import main
from tests.report.chromium import CHROMIUM, Browser

RECORDINGS = Path(__file__).parents[1] / "recordings"
SOURCES = [f"{region}={RECORDINGS / f'{region}.ndjson'}" for region in ("us-east-1", "eu-west-1")]
POLICY = RECORDINGS / "policy.toml"


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """One Chromium for all tests of a process."""
    if not CHROMIUM.exists():
        pytest.skip(f"{CHROMIUM} is missing: install Debian's package chromium")
    with Browser() as running:
        yield running


@pytest.fixture(scope="session")
def recorded_page(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The page of the recordings that lie in this repository."""
    return written(tmp_path_factory.mktemp("report") / "report.html", *SOURCES, "--policy", str(POLICY))


def written(path: Path, *words: str) -> Path:
    """Write a page as a person would."""
    result = CliRunner().invoke(main, ["report", *words, "-o", str(path)])
    assert result.exit_code == 0, result.output
    return path
