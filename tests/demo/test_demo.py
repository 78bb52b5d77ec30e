"""The demo tells the truth: its numbers add up, and a worker that does not repair is found out."""

import io
import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest
from click.testing import CliRunner, Result
from rich.console import Console

from reconciler.policy import Region
from replay_tools.demo.bootstrap import POLICY_FILE, draws, embedded_engine
from replay_tools.demo.cli import demo
from replay_tools.demo.plan import Write, draw_plan
from replay_tools.demo.report import Outcome, Report
from replay_tools.demo.scenario import Phase, Progress
from replay_tools.demo.screen import show_report, watching
from replay_tools.demo.verdict import Verdict, judge
from replay_tools.demo.world import MAX_DELIVERIES, GaveUpError, Trigger

A, B = Region("us-east-1"), Region("eu-west-1")
WRITES, SEED = 24, 2
WIDTH = 80


def play(*arguments: str) -> Result:
    """Run the command."""
    return CliRunner().invoke(demo, [*arguments, "--writes", str(WRITES), "--seed", str(SEED)])


@pytest.fixture(scope="module")
def data() -> dict[str, Any]:
    """Return the numbers of one good run."""
    result = play("--json")
    assert result.exit_code == 0, result.output
    found: dict[str, Any] = json.loads(result.output)
    return found


def test_with_the_workers_nothing_is_lost(data: Mapping[str, Any]) -> None:
    """Every acknowledged write is in both Regions, once, and the Regions are equal."""
    outcome = data["with_worker"]
    assert data["ok"]
    assert outcome["writes_lost"] == outcome["balance_missing"] == outcome["balance_counted_twice"] == 0
    assert outcome["items_differing"] == []
    assert outcome["repairs"] > 0


def test_without_the_workers_the_same_writes_are_lost(data: Mapping[str, Any]) -> None:
    """Both Regions wrote the same accounts while parted, so last writer wins must have taken some."""
    outcome = data["without_worker"]
    assert outcome["writes_lost"] == outcome["writes_overwritten"] > 0
    assert outcome["balance_missing"] >= outcome["writes_lost"]
    assert outcome["repairs"] == 0


def test_the_numbers_add_up(data: Mapping[str, Any]) -> None:
    """Every planned write is acknowledged in both worlds; every further sending of one is a suppressed duplicate."""
    plan = draw_plan(draws(SEED), WRITES, [A, B])
    retries = sum(len(write.regions) - 1 for write in plan)
    assert retries > 0
    for world in ("with_worker", "without_worker"):
        assert (data[world]["writes_acknowledged"], data[world]["duplicates_suppressed"]) == (WRITES, retries)


def test_the_broken_record_becomes_one_poison_message(data: Mapping[str, Any]) -> None:
    """Both Regions meet it, and send the same message, with what stood there before and after."""
    outcome = data["with_worker"]
    assert (outcome["poison_messages"], outcome["poison_with_both_images"]) == (1, 1)


def test_a_worker_that_repairs_nothing_is_found_out(monkeypatch: pytest.MonkeyPatch) -> None:
    """A worker that calls every record done makes the demo fail, and say what is lost."""
    monkeypatch.setattr("replay_tools.demo.world.stream_handler", lambda *_, **__: lambda *_: {"batchItemFailures": []})
    result = play()
    assert result.exit_code == 1
    assert "✗ acknowledged writes that are lost: " in result.output
    assert "✗ poison messages: 0" in result.output
    assert "Nothing was lost" not in result.output


def test_a_worker_that_always_fails_ends_the_demo(monkeypatch: pytest.MonkeyPatch) -> None:
    """Records that are reported as failed come again, but not for ever."""
    calls = []

    def fail(event: Mapping[str, Any], _context: object) -> dict[str, Any]:
        calls.append(event["Records"])
        return {"batchItemFailures": [{"itemIdentifier": event["Records"][0]["dynamodb"]["SequenceNumber"]}]}

    monkeypatch.setattr("replay_tools.demo.world.stream_handler", lambda *_, **__: fail)
    monkeypatch.setattr("replay_tools.demo.platform.LAG_SECONDS", 0.01)
    result = play()
    assert isinstance(result.exception, GaveUpError)
    assert len(calls) >= MAX_DELIVERIES


def test_a_story_has_no_json() -> None:
    """Two ways to show two things are a wrong usage."""
    assert play("--json", "--narrate").exit_code == 2


# The verdict


def item(balance: int, *tags: str) -> dict[str, Any]:
    """Return an account's item."""
    return {"Id": {"S": "x"}, "Balance": {"N": str(balance)}, "Tags": {"SS": list(tags)}}


FIVE, SEVEN = Write("x", "k5", 5, (A,)), Write("x", "k7", 7, (B,))
GOOD = item(12, "k5", "k7")


@pytest.mark.parametrize(
    ("here", "there", "verdict"),
    [
        (GOOD, GOOD, Verdict(frozenset(), 0, 0, ())),
        (GOOD, item(12, "k7", "k5"), Verdict(frozenset(), 0, 0, ())),
        (item(7, "k7"), item(7, "k7"), Verdict(frozenset({"k5"}), 5, 0, ())),
        (item(7, "k7"), GOOD, Verdict(frozenset({"k5"}), 5, 0, ("x",))),
        (item(7, "k7"), item(5, "k5"), Verdict(frozenset({"k5", "k7"}), 7, 0, ("x",))),
        (item(17, "k5", "k7"), GOOD, Verdict(frozenset(), 0, 5, ("x",))),
        (item(7, "k5", "k7"), item(7, "k5", "k7"), Verdict(frozenset(), 5, 0, ())),
    ],
    ids=["all there", "sets have no order", "lost", "lost in one", "lost crosswise", "counted twice", "amount only"],
)
def test_the_verdict_counts_what_is_not_there(here: Any, there: Any, verdict: Verdict) -> None:
    """Two acknowledged writes, and what the Regions hold."""
    assert judge([FIVE, SEVEN], {A: {"x": here}, B: {"x": there}}) == verdict


def test_an_account_that_is_gone_is_lost_whole() -> None:
    """A Region without the item shows none of its writes."""
    assert judge([FIVE, SEVEN], {A: {"x": GOOD}, B: {}}) == Verdict(frozenset({"k5", "k7"}), 12, 0, ("x",))


# The trigger


def record(number: str) -> dict[str, Any]:
    """Return a record with a sequence number."""
    return {"dynamodb": {"SequenceNumber": number}}


def test_the_trigger_resumes_at_the_lowest_failure() -> None:
    """Of records 1 2 3 4, 2 and 4 fail: 2 3 4 come again, as from Lambda."""
    batches = []
    failures = iter([["4", "2"], []])

    def function(event: dict[str, Any], _context: object) -> dict[str, Any]:
        batches.append([record["dynamodb"]["SequenceNumber"] for record in event["Records"]])
        return {"batchItemFailures": [{"itemIdentifier": number} for number in next(failures)]}

    trigger = Trigger(function)
    trigger.offer([record(number) for number in "1234"])
    assert (trigger.fire(), trigger.fire(), trigger.fire()) == (4, 3, 0)
    assert batches == [["1", "2", "3", "4"], ["2", "3", "4"]]


# The plan and the engine


def test_the_same_seed_plans_the_same_writes() -> None:
    """A seed is enough to send the same requests again; another one sends others."""
    plans = [draw_plan(draws(seed), WRITES, [A, B]) for seed in (SEED, SEED, SEED + 1)]
    assert plans[0] == plans[1] != plans[2]
    assert len({write.key for write in plans[0]}) == WRITES


def test_nothing_leaves_this_process(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever profile, endpoint or account the environment names, the engine is the one in this process."""
    monkeypatch.setenv("AWS_PROFILE", "of-someone")
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    with embedded_engine() as engine:
        engine.create_table(A, "T")
        assert engine.dynamodb(A).list_tables()["TableNames"] == ["T"]
        assert engine.dynamodb(B).list_tables()["TableNames"] == []


def test_the_table_fits_the_policy() -> None:
    """infra/table.json and infra/policy.toml name the same table, and the stream shows both images."""
    arguments = json.loads((POLICY_FILE.parent / "table.json").read_text())
    assert f'name = "{arguments["TableName"]}"' in POLICY_FILE.read_text()
    assert arguments["StreamSpecification"]["StreamViewType"] == "NEW_AND_OLD_IMAGES"


# The screen

FINE = Outcome(1234, 56, 789, 321, 0, 0, 0, (), 1, 1, 2345)
LOST = replace(FINE, writes_lost=789, balance_missing=12345, repairs=0, poison_messages=0, poison_with_both_images=0)
REPORT = Report(seed=1, seconds=9.5, guarded=FINE, unguarded=LOST, poison_expected=1)


def shown(report: Report) -> list[str]:
    """Return the lines that a pipe gets."""
    output = io.StringIO()
    show_report(Console(file=output, width=WIDTH), report)
    return output.getvalue().splitlines()


def test_the_report_is_plain_and_aligned() -> None:
    """Without a terminal there are no control codes, no line beyond 80 columns, and all numbers end in two columns."""
    lines = shown(REPORT)
    assert all(len(line) <= WIDTH and "\x1b" not in line for line in lines)
    head = next(line for line in lines if "without workers" in line)
    ends = [head.index(title) + len(title) for title in ("without workers", "with workers")]
    for name in ("Writes acknowledged", "Time to converge", "Balance missing", "Writes lost"):
        row = next(line for line in lines if name in line)
        assert all(row[end - 1] != " " and row[end : end + 1].strip() == "" for end in ends), row


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        ({"writes_lost": 3}, "acknowledged writes that are lost: 3"),
        ({"balance_missing": 3}, "missing from the balances: 3"),
        ({"balance_counted_twice": 3}, "counted twice in the balances: 3"),
        ({"items_differing": ("x",)}, "items that differ between the Regions: 1"),
        ({"converged_after_ms": None}, "replication or a worker never became quiet"),
        ({"poison_messages": 2}, "poison messages: 2, with both images: 1, expected: 1"),
        ({"poison_with_both_images": 0}, "poison messages: 1, with both images: 0, expected: 1"),
    ],
)
def test_whatever_is_wrong_is_said(change: dict[str, Any], problem: str) -> None:
    """Each thing that must not be is one problem, and is shown."""
    report = replace(REPORT, guarded=replace(FINE, **change))
    assert report.problems == (problem,)
    assert any(problem in line for line in shown(report))


@pytest.mark.parametrize("is_terminal", [True, False])
def test_progress_is_shown_while_it_lasts(is_terminal: bool) -> None:  # noqa: FBT001 - a table's column
    """A terminal sees every step; a pipe sees each phase once it is over."""
    output = io.StringIO()
    console = Console(file=output, width=WIDTH, force_terminal=is_terminal, color_system=None)
    with watching(console, 10) as watch:
        watch(Progress(Phase.PARTED, 5, 10, 4, 3, 2, is_over=False))
        assert ("5/10" in output.getvalue()) is is_terminal
        watch(Progress(Phase.PARTED, 10, 10, 4, 3, 2, is_over=True))
    assert ("10/10" if is_terminal else "10 writes,   3 overwritten,   2 repairs") in output.getvalue()
