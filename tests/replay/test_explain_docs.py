"""docs/tools.md: what it shows is what the commands print."""

import json
import re
import shlex
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest
from click.testing import CliRunner

from reconciler.conflict_event import event_of
from reconciler.decisions import Escalate, Repair
from reconciler.poison import PoisonMessage, bodies
from reconciler.policy import Policy
from replay_tools import bootstrap, cli
from replay_tools.recordings import read_recording

ROOT = Path(__file__).parent.parent.parent
PAGE = ROOT / "docs" / "tools.md"
RECORDINGS = ROOT / "tests" / "recordings"
TOLD_MS = 1_795_500_000_000
SHOWN = re.compile(r"```console\n\$ replay-tools (.*?)\n(.*?)```", re.DOTALL)
OURS = ("check-policy", "redrive", "conflicts", "explain")


def examples() -> list[tuple[str, str]]:
    """Return each command line on the page, with what it is said to print."""
    return [(found[1], found[2]) for found in SHOWN.finditer(PAGE.read_text(encoding="utf-8"))]


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A folder with the files that the page speaks of, made of the recordings."""
    monkeypatch.chdir(tmp_path)
    for name in ("us-east-1.ndjson", "eu-west-1.ndjson", "policy.toml"):
        (tmp_path / name).write_bytes((RECORDINGS / name).read_bytes())
    text = (RECORDINGS / "policy.toml").read_text()
    (tmp_path / "new.toml").write_text(text.replace('Owner = "manual"', 'Owner = "latest"'))
    messages, events = made_of_the_recording()
    (tmp_path / "poison.ndjson").write_text("".join(f"{line}\n" for line in messages))
    (tmp_path / "events.ndjson").write_text("".join(f"{line}\n" for line in events))


def made_of_the_recording() -> tuple[list[str], list[str]]:
    """Return the bodies and the events that the worker would have sent of us-east-1's stream."""
    policy = Policy.load(RECORDINGS / "policy.toml")
    replay, _ = bootstrap.replay(policy, "us-east-1")
    judged = [*replay.judge_all(read_recording(str(RECORDINGS / "us-east-1.ndjson")))]
    decisions = [decision for each in judged for decision in each.decisions]
    messages = [message_of(each) for each in decisions if isinstance(each, Escalate)]
    conflicts = [each.conflict for each in decisions if not isinstance(each, Escalate) and each.conflict]
    repaired = {each.conflict.id for each in decisions if isinstance(each, Repair)}
    events = [event_of(each, repaired=each.id in repaired, now_ms=TOLD_MS, with_values=True) for each in conflicts]
    return [body for each in messages for body in bodies(each)], [json.dumps(event) for event in events]


def message_of(escalation: Escalate) -> PoisonMessage:
    """Return what the worker would have sent."""
    record = escalation.record
    return PoisonMessage(
        escalation.reason.value,
        escalation.detail,
        "us-east-1",
        "GlobalEventTable",
        record.key,
        record.sequence_number,
        record.old,
        record.new,
        at_ms=record.at_ms,
    )


@pytest.mark.parametrize(("words", "output"), examples(), ids=lambda text: str(text)[:40])
def test_the_page_shows_what_is_printed(words: str, output: str) -> None:
    """Line by line; a line of three dots stands for any number of lines."""
    result = CliRunner().invoke(cli.main, shlex.split(words))
    assert result.exit_code in {0, 1}, result.output
    pattern = re.escape(output).replace(re.escape("...\n"), "(?:.*\n)*?")
    assert re.fullmatch(pattern, result.stdout), result.stdout


@pytest.mark.parametrize("command", OURS)
def test_every_command_has_an_example_here_and_in_its_help(command: str) -> None:
    """The help's own example is one that the command line takes."""
    assert any(words.startswith(command) for words, _ in examples())
    text = CliRunner().invoke(cli.main, [command, "--help"]).stdout
    assert f"Example: replay-tools {command}" in " ".join(text.split())


@pytest.mark.parametrize("command", OURS)
def test_every_option_is_on_the_page(command: str) -> None:
    """In the section of its command."""
    page = PAGE.read_text(encoding="utf-8")
    section = page.split(f"\n## {command}\n")[1].split("\n## ")[0]
    loaded = cli.main.get_command(None, command)  # type: ignore[arg-type]  # the group asks nothing of its context
    assert loaded is not None
    assert [missing for missing in options(loaded.params) if missing not in section] == []


def options(params: Sequence[object]) -> Iterator[str]:
    """Yield the options' names."""
    for param in params:
        yield from (name for name in getattr(param, "opts", ()) if name.startswith("--"))
