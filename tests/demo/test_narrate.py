"""The story is told whole, and what it claims is what happened."""

from dataclasses import replace

import pytest
from click.testing import CliRunner

from reconciler.policy import Policy, Region
from replay_tools.demo.bootstrap import POLICY_FILE, embedded_engine
from replay_tools.demo.cli import demo
from replay_tools.demo.steps import Asked, Block, Decided, Items, Step, Streamed
from replay_tools.demo.story import INCLUDES, RIGHT_BALANCE, Story
from replay_tools.demo.world import World

A, B = Region("us-east-1"), Region("eu-west-1")
WIDTH = 80
START, AT_ONCE, REPLICATED, REPAIRED, CONVERGED, TWICE, ONCE, END = range(8)


@pytest.fixture(scope="module")
def steps() -> list[Step]:
    """Return the steps of the story, played once."""
    with embedded_engine() as engine:
        story = Story(World(engine, replace(Policy.load(POLICY_FILE), name="Accounts"), is_guarded=True))
        steps = list(story.steps())
        assert story.is_well
    return steps


def both(step: Step, row: str) -> tuple[str, str]:
    """Return one row of both Regions' items, as the step shows them last."""
    items = [block for block in step.blocks if isinstance(block, Items)][-1]
    return items.by_region[A][row], items.by_region[B][row]


def only(step: Step, kind: type[Block]) -> list[Block]:
    """Return the step's blocks of one kind."""
    return [block for block in step.blocks if isinstance(block, kind)]


def test_both_regions_write_and_both_are_told_that_it_is_done(steps: list[Step]) -> None:
    """The writes start from the same item, and neither has seen the other."""
    assert [block.status for block in only(steps[AT_ONCE], Asked) if isinstance(block, Asked)] == ["applied"] * 2
    assert both(steps[AT_ONCE], "Balance") == ("70", "150")
    assert both(steps[AT_ONCE], INCLUDES) == ("open, rent", "open, wage")


def test_replication_loses_the_rent_everywhere(steps: list[Step]) -> None:
    """The Regions agree, on an item that lacks an acknowledged write."""
    assert both(steps[REPLICATED], "Balance") == ("150", "150")
    assert both(steps[REPLICATED], INCLUDES) == ("open, wage", "open, wage")


def test_the_losing_regions_stream_is_the_evidence(steps: list[Step]) -> None:
    """The record that is shown has the rent in its old image only, and belongs to the Region that lost."""
    [record] = only(steps[REPAIRED], Streamed)
    assert isinstance(record, Streamed)
    assert (record.region, record.operation) == (A, "MODIFY")
    assert (record.old[INCLUDES], record.new[INCLUDES]) == ("open, rent", "open, wage")


def test_the_worker_of_the_losing_region_repairs_and_the_other_does_nothing(steps: list[Step]) -> None:
    """One repair, in us-east-1, with the reason; eu-west-1 lost nothing."""
    decided = [block for block in only(steps[REPAIRED], Decided) if isinstance(block, Decided)]
    assert [(block.region, block.decision) for block in decided] == [(A, "repair"), (B, "noop")]
    assert "Balance is 120" in decided[0].why
    assert both(steps[REPAIRED], "Balance") == ("120", "150")


def test_the_repair_is_replicated_and_repaired_no_more(steps: list[Step]) -> None:
    """Both Regions hold the joined item; both workers find nothing to do."""
    assert both(steps[CONVERGED], "Balance") == ("120", "120")
    assert both(steps[CONVERGED], "Address") == ("7 Rue Neuve", "7 Rue Neuve")
    assert [block.decision for block in only(steps[CONVERGED], Decided) if isinstance(block, Decided)] == ["noop"] * 2


def test_a_key_that_is_used_twice_counts_once(steps: list[Step]) -> None:
    """Both Regions execute the request; after the repair it is there twice, counts once, and is a duplicate."""
    assert [block.status for block in only(steps[TWICE], Asked) if isinstance(block, Asked)] == ["applied"] * 2
    assert both(steps[ONCE], INCLUDES) == ("open, rent, wage, coffee ×2",) * 2  # noqa: RUF001 - as it is shown
    assert [block.status for block in only(steps[ONCE], Asked) if isinstance(block, Asked)] == ["duplicate"]
    assert both(steps[END], "Balance") == (str(RIGHT_BALANCE),) * 2


def test_the_story_is_told_in_80_columns(steps: list[Step]) -> None:
    """Every step has its heading, nothing is cut off, and it ends well."""
    result = CliRunner().invoke(demo, ["--narrate"])
    assert result.exit_code == 0, result.output
    assert all(len(line) <= WIDTH for line in result.output.splitlines())
    for number, step in enumerate(steps, 1):
        assert f"{number}  {step.title} " in result.output
    for words in ("70 is too late", "coffee ×2", "OldImage, replaced", "→ duplicate", "✓ Converged"):  # noqa: RUF001
        assert words in result.output


def test_a_story_that_ends_badly_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    """With a worker that repairs nothing the rent stays lost, and the exit status is 1."""
    monkeypatch.setattr("replay_tools.demo.world.stream_handler", lambda *_, **__: lambda *_: {"batchItemFailures": []})
    result = CliRunner().invoke(demo, ["--narrate"])
    assert result.exit_code == 1
    assert "✗ The Regions differ, or a write is lost." in result.output
