"""The demo on the real engine ends as it does on the embedded one."""

import json

import pytest
from click.testing import CliRunner

from replay_tools.demo.bootstrap import ENGINES
from replay_tools.demo.cli import ENGINES as NAMES
from replay_tools.demo.cli import demo


@pytest.mark.dynamodb_local
def test_the_demo_loses_nothing_on_the_real_engine() -> None:
    """The same requests, the same table of numbers, and the same verdict."""
    result = CliRunner().invoke(demo, ["--engine", "dynamodb-local", "--writes", "24", "--seed", "2", "--json"])
    assert result.exit_code == 0, result.output
    data = json.loads(result.output)
    with_worker, without = data["with_worker"], data["without_worker"]
    assert with_worker["writes_lost"] == with_worker["balance_missing"] == with_worker["balance_counted_twice"] == 0
    assert (with_worker["writes_acknowledged"], with_worker["poison_with_both_images"]) == (24, 1)
    assert with_worker["repairs"] > 0
    assert without["writes_lost"] > 0


@pytest.mark.dynamodb_local
def test_the_story_ends_well_on_the_real_engine() -> None:
    """One conflict, step by step, on real streams."""
    result = CliRunner().invoke(demo, ["--engine", "dynamodb-local", "--narrate"])
    assert result.exit_code == 0, result.output
    assert "✓ Converged" in result.output


def test_every_engine_that_can_be_named_is_there() -> None:
    """The command line names the engines without importing them."""
    assert set(NAMES) == set(ENGINES)
