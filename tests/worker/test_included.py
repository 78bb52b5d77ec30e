"""Included, on the wire: the quick way says what two ledgers say, and lets through what it is not sure of."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.codec import decode
from reconciler.included import included, sift
from reconciler.ledger import includes
from reconciler.stamps import write_id
from reconciler.wire import Image
from tests.worker.replicas import A, B, image_of, plain_item, policy, raw_record, without

FUTURE = "1700000000001000001000000"
TIGHT = policy(max_writes=2, min_window_ms=0)

BASE = image_of({"IdempotencyKey": "k0", "Data": "v"})
NEXT = image_of({"IdempotencyKey": "k1", "Data": "w"}, on=BASE)
OTHER = image_of({"IdempotencyKey": "k2", "Data": "o"}, on=BASE, region=B)

STEPS = st.tuples(st.sampled_from((A, B)), st.integers(0, 5), st.booleans())


def history(steps: list[tuple[Any, int, bool]]) -> list[Image]:
    """Return the images of a history in which each Region writes on either Region's newest image."""
    newest = {A: BASE, B: BASE}
    images = [BASE]
    for number, (region, key, adopts) in enumerate(steps, 1):
        on = newest[B if region == A else A] if adopts else newest[region]
        request = {"IdempotencyKey": f"h{key}", "Data": number} if key else {"IdempotencyKey": "d", "Delete": True}
        newest[region] = image_of(request, on=on, region=region, at=1_700_000_000_000 + number, policy=TIGHT)
        images.append(newest[region])
    return images


@given(st.lists(STEPS, min_size=2, max_size=8), st.data())
def test_the_wire_says_what_the_ledgers_say(steps: list[tuple[Any, int, bool]], data: st.DataObject) -> None:
    """Over two Regions' histories with retries, deletes and folds, both ways of asking have one answer."""
    images = history(steps)
    old, new = data.draw(st.sampled_from(images)), data.draw(st.sampled_from(images))
    expected = includes(decode(new, TIGHT).ledger, decode(old, TIGHT).ledger)
    assert included(old, new, TIGHT) is expected
    suspicious, _ = sift([raw_record("MODIFY", old, new)], FUTURE)
    assert suspicious or expected is True


def test_a_plain_successor_is_sifted_out() -> None:
    """An INSERT, and a write that has seen everything, need no second look."""
    sure = [raw_record("INSERT", None, BASE), raw_record("MODIFY", BASE, NEXT)]
    assert sift(sure, FUTURE) == ([], 0)


def test_what_is_not_sure_is_let_through() -> None:
    """Losses, removals, plain items, foreign writes, other lives, broken records: each is looked at again."""
    gone = image_of({"IdempotencyKey": "k3", "Delete": True}, on=NEXT)
    unsure: list[Any] = [
        raw_record("MODIFY", NEXT, OTHER),
        raw_record("MODIFY", NEXT, NEXT),
        raw_record("MODIFY", NEXT, gone),
        raw_record("MODIFY", plain_item(1, 1), NEXT),
        raw_record("MODIFY", NEXT, without(NEXT, "Causality")),
        raw_record("REMOVE", NEXT, None),
        raw_record("INSERT", None, plain_item(1, 1)),
        raw_record("INSERT", None, BASE, key={}),
        raw_record("MODIFY", BASE, NEXT, key={}),
        {**raw_record("MODIFY", BASE, NEXT), "eventName": "REMOVE"},
        {**raw_record("MODIFY", BASE, NEXT), "eventName": "UPSERT"},
        raw_record("MODIFY", {**BASE, "Causality": {"S": "x"}}, NEXT),
        raw_record("MODIFY", BASE, {**NEXT, "Causality": {"M": 5}}),
        raw_record("MODIFY", BASE, {**NEXT, "Causality": {"M": {"Stamp": {"N": 5}}}}),
        {"eventName": "MODIFY"},
        None,
        "record",
    ]
    assert sift(unsure, FUTURE) == (unsure, 0)


def test_the_order_inside_a_set_means_nothing() -> None:
    """Stamps in another order are the same stamps; where the quick way is unsure, the careful one answers."""
    writes = {"A" * 16: {"NS": ["1700000000000000001000000", "1700000000000000002000000"]}}
    turned = {"A" * 16: {"NS": ["1700000000000000002000000", "1700000000000000001000000"]}}
    causality = {name: value for name, value in BASE["Causality"]["M"].items() if name != "Writes"}
    one = {**BASE, "Causality": {"M": {**causality, "Writes": {"M": writes}}}}
    other = {**BASE, "Causality": {"M": {**causality, "Writes": {"M": turned}}}}
    assert included(one, other, TIGHT) is True


def test_items_ahead_of_the_clock_are_counted() -> None:
    """A stamp after the newest that this clock allows is a sign of skew, on writes that are sifted out too."""
    records = [raw_record("INSERT", None, BASE), raw_record("MODIFY", BASE, NEXT), raw_record("REMOVE", NEXT, None)]
    stamp = NEXT["Causality"]["M"]["Stamp"]["N"]
    assert sift(records, stamp)[1] == 0
    assert sift(records, str(int(stamp) - 1))[1] == 1
    assert sift(records, "0")[1] == 2


@pytest.mark.parametrize("stamp", ["9", "9" * 26, "x" * 25, "", "99999999999999999999999.9"])
def test_what_is_no_stamp_is_no_sign_of_skew(stamp: str) -> None:
    """A short or broken text may stand after every stamp; it says nothing of a clock."""
    broken = stamped(NEXT, stamp)
    assert sift([raw_record("INSERT", None, broken)], FUTURE)[1] == 0


def test_a_clients_time_hides_no_skewed_clock() -> None:
    """Its own time says nothing of the Region's clock: there the ledger's stamps are asked."""
    past = {"IdempotencyKey": "k1", "Data": "w", "Timestamp": 1_600_000_000_000}
    image = image_of(past, on=image_of({"IdempotencyKey": "k0", "Data": "v", "Timestamp": 1_500_000_000_000}))
    (execution,) = image["Causality"]["M"]["Writes"]["M"][write_id("k1")]["NS"]
    assert image["Causality"]["M"]["Stamp"]["N"][17:19] == "00"
    assert sift([raw_record("INSERT", None, image)], execution)[1] == 0
    assert sift([raw_record("INSERT", None, image)], str(int(execution) - 1))[1] == 1


def test_a_broken_ledger_beside_a_clients_time_is_no_sign_of_skew() -> None:
    """There too, what is no stamp stands after nothing."""
    members = stamped(NEXT, "1600000000000000000123456")["Causality"]["M"]
    broken = {**NEXT, "Causality": {"M": {**members, "Writes": {"M": {"A" * 16: {"NS": ["9"]}}}}}}
    assert sift([raw_record("INSERT", None, broken)], FUTURE)[1] == 0


def test_a_clients_time_ahead_of_the_clock_is_counted() -> None:
    """The item is stamped later than this Region can be."""
    ahead = image_of({"IdempotencyKey": "k1", "Data": "w", "Timestamp": 1_700_000_004_000}, on=BASE)
    assert ahead["Causality"]["M"]["Stamp"]["N"][17:19] == "00"
    assert sift([raw_record("MODIFY", BASE, ahead)], FUTURE) == ([], 1)


def stamped(image: Image, stamp: str) -> Image:
    """Return the image with another `Stamp`."""
    return {**image, "Causality": {"M": {**image["Causality"]["M"], "Stamp": {"N": stamp}}}}
