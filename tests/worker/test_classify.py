r"""Classify: one table of what two images alone can tell.

PLAIN --> ADOPTED                      plain items, and the ledger that began with one
BASE --> NEXT --> GONE --> AGAIN       a ledger's items: written, deleted, re-created
    \-> OTHER, GONE_UNSEEN             the other Region's: they have never seen NEXT
"""

from typing import Any

import pytest

from reconciler.classify import Suspect, classify
from reconciler.conflict import Kind
from reconciler.decisions import Escalate, Fine, Noop, Trouble
from reconciler.records import StreamRecord, parse_record
from reconciler.wire import Image
from tests.worker.replicas import (
    NOW,
    POLICY,
    B,
    image_of,
    modified,
    plain_item,
    policy,
    raw_record,
    removed,
    without,
)

TTL = POLICY.tombstone_ttl_ms
LATER = NOW + TTL + 1_000

PLAIN = plain_item(3, NOW, Data="v", IdempotencyKey="k0")
BASE = image_of({"IdempotencyKey": "k0", "Set": {"Data": "v", "Tag": "t"}})
NEXT = image_of({"IdempotencyKey": "k1", "Data": "next"}, on=BASE)
OTHER = image_of({"IdempotencyKey": "k2", "Data": "other"}, on=BASE, region=B)
GONE = image_of({"IdempotencyKey": "k3", "Delete": True}, on=NEXT)
GONE_UNSEEN = image_of({"IdempotencyKey": "k4", "Delete": True}, on=BASE, region=B)
AGAIN = image_of({"IdempotencyKey": "k5", "Data": "again"}, on=GONE)
AGAIN_YOUNG = image_of({"IdempotencyKey": "k5", "Data": "again"}, on=GONE, at=LATER)
AGAIN_FOLDED = image_of(
    {"IdempotencyKey": "k7", "Data": 7}, on=AGAIN_YOUNG, at=LATER + 10, policy=policy(max_writes=1, min_window_ms=0)
)
ADOPTED = image_of({"IdempotencyKey": "k1", "Data": "w"}, on=PLAIN)
ADOPTED_GONE = image_of({"IdempotencyKey": "k6", "Delete": True}, on=plain_item(1, NOW - 5, Data="u"))


def with_causality(image: Image, **members: Any) -> Image:
    """Return the image with members of its `Causality` changed, or (None) left out."""
    changed = {**image["Causality"]["M"], **members}
    return {**image, "Causality": {"M": {name: value for name, value in changed.items() if value is not None}}}


def reordered(image: Image) -> Image:
    """Return the image with each set of its ledger in another order, as the wire may show it."""
    writes = {identity: {"NS": value["NS"][::-1]} for identity, value in image["Causality"]["M"]["Writes"]["M"].items()}
    return with_causality(image, Writes={"M": writes})


BROKEN = {**PLAIN, "Data": {"N": "five"}}
NO_WRITES = with_causality(BASE, Writes=None)
NO_MAP = {**BASE, "Causality": {"S": "x"}}
UNKNOWN_REGION = with_causality(BASE, Writes={"M": {"A" * 16: {"NS": ["1700000000000000004123456"]}}})
CLIENTS_REGION = with_causality(BASE, Writes={"M": {"A" * 16: {"NS": ["1700000000000000000123456"]}}})
TWICE = with_causality(
    BASE, Writes={"M": {"A" * 16: {"NS": ["1700000000000000001000000", "1700000000000000002000000"]}}}
)
BROKEN_TOMBSTONE = with_causality(GONE, Writes={"S": "x"})

TABLE = [
    # INSERT overwrites nothing, and is not inspected
    ("INSERT", None, PLAIN, NOW, Fine.CREATED),
    ("INSERT", None, BASE, NOW, Fine.CREATED),
    ("INSERT", None, GONE, LATER, Fine.CREATED),
    ("INSERT", None, NO_MAP, NOW, Fine.CREATED),
    # MODIFY, neither image with a ledger
    ("MODIFY", PLAIN, plain_item(4, NOW, Data="w", IdempotencyKey="k1"), NOW, Fine.SUCCESSOR),
    ("MODIFY", PLAIN, plain_item(3, NOW, Data="w", IdempotencyKey="k0"), NOW, Fine.SUCCESSOR),
    ("MODIFY", PLAIN, plain_item(3, NOW, Data="w", IdempotencyKey="k1"), NOW, Kind.OVERWRITTEN),
    ("MODIFY", PLAIN, plain_item(4, NOW - 1, Data="w", IdempotencyKey="k1"), NOW, Kind.OVERWRITTEN),
    ("MODIFY", PLAIN, plain_item(2, NOW + 9, Data="w", IdempotencyKey="k1"), NOW, Kind.OVERWRITTEN),
    ("MODIFY", PLAIN, plain_item(3, NOW, Data="w"), NOW, Kind.OVERWRITTEN),
    ("MODIFY", PLAIN, plain_item(9, None, Data="w"), NOW, Fine.UNMANAGED),
    ("MODIFY", plain_item(1, 1_700_000_000, Data="v"), PLAIN, NOW, Fine.UNMANAGED),
    ("MODIFY", PLAIN, {**PLAIN, "Version": {"N": "3.0"}}, NOW, Fine.UNCHANGED),
    ("MODIFY", PLAIN, {**PLAIN, "aws:rep:updatetime": {"N": "3"}}, NOW, Fine.UNCHANGED),
    ("MODIFY", plain_item(3, NOW, Data="v"), BROKEN, NOW, Kind.OVERWRITTEN),
    (
        "MODIFY",
        plain_item(3, NOW, Data="v"),
        without({**PLAIN, "Data": {"N": "five"}}, "IdempotencyKey"),
        NOW,
        Trouble.MALFORMED,
    ),
    # MODIFY, both with a ledger
    ("MODIFY", BASE, NEXT, NOW, Fine.INCLUDED),
    ("MODIFY", NEXT, OTHER, NOW, Kind.OVERWRITTEN),
    ("MODIFY", OTHER, NEXT, NOW, Kind.OVERWRITTEN),
    ("MODIFY", BASE, {**BASE, "aws:rep:updatetime": {"N": "3"}}, NOW, Fine.UNCHANGED),
    ("MODIFY", TWICE, reordered(TWICE), NOW, Fine.UNCHANGED),
    # ... over a delete
    ("MODIFY", NEXT, GONE, NOW, Fine.INCLUDED),
    ("MODIFY", BASE, GONE, NOW, Fine.INCLUDED),
    ("MODIFY", NEXT, GONE_UNSEEN, NOW, Kind.LOST_TO_DELETE),
    ("MODIFY", GONE, AGAIN, NOW, Fine.INCLUDED),
    ("MODIFY", GONE, OTHER, NOW, Kind.OVERWRITTEN),
    ("MODIFY", GONE, GONE_UNSEEN, NOW, Kind.OVERWRITTEN),
    ("MODIFY", GONE_UNSEEN, GONE, NOW, Kind.LOST_TO_DELETE),
    # ... an expired tombstone counts as included in anything
    ("MODIFY", GONE, OTHER, LATER, Fine.EXPIRED),
    ("MODIFY", GONE, GONE_UNSEEN, LATER, Fine.EXPIRED),
    ("MODIFY", GONE_UNSEEN, GONE, LATER, Fine.EXPIRED),
    ("MODIFY", GONE, PLAIN, LATER, Fine.EXPIRED),
    ("MODIFY", GONE, without(OTHER, "Causality"), LATER, Fine.EXPIRED),
    ("MODIFY", AGAIN, OTHER, LATER, Kind.OVERWRITTEN),
    # ... by someone who bypassed the writer
    ("MODIFY", BASE, {**BASE, "Data": {"S": "foreign"}}, NOW, Kind.FOREIGN),
    ("MODIFY", BASE, without(BASE, "Tag"), NOW, Kind.FOREIGN),
    ("MODIFY", BASE, {**BASE, "Version": {"N": "9"}}, NOW, Kind.FOREIGN),
    ("MODIFY", TWICE, {**reordered(TWICE), "Data": {"S": "foreign"}}, NOW, Kind.FOREIGN),
    ("MODIFY", GONE, {**GONE, "Data": {"S": "foreign"}}, LATER, Kind.FOREIGN),
    # ... malformed
    ("MODIFY", BASE, NO_MAP, NOW, Trouble.MALFORMED),
    ("MODIFY", NO_MAP, BASE, NOW, Trouble.MALFORMED),
    ("MODIFY", BASE, NO_WRITES, NOW, Trouble.MALFORMED),
    ("MODIFY", NEXT, UNKNOWN_REGION, NOW, Kind.OVERWRITTEN),  # settling reads it, and names what is malformed
    ("MODIFY", NEXT, CLIENTS_REGION, NOW, Kind.OVERWRITTEN),
    ("MODIFY", NO_MAP, PLAIN, NOW, Trouble.MALFORMED),
    ("MODIFY", PLAIN, NO_MAP, NOW, Trouble.MALFORMED),
    # MODIFY, old plain and new with a ledger
    ("MODIFY", PLAIN, ADOPTED, NOW, Fine.INCLUDED),
    ("MODIFY", plain_item(2, NOW - 1, Data="u"), ADOPTED, NOW, Fine.INCLUDED),
    ("MODIFY", plain_item(3, NOW, Data="v", IdempotencyKey="other"), ADOPTED, NOW, Kind.OVERWRITTEN),
    ("MODIFY", plain_item(4, NOW, Data="v", IdempotencyKey="k9"), ADOPTED, NOW, Kind.OVERWRITTEN),
    ("MODIFY", plain_item(2, NOW + 1, Data="v", IdempotencyKey="k9"), ADOPTED, NOW, Kind.OVERWRITTEN),
    ("MODIFY", PLAIN, BASE, NOW, Kind.OVERWRITTEN),
    ("MODIFY", PLAIN, ADOPTED_GONE, NOW, Kind.LOST_TO_DELETE),
    # MODIFY, old with a ledger and new plain
    ("MODIFY", NEXT, plain_item(3, NOW, Data="w"), NOW, Kind.FOREIGN),
    ("MODIFY", NEXT, plain_item(None, NOW, Data="w"), NOW, Kind.FOREIGN),
    ("MODIFY", NEXT, plain_item(1, None, Data="w"), NOW, Kind.FOREIGN),
    ("MODIFY", NEXT, plain_item(2, NOW, Data="w"), NOW, Kind.OVERWRITTEN),
    ("MODIFY", NEXT, plain_item(2, NOW, Data="w", IdempotencyKey="k1"), NOW, Kind.FOREIGN),
    ("MODIFY", NEXT, plain_item(2, NOW - 1, Data="w", IdempotencyKey="k1"), NOW, Kind.OVERWRITTEN),
    ("MODIFY", NEXT, plain_item(3, NOW - 1, Data="w"), NOW, Kind.OVERWRITTEN),
    # REMOVE
    ("REMOVE", PLAIN, None, NOW, Kind.HARD_DELETE),
    ("REMOVE", plain_item(1, None), None, NOW, Fine.UNMANAGED),
    ("REMOVE", BASE, None, NOW, Kind.HARD_DELETE),
    ("REMOVE", GONE, None, NOW, Kind.HARD_DELETE),
    ("REMOVE", GONE, None, NOW + TTL - 1, Kind.HARD_DELETE),
    ("REMOVE", GONE, None, NOW + TTL, Fine.EXPIRED),
    ("REMOVE", {**GONE, "ExpiresAt": {"N": "9999999999"}}, None, LATER, Kind.HARD_DELETE),
    ("REMOVE", {**GONE, "ExpiresAt": {"S": "soon"}}, None, LATER, Fine.EXPIRED),
    ("REMOVE", without(GONE, "ExpiresAt"), None, LATER, Fine.EXPIRED),
    ("REMOVE", AGAIN, None, NOW + 1, Kind.HARD_DELETE),  # the tombstone before it had not expired
    ("REMOVE", AGAIN, None, LATER, Kind.HARD_DELETE),  # re-created longer than `window` ago
    ("REMOVE", AGAIN_YOUNG, None, LATER, Kind.SWEPT),
    ("REMOVE", AGAIN_YOUNG, None, LATER + POLICY.window_ms - 1, Kind.SWEPT),
    ("REMOVE", AGAIN_YOUNG, None, LATER + POLICY.window_ms, Kind.HARD_DELETE),
    ("REMOVE", AGAIN_FOLDED, None, LATER + 20, Kind.HARD_DELETE),  # what was folded since may be old
    ("REMOVE", NO_MAP, None, NOW, Kind.HARD_DELETE),  # not inspected
    ("REMOVE", NO_WRITES, None, NOW, Kind.HARD_DELETE),
    ("REMOVE", BROKEN_TOMBSTONE, None, LATER, Trouble.MALFORMED),
]


def verdict_of(record: StreamRecord, now_ms: int) -> Fine | Kind | Trouble:
    """Return a verdict in one word."""
    match classify(record, POLICY, now_ms):
        case Noop(reason, conflict):
            assert conflict is None
            return reason
        case Suspect() as suspect:
            assert suspect.record is record
            assert suspect.loser == record.old
            return suspect.kind
        case Escalate(reason, _, escalated):
            assert escalated is record
            return reason


@pytest.mark.parametrize(("operation", "old", "new", "at_ms", "expected"), TABLE)
def test_two_images_tell(operation: str, old: Image, new: Image, at_ms: int, expected: Fine | Kind | Trouble) -> None:
    """Each pair of images has one verdict, by the record's own time, whatever the clock says now."""
    record = parse_record(raw_record(operation, old, new, at_ms=at_ms))
    assert verdict_of(record, now_ms=0) is expected


def test_the_table_reaches_every_verdict() -> None:
    """No reason that classify can give is left out above."""
    decided_later = {Fine.ALREADY_REPAIRED, Fine.BEATEN, Fine.HARD_DELETED, Fine.REPORTED}
    assert {expected for *_, expected in TABLE} == (set(Fine) - decided_later) | set(Kind) | {Trouble.MALFORMED}


def test_without_a_time_the_clock_is_asked() -> None:
    """A record that does not say when it was made was made now."""
    raw = raw_record("REMOVE", GONE, None)
    del raw["dynamodb"]["ApproximateCreationDateTime"]
    record = parse_record(raw)
    assert verdict_of(record, now_ms=LATER) is Fine.EXPIRED
    assert verdict_of(record, now_ms=NOW) is Kind.HARD_DELETE


def test_a_fold_is_included() -> None:
    """A writer that folds what it has seen loses nothing."""
    narrow = policy(max_writes=1, min_window_ms=0)
    folded = image_of({"IdempotencyKey": "k9", "Data": 9}, on=NEXT, at=NOW + 10, policy=narrow)
    assert "Horizon" in folded["Causality"]["M"]
    assert verdict_of(modified(NEXT, folded), NOW) is Fine.INCLUDED
    assert verdict_of(modified(OTHER, folded), NOW) is Kind.OVERWRITTEN


def test_a_removal_is_told_by_its_old_image() -> None:
    """The suspect's loser is what was removed."""
    assert verdict_of(removed(BASE), NOW) is Kind.HARD_DELETE
