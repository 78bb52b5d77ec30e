"""Hypothesis strategies: reachable states with the history that leads there, and any value that DynamoDB holds."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from hypothesis import settings
from hypothesis import strategies as st

from reconciler.item import Item
from reconciler.policy import Kind
from tests.core.histories import Table, history

SEARCH = settings(max_examples=50, deadline=None)
"""Enough to find what a change breaks; a state costs milliseconds."""

WORDS: dict[Kind, Sequence[str]] = {
    Kind.LATEST: ("Data=x", "Data=1", "~Data", "Other=y"),
    Kind.MANUAL: ("Owner=ana", "Owner=bo", "~Owner"),
    Kind.COUNTER: ("Balance+1", "Balance-2.5", "Balance+0", "Balance+1000000000000000000000000000000"),
    Kind.SET: ("Tags+{a}", "Tags-{a}", "Tags+{b}", "Tags+{a,b}", "Tags-{b}", "Tags+{b} Tags-{a}"),
    Kind.UNION: ("Seen+{1}", "Seen+{2,3}"),
    Kind.MAX: ("Limit=1", "Limit=2.50", "Limit=high"),
    Kind.MIN: ("Floor=1", "Floor=-7", "Floor=low"),
    Kind.RANK: ("Status=pending", "Status=active", "Status=closed"),
    Kind.CUSTOM: ("Note=a", "Note=bb", "Note=cc"),
    Kind.MAP: (
        "Profile/Name=u",
        "~Profile/Name",
        "Profile/Count+2",
        "Profile/Tags+{1}",
        "Profile/Tags-{1}",
        "~Profile/Sub",
    ),
}
"""What a request can ask of each policy's attribute; one is drawn for each, so that none is named twice."""

JOINS = [
    f"{source}{arrow}{target}" for source in "ABC" for target in "ABC" if source != target for arrow in (">", ">>")
]


@dataclass(frozen=True)
class Scene:
    """A history, written down, and what it leads to."""

    text: str
    table: Table


@st.composite
def histories(draw: st.DrawFn, kinds: Sequence[Kind] = tuple(Kind), *, folds: bool = True) -> Scene:
    """A few requests, executed and executed again in two or three Regions, with joins, overwrites and folds between."""
    requests = [
        f"{words} #k{number}" for number, words in enumerate(draw(st.lists(_asked(kinds), min_size=1, max_size=6)))
    ]
    executions = st.builds("{}: {}".format, st.sampled_from("ABC"), st.sampled_from(requests))
    others = st.sampled_from([*JOINS, "wait 5", "wait 400", *(["A folds", "B folds 1", "A folds 2"] if folds else [])])
    steps = [draw(executions), *draw(st.lists(executions | others, max_size=14))]
    text = " | ".join(steps)
    return Scene(text, history(text))


@st.composite
def _asked(draw: st.DrawFn, kinds: Sequence[Kind]) -> str:
    if draw(st.integers(0, 11)) == 0:
        return "delete"
    asked = draw(st.lists(st.sampled_from(kinds), min_size=1, max_size=4, unique=True))
    time = draw(st.sampled_from(["", "", "", " @-300", " @0", " @4"]))
    return " ".join(draw(st.sampled_from(WORDS[kind])) for kind in asked) + time


@st.composite
def reachable(
    draw: st.DrawFn, count: int, kinds: Sequence[Kind] = tuple(Kind), *, folds: bool = True
) -> tuple[Scene, list[Item]]:
    """A history, and some of the states that it went through."""
    scene = draw(histories(kinds, folds=folds))
    return scene, [draw(st.sampled_from(scene.table.states)) for _ in range(count)]


NUMBERS = st.decimals(allow_nan=False, allow_infinity=False, places=None).filter(
    lambda number: len(number.as_tuple().digits) <= 38 and (not number or -130 <= number.adjusted() <= 125)
) | st.integers(-(10**38) + 1, 10**38 - 1).map(Decimal)
TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=8)
SCALARS = TEXT | NUMBERS | st.binary(max_size=8)
SETS = (
    st.sets(TEXT, min_size=1, max_size=4)
    | st.sets(NUMBERS, min_size=1, max_size=4)
    | st.sets(st.binary(max_size=4), min_size=1, max_size=4)
)
VALUES: st.SearchStrategy[Any] = st.recursive(
    SCALARS | SETS | st.none() | st.booleans(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3),
    max_leaves=8,
)
"""Whatever boto3 can write."""
