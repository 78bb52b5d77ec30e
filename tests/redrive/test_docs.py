"""The page on redrives says what the code does."""

import json
import re
from pathlib import Path
from typing import Any

from handlers.settings import Settings
from reconciler.decisions import Trouble
from reconciler.redrive_run import RENEW_AT_AGE_MS, RENEW_AT_RECEIVES
from tests.handlers.test_redrive import Telemetry, in_memory
from tests.redrive.queue import Queue
from tests.worker.replicas import NOW, Clock

PAGE = (Path(__file__).parents[2] / "docs" / "redrive.md").read_text(encoding="utf-8")


def test_the_answer_on_the_page_has_the_members_of_an_answer() -> None:
    """In their order."""
    (shown,) = re.findall(r"```json\n(.*?)```", PAGE, re.DOTALL)
    _, handle = in_memory(Telemetry(), Queue(Clock(NOW)))
    answer: dict[str, Any] = handle({}, None)
    assert list(json.loads(shown)) == list(answer)


def test_the_page_names_every_reason() -> None:
    """Whoever meets one finds what becomes of it."""
    reasons = [trouble.value for trouble in Trouble]
    others = ["incomplete", "unknown_schema", "unreadable", "no_time", "too_late", "poison_settled", "poison_put_back"]
    assert [name for name in (*reasons, *others) if f"`{name}`" not in PAGE] == []


def test_the_bounds_on_the_page_are_the_codes() -> None:
    """Messages of a run, receives, and days."""
    assert f"`REDRIVE_MESSAGES` messages ({Settings('', '', '').redrive_messages})" in PAGE
    assert (RENEW_AT_RECEIVES, RENEW_AT_AGE_MS) == (3, 7 * 86_400_000)
    assert "received three times, or is seven days old" in PAGE
