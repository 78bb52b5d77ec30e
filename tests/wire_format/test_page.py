"""The page on the wire format says what the vectors show."""

import json
import re
from pathlib import Path

from reconciler.causality import MEMBERS
from reconciler.policy import BOOKKEEPING, Kind
from tests.wire_format.test_vectors import ADOPTIONS, JOINS, VECTORS, WRITES

PAGE = (Path(__file__).parents[2] / "docs" / "wire-format.md").read_text(encoding="utf-8")


def test_the_example_is_a_vector() -> None:
    """The item on the page is the one that the first vector stores."""
    (shown,) = re.findall(r"```json\n(.*?)```", PAGE, re.DOTALL)
    assert json.loads(shown) == WRITES["a first write"]["item"]


def test_the_page_names_everything_that_an_item_may_hold() -> None:
    """Attributes, members of `Causality`, policies and statuses."""
    names = {*BOOKKEEPING, *MEMBERS, *(kind.value for kind in Kind), "Count", "Sum", "deleted"}
    names |= {vector["status"] for vector in WRITES.values()}
    assert sorted(name for name in names if f"`{name}`" not in PAGE) == []


def test_the_page_names_every_vector() -> None:
    """Each rule points to what tries it, and nothing that is named is missing."""
    named = set(re.findall(r"\*([a-z][^*\n]+)\*", PAGE))
    assert named == {*WRITES, *JOINS, *ADOPTIONS}


def test_the_page_shows_the_write_id_of_its_example() -> None:
    """The first step of any implementation, to try by hand."""
    vector = next(each for each in VECTORS["write_ids"] if each["idempotency_key"] == "k1")
    assert all(vector[name] in PAGE for name in ("write_id", "number", "tail"))
