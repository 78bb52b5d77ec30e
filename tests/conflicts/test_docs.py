"""The page on conflicts says what the code does."""

import json
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

from reconciler.adapters.history import HistoryTable
from reconciler.conflict_event import event_of
from tests.conflicts.conflicts import CONFLICT, NOW

PAGE = (Path(__file__).parents[2] / "docs" / "conflicts.md").read_text(encoding="utf-8")
TOLD = replace(
    CONFLICT,
    key={"Id": {"S": "sub-1"}},
    loser={"Id": {"S": "sub-1"}, "Data": {"S": "a"}, "Note": {"S": "n"}},
    winner={"Id": {"S": "sub-1"}, "Data": {"S": "b"}},
    merged={"Id": {"S": "sub-1"}, "Data": {"S": "b"}, "Note": {"S": "n"}},
)


def test_the_event_on_the_page_is_the_event_that_is_sent() -> None:
    """To the letter, ids included."""
    (shown,) = re.findall(r"```json\n(.*?)```", PAGE, re.DOTALL)
    assert json.loads(shown) == event_of(TOLD, repaired=True, now_ms=NOW)


def test_the_page_names_every_attribute_of_the_history() -> None:
    """Whoever reads the table finds each attribute explained."""
    nobody: Any = None
    stored = HistoryTable(nobody, "ConflictHistory").entry_of(TOLD, repaired=True, now_ms=NOW)
    assert [name for name in stored if f"`{name}`" not in PAGE] == []
