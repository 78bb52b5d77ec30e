"""A conflict's ids: one for the lost writes, in every Region; one for the very record, however often it comes."""

from dataclasses import replace
from typing import Any

import pytest

from reconciler.conflict import Mode
from reconciler.wire import Image
from tests.conflicts.conflicts import CONFLICT, KEY, LOST, MERGED, WON

GUESS = replace(CONFLICT, mode=Mode.APPROXIMATE)
COUNTED: Image = {**KEY, "Data": {"N": "1.50"}, "Tags": {"SS": ["b", "a"]}}
SPELT: Image = {"Tags": {"SS": ["a", "b"]}, **KEY, "Data": {"N": "1.5"}}
BROKEN: Image = {**KEY, "Data": {"?": 1}}


def test_every_region_names_one_loss_alike() -> None:
    """Whoever overwrote it there, and whatever was made of it: the same lost writes are the same conflict."""
    elsewhere = replace(CONFLICT, region="eu-west-1", sequence_number="99", winner=MERGED, merged=LOST, at_ms=None)
    assert elsewhere.id == CONFLICT.id


@pytest.mark.parametrize("change", [{"table": "Other"}, {"key": {"Id": {"S": "y"}}}, {"writes": ("other-write-id-x",)}])
def test_another_loss_has_another_id(change: dict[str, Any]) -> None:
    """Another table's, another item's, or other writes' loss."""
    assert replace(CONFLICT, **change).id != CONFLICT.id


@pytest.mark.parametrize("change", [{"loser": MERGED}, {"winner": MERGED}, {"winner": None}])
@pytest.mark.parametrize("unnamed", [GUESS, replace(CONFLICT, writes=())])
def test_where_no_ledger_names_the_writes_both_images_do(unnamed: Any, change: dict[str, Any]) -> None:
    """A plain item's id is a guess: what tells two losses apart is the images."""
    assert replace(unnamed, region="eu-west-1", merged=None).id == unnamed.id
    assert replace(unnamed, **change).id != unnamed.id


def test_a_record_that_comes_again_has_the_same_event_id() -> None:
    """Merged with something else, by another Region's worker, spelt in another order: the same event."""
    first = replace(CONFLICT, loser=COUNTED)
    again = replace(CONFLICT, loser=SPELT, merged=LOST, region="eu-west-1", sequence_number="8", at_ms=None, lost=())
    assert again.event_id == first.event_id
    assert replace(GUESS, loser=SPELT).id == replace(GUESS, loser=COUNTED).id


@pytest.mark.parametrize(
    "change", [{"winner": MERGED}, {"loser": WON}, {"key": {"Id": {"S": "y"}}}, {"table": "Other"}]
)
def test_a_write_that_is_lost_again_is_another_event(change: dict[str, Any]) -> None:
    """A repair can lose too: the same writes, overwritten by another image, are told again."""
    assert replace(CONFLICT, **change).event_id != CONFLICT.event_id


def test_what_cannot_be_read_has_an_id_too() -> None:
    """A value of no type is taken as it came."""
    assert replace(CONFLICT, loser=BROKEN).event_id == replace(CONFLICT, loser=dict(BROKEN)).event_id
    assert replace(CONFLICT, loser=BROKEN).event_id != CONFLICT.event_id
