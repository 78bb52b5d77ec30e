"""Settle: what one key has lost, judged against what the table holds, by each policy.

BASE -> LOST   in this Region, then overwritten by WON, which the other Region made of BASE
"""

from decimal import Decimal
from typing import Any

import pytest

from reconciler.adapters.conditions import after, holds
from reconciler.classify import Suspect, classify
from reconciler.codec import decode, encode
from reconciler.conflict import Conflict, Kind, Mode
from reconciler.decisions import Escalate, Fine, Noop, Repair, Trouble
from reconciler.join import join
from reconciler.policy import OnDeleted, OnForeign, OnHardDelete, Policy
from reconciler.records import StreamRecord
from reconciler.settle import Settlement, settle
from reconciler.stamps import write_id
from reconciler.wire import Image, plain_image
from tests.worker.replicas import NOW, POLICY, A, B, image_of, modified, plain_item, policy, removed, without

TTL = POLICY.tombstone_ttl_ms
LATER = NOW + TTL + 1_000

BASE = image_of({"IdempotencyKey": "k0", "Set": {"Data": "v0", "Owner": "ana"}, "Add": {"Balance": 1}})
LOST = image_of({"IdempotencyKey": "k1", "Set": {"Data": "lost", "Mine": 1}, "Add": {"Balance": 10}}, on=BASE)
WON = image_of({"IdempotencyKey": "k2", "Data": "won"}, on=BASE, region=B, at=NOW + 1)
GONE = image_of({"IdempotencyKey": "k3", "Delete": True}, on=BASE, region=B, at=NOW + 1)
PLAIN = plain_item(3, NOW, Data="v", Only="here", LastUpdatedRegion=A, IdempotencyKey="p1")
PLAIN_WON = plain_item(3, NOW + 1, Data="w", LastUpdatedRegion=B, IdempotencyKey="p2")


def settled(*records: StreamRecord, on: Image | None, by: Policy = POLICY) -> Settlement:
    """Return the settlement of the suspects among some records."""
    verdicts = [classify(record, by, NOW) for record in records]
    suspects = [verdict for verdict in verdicts if isinstance(verdict, Suspect)]
    assert suspects
    return settle(suspects, on, by, A)


def outcome(settlement: Settlement, on: Image | None) -> dict[str, Any]:
    """Return what the table then holds, as boto3's resources give it."""
    if settlement.change is None:
        return plain_image(on or {})
    if on is None:
        assert settlement.change.creates
        return plain_image(settlement.change.item)
    assert holds(settlement.change, on)
    return plain_image(after(settlement.change, on))


def words(settlement: Settlement) -> list[Any]:
    """Return the decisions, each in one word: a kind of repair, a reason for nothing, a trouble."""
    return [
        decision.conflict.kind if isinstance(decision, Repair) else decision.reason for decision in settlement.decisions
    ]


def conflict_in(settlement: Settlement) -> Conflict:
    """Return the settlement's only conflict."""
    (conflict,) = [
        decision.conflict
        for decision in settlement.decisions
        if not isinstance(decision, Escalate) and decision.conflict is not None
    ]
    return conflict


# Losses


def test_a_lost_write_is_joined_back() -> None:
    """Its counter counts and its new attribute stays; the later value of the contended one wins."""
    settlement = settled(modified(LOST, WON), on=WON)
    item = outcome(settlement, WON)
    assert words(settlement) == [Kind.OVERWRITTEN]
    assert (item["Data"], item["Mine"], item["Balance"], item["Version"]) == ("won", 1, 11, 3)


def test_a_repair_tells_the_whole_conflict() -> None:
    """Loser, winner, merged, which attributes were overwritten, which are lost, which write had not been seen."""
    conflict = conflict_in(settled(modified(LOST, WON, "77"), on=WON))
    assert (conflict.mode, conflict.region, conflict.table, conflict.sequence_number) == (Mode.EXACT, A, "Events", "77")
    assert (conflict.loser, conflict.winner) == (LOST, WON)
    assert conflict.merged == encode(join(decode(LOST, POLICY), decode(WON, POLICY), POLICY), POLICY)
    assert conflict.overwritten == ("Balance", "Data", "Mine")
    assert conflict.lost == ("Data",)
    assert conflict.writes == (write_id("k1"),)


def test_every_region_derives_one_id_for_one_loss() -> None:
    """A conflict is known by item and lost writes, wherever it is met."""
    here = conflict_in(settled(modified(LOST, WON), on=WON))
    verdict = classify(modified(LOST, WON, "9"), POLICY, NOW)
    assert isinstance(verdict, Suspect)
    assert conflict_in(settle([verdict], WON, POLICY, B)).id == here.id


def test_a_repair_demands_causality_and_what_it_changes() -> None:
    """It sets only what differs, on condition that all of that is still as it was seen; the rest may change."""
    change = settled(modified(LOST, WON), on=WON).change
    assert change is not None
    assert not change.creates
    assert change.sets.keys() == {"Causality", "Version", "Balance", "Mine"}
    assert change.removes == ()
    assert change.expects == {name: WON.get(name) for name in ("Balance", "Causality", "Mine", "Version")}


def test_a_repair_starts_from_what_the_table_holds_now() -> None:
    """What was written after the winner stays."""
    now = image_of({"IdempotencyKey": "k4", "Data": "newer"}, on=WON, at=NOW + 5)
    item = outcome(settled(modified(LOST, WON), on=now), now)
    assert (item["Data"], item["Mine"], item["Balance"]) == ("newer", 1, 11)


def test_what_is_repaired_already_stays() -> None:
    """A record that comes again finds its loser included, and changes nothing."""
    repaired = image_of({"IdempotencyKey": "k4", "Data": 4}, on=encode(_joined(LOST, WON), POLICY))
    settlement = settled(modified(LOST, WON), on=repaired)
    assert (words(settlement), settlement.change) == ([Fine.ALREADY_REPAIRED], None)


def _joined(left: Image, right: Image) -> Any:
    return join(decode(left, POLICY), decode(right, POLICY), POLICY)


def test_two_losses_of_one_key_are_one_repair() -> None:
    """Both are joined into one change, and each is told."""
    other = image_of({"IdempotencyKey": "k4", "Add": {"Balance": 100}}, on=BASE, region=B)
    settlement = settled(modified(LOST, WON, "1"), modified(other, WON, "2"), on=WON)
    assert words(settlement) == [Kind.OVERWRITTEN] * 2
    assert outcome(settlement, WON)["Balance"] == 111


def test_a_loss_that_another_one_contains_is_there_already() -> None:
    """Of two losers on one line, the later brings the earlier along: both are told, one change is made."""
    later = image_of({"IdempotencyKey": "k4", "Add": {"Balance": 100}}, on=LOST)
    settlement = settled(modified(LOST, WON, "1"), modified(later, WON, "2"), on=WON)
    assert words(settlement) == [Kind.OVERWRITTEN] * 2
    assert outcome(settlement, WON)["Balance"] == 111


def test_a_current_item_that_cannot_be_read_is_for_a_person() -> None:
    """Nothing is joined into what is malformed."""
    settlement = settled(modified(LOST, WON), on={**WON, "Causality": {"M": {}}})
    assert (words(settlement), settlement.change) == ([Trouble.MALFORMED], None)


@pytest.mark.parametrize("loser", [{**LOST, "Balance": {"S": "ten"}}, {**LOST, "Data": {"N": "ten"}}])
def test_a_loser_that_cannot_be_read_is_for_a_person(loser: Image) -> None:
    """Its ledger shows a loss, its attributes cannot be joined: the others of its key still are."""
    settlement = settled(modified(loser, WON, "1"), modified(LOST, WON, "2"), on=WON)
    assert words(settlement) == [Trouble.MALFORMED, Kind.OVERWRITTEN]
    assert outcome(settlement, WON)["Balance"] == 11


def test_a_policy_that_fails_is_for_a_person() -> None:
    """A custom function that raises, or sets of two types, stop this loser and no other."""
    lost = image_of({"IdempotencyKey": "k4", "Set": {"Note": 5}}, on=BASE)
    won = image_of({"IdempotencyKey": "k5", "Set": {"Note": "text"}}, on=BASE, region=B)
    settlement = settled(modified(lost, won, "1"), modified(LOST, won, "2"), on=won)
    assert words(settlement) == [Trouble.MERGE_FAILED, Kind.OVERWRITTEN]


def test_a_sum_that_cannot_be_stored_is_for_a_person() -> None:
    """Each of the joined losers goes to the queue, and nothing is changed."""
    base = image_of({"IdempotencyKey": "k0", "Data": "v0"})
    lost = image_of({"IdempotencyKey": "k4", "Add": {"Balance": 10**38 - 1}}, on=base)
    won = image_of({"IdempotencyKey": "k5", "Add": {"Balance": Decimal("0.5")}}, on=base)
    settlement = settled(modified(lost, won), on=won)
    assert (words(settlement), settlement.change) == ([Trouble.UNSTORABLE], None)


# Deletes


@pytest.mark.parametrize(
    ("on_deleted", "word"), [(OnDeleted.RECORD, Fine.BEATEN), (OnDeleted.ESCALATE, Trouble.LOST_TO_DELETE)]
)
def test_a_delete_beats_what_it_had_not_seen(on_deleted: OnDeleted, word: Any) -> None:
    """The write stays lost, and is recorded or goes to a person."""
    settlement = settled(modified(LOST, GONE), on=GONE, by=policy(lost_to_delete=on_deleted))
    assert (words(settlement), settlement.change) == ([word], None)


def test_a_record_of_what_a_delete_beat_names_the_write() -> None:
    """The delete is the winner, and nothing of the loser survives."""
    conflict = conflict_in(settled(modified(LOST, GONE), on=GONE))
    assert (conflict.kind, conflict.writes) == (Kind.LOST_TO_DELETE, (write_id("k1"),))
    assert conflict.lost == ("Balance", "Data", "Mine", "Owner")


def test_a_delete_that_was_overwritten_comes_back() -> None:
    """An older life's write overwrote the tombstone: the greater life wins whole."""
    settlement = settled(modified(GONE, LOST), on=LOST)
    assert words(settlement) == [Kind.OVERWRITTEN]
    assert settlement.change is not None
    assert settlement.change.removes == ("Balance", "Data", "Mine", "Owner")
    assert outcome(settlement, LOST).keys() == plain_image(GONE).keys()


def test_what_a_later_life_beat_is_told_among_the_joined() -> None:
    """A loser of an older life, joined into a newer one, is beaten; where the delete had seen it, nothing is lost."""
    seen = image_of({"IdempotencyKey": "k3", "Delete": True}, on=LOST, at=NOW + 9)
    assert words(settled(modified(LOST, WON), on=GONE)) == [Fine.BEATEN]
    assert words(settled(modified(LOST, WON), on=seen)) == [Fine.INCLUDED]


def test_what_a_delete_beat_is_judged_by_the_life_that_the_table_lives() -> None:
    """A second delete had seen the write that the first had not: nothing is lost to it."""
    seen = image_of({"IdempotencyKey": "k9", "Delete": True}, on=LOST, at=NOW + 9)
    assert words(settled(modified(LOST, GONE), on=seen)) == [Fine.INCLUDED]


@pytest.mark.parametrize("on_hard_delete", list(OnHardDelete))
@pytest.mark.parametrize("current", [None, BASE])
def test_what_a_delete_beat_is_not_brought_back(on_hard_delete: OnHardDelete, current: Image | None) -> None:
    """Neither where the tombstone is gone by now, nor where an older life stands in its place for the moment."""
    settlement = settled(modified(LOST, GONE), on=current, by=policy(hard_delete=on_hard_delete))
    assert (words(settlement), settlement.change) == ([Fine.BEATEN], None)


# Hard deletes


@pytest.mark.parametrize(
    ("on_hard_delete", "word"),
    [
        (OnHardDelete.ACCEPT, Fine.HARD_DELETED),
        (OnHardDelete.RESTORE, Kind.HARD_DELETE),
        (OnHardDelete.ESCALATE, Trouble.HARD_DELETE),
    ],
)
@pytest.mark.parametrize("image", [LOST, GONE, PLAIN])
def test_a_hard_delete_meets_its_policy(on_hard_delete: OnHardDelete, word: Any, image: Image) -> None:
    """A live item, a tombstone before its time, a plain item: accepted, put back as it was, or for a person."""
    settlement = settled(removed(image), on=None, by=policy(hard_delete=on_hard_delete))
    assert words(settlement) == [word]
    restored = on_hard_delete is OnHardDelete.RESTORE
    assert outcome(settlement, None) == (plain_image(image) if restored else {})
    assert restored is (settlement.change is not None and settlement.change.creates)


def test_an_accepted_hard_delete_is_recorded_with_what_it_removed() -> None:
    """All that the item named is lost, and told."""
    conflict = conflict_in(settled(removed(LOST), on=None))
    assert (conflict.kind, conflict.winner, conflict.merged) == (Kind.HARD_DELETE, None, None)
    assert set(conflict.writes) == {write_id("k0"), write_id("k1")}


@pytest.mark.parametrize(
    "image", [{**LOST, "Causality": {"M": {}}}, {**PLAIN, "Data": {"N": "x"}, "IdempotencyKey": {"N": "1"}}]
)
def test_an_accepted_hard_delete_is_not_inspected(image: Image) -> None:
    """What is malformed matters only where it must be read: here nothing is lost for it."""
    conflict = conflict_in(settled(removed(image), on=None))
    assert conflict.writes == ()
    restoring = policy(hard_delete=OnHardDelete.RESTORE)
    assert words(settled(removed({**LOST, "Causality": {"M": {}}}), on=None, by=restoring)) == [Trouble.MALFORMED]


def test_a_restored_item_is_joined_into_what_was_created_since() -> None:
    """Nothing of either is lost."""
    created = image_of({"IdempotencyKey": "k9", "Add": {"Balance": 100}}, at=NOW + 5)
    settlement = settled(removed(LOST), on=created, by=policy(hard_delete=OnHardDelete.RESTORE))
    assert words(settlement) == [Kind.HARD_DELETE]
    assert outcome(settlement, created)["Balance"] == 111


@pytest.mark.parametrize(
    ("on_hard_delete", "word"),
    [
        (OnHardDelete.ACCEPT, Fine.HARD_DELETED),
        (OnHardDelete.RESTORE, Kind.OVERWRITTEN),
        (OnHardDelete.ESCALATE, Trouble.HARD_DELETE),
    ],
)
def test_a_loss_of_an_item_that_is_gone(on_hard_delete: OnHardDelete, word: Any) -> None:
    """Nothing is joined into nothing: the hard delete's policy says what becomes of the loser."""
    settlement = settled(modified(LOST, WON), on=None, by=policy(hard_delete=on_hard_delete))
    assert words(settlement) == [word]
    assert outcome(settlement, None) == (plain_image(LOST) if on_hard_delete is OnHardDelete.RESTORE else {})


@pytest.mark.parametrize("on_hard_delete", list(OnHardDelete))
def test_a_sweep_of_a_recreated_item_is_undone_with_all_that_it_lost(on_hard_delete: OnHardDelete) -> None:
    """TTL in another Region meant the tombstone before it: whatever the policy, item and earlier losses come back."""
    again = image_of({"IdempotencyKey": "k5", "Add": {"Balance": 5}}, on=GONE, at=LATER)
    lost = image_of({"IdempotencyKey": "k6", "Add": {"Balance": 50}}, on=again, at=LATER)
    won = image_of({"IdempotencyKey": "k7", "Data": "won"}, on=again, region=B, at=LATER)
    settlement = settled(
        modified(lost, won, "1"), removed(won, "2", LATER), on=None, by=policy(hard_delete=on_hard_delete)
    )
    assert words(settlement) == [Kind.OVERWRITTEN, Kind.SWEPT]
    assert outcome(settlement, None)["Balance"] == 55
    assert outcome(settlement, None)["Data"] == "won"


# Divergence


def tight(**request: Any) -> Image:
    """Return BASE after a request that folds all that came before."""
    at = NOW + 100 * (1 + len(request))
    return image_of(
        {"IdempotencyKey": f"f{at}", **request}, on=BASE, at=at, policy=policy(max_writes=1, min_window_ms=0)
    )


FOLDED = tight(Add={"Balance": 5})
FOLDED_APART = image_of(
    {"IdempotencyKey": "f9", "Data": "apart"},
    on=LOST,
    at=NOW + 900,
    region=B,
    policy=policy(max_writes=1, min_window_ms=0),
)


@pytest.mark.parametrize(("lost", "won"), [(FOLDED, FOLDED_APART), (FOLDED_APART, FOLDED)])
def test_histories_that_parted_before_the_horizon_go_to_a_person_too(lost: Image, won: Image) -> None:
    """Whichever side is the loser: joined, and never silently."""
    settlement = settled(modified(lost, won), on=won)
    assert words(settlement)[0] is Trouble.DIVERGED
    assert settlement.decisions[0] == Escalate(
        Trouble.DIVERGED, "the two histories parted before the horizon", modified(lost, won)
    )


def test_a_diverged_item_is_queued_even_where_nothing_is_to_be_repaired() -> None:
    """The join changes nothing: the message says it all, and no one is told of a repair."""
    repaired = encode(_joined(FOLDED, FOLDED_APART), POLICY)
    settlement = settled(modified(FOLDED, FOLDED_APART), on=repaired)
    assert (words(settlement), settlement.change) == ([Trouble.DIVERGED], None)


def test_each_diverged_loser_is_one_message() -> None:
    """Divergence is tested at each step, against what has been joined so far."""
    settlement = settled(modified(FOLDED, FOLDED_APART, "1"), modified(LOST, FOLDED_APART, "2"), on=FOLDED_APART)
    diverged = [decision.record.old for decision in settlement.decisions if decision.reason is Trouble.DIVERGED]
    assert diverged == [FOLDED]


# Manual


def test_a_manual_attribute_that_lost_goes_to_a_person_too() -> None:
    """The later value stands, as with `latest`, and one message names every manual attribute that lost."""
    both = policy(attributes={**POLICY.attributes, "Second": POLICY.attributes["Owner"]})
    lost = image_of({"IdempotencyKey": "m1", "Set": {"Owner": "bo", "Second": 1}}, on=BASE, policy=both)
    won = image_of(
        {"IdempotencyKey": "m2", "Set": {"Owner": "cy", "Second": 2}}, on=BASE, region=B, at=NOW + 5, policy=both
    )
    settlement = settled(modified(lost, won), on=won, by=both)
    assert words(settlement) == [Trouble.MANUAL, Kind.OVERWRITTEN]
    assert settlement.decisions[0] == Escalate(Trouble.MANUAL, "Owner, Second: policy manual", modified(lost, won))
    assert outcome(settlement, won)["Owner"] == "cy"


def test_a_manual_value_that_comes_back_by_the_join_is_told_by_the_loser_in_the_table() -> None:
    """The record's winner had the earlier value: it loses in the join, unseen, and a person is told."""
    lost = image_of({"IdempotencyKey": "m1", "Set": {"Owner": "bo"}}, on=BASE, at=NOW + 9)
    won = image_of({"IdempotencyKey": "m2", "Set": {"Owner": "cy"}}, on=BASE, region=B, at=NOW + 5)
    settlement = settled(modified(lost, won), on=won)
    assert words(settlement) == [Trouble.MANUAL, Kind.OVERWRITTEN]
    assert outcome(settlement, won)["Owner"] == "bo"


def test_a_manual_attribute_with_a_clients_time_is_found_by_its_write() -> None:
    """A value stamp that is no ledger stamp still says whose it is."""
    lost = image_of({"IdempotencyKey": "m1", "Set": {"Owner": "bo"}, "Timestamp": NOW + 1}, on=BASE)
    won = image_of({"IdempotencyKey": "m2", "Set": {"Owner": "cy"}, "Timestamp": NOW + 2}, on=BASE, region=B)
    assert words(settled(modified(lost, won), on=won)) == [Trouble.MANUAL, Kind.OVERWRITTEN]


@pytest.mark.parametrize(
    "request_", [{"Set": {"Owner": "ana"}}, {"Set": {"Data": 5}}, {"Set": {"Data": 5}, "Timestamp": NOW + 1}]
)
def test_a_manual_attribute_that_did_not_lose_is_nobodys_business(request_: dict[str, Any]) -> None:
    """The same value on both sides, or a value that the winner had seen and replaced."""
    lost = image_of({"IdempotencyKey": "m1", **request_}, on=BASE)
    won = image_of({"IdempotencyKey": "m2", "Set": {"Owner": "ana"}}, on=BASE, region=B, at=NOW + 5)
    replaced = image_of({"IdempotencyKey": "m3", "Set": {"Owner": "cy"}}, on=BASE, region=B, at=NOW + 5)
    assert words(settled(modified(lost, won), on=won)) == [Kind.OVERWRITTEN]
    if "Owner" not in request_["Set"]:
        assert words(settled(modified(lost, replaced), on=replaced)) == [Kind.OVERWRITTEN]


def test_a_manual_attribute_of_another_life_is_the_deletes_business() -> None:
    """Between two lives nothing is merged."""
    lost = image_of({"IdempotencyKey": "m1", "Set": {"Owner": "bo"}}, on=BASE)
    again = image_of({"IdempotencyKey": "m2", "Set": {"Owner": "cy"}}, on=GONE, at=NOW + 5)
    assert words(settled(modified(again, lost), on=lost)) == [Kind.OVERWRITTEN]


# Plain items


def test_plain_items_resolve_by_time_and_keep_what_only_one_has() -> None:
    """Approximate: the later Timestamp wins, Version becomes the greater + 1."""
    settlement = settled(modified(PLAIN, PLAIN_WON), on=PLAIN_WON)
    item = outcome(settlement, PLAIN_WON)
    assert (item["Data"], item["Only"], item["Version"], item["Timestamp"]) == ("w", "here", 4, NOW + 1)
    assert (words(settlement), conflict_in(settlement).mode) == ([Kind.OVERWRITTEN], Mode.APPROXIMATE)
    assert "Causality" not in item


def test_a_plain_repair_demands_what_tells_plain_items_apart() -> None:
    """No ledger, the same Version, Timestamp and key, and every changed attribute as it was seen."""
    change = settled(modified(PLAIN, PLAIN_WON), on=PLAIN_WON).change
    assert change is not None
    names = ("Causality", "IdempotencyKey", "Only", "Timestamp", "Version")
    assert change.expects == {name: PLAIN_WON.get(name) for name in names}


def test_a_plain_item_that_moved_on_is_left_alone() -> None:
    """A successor of both stands there: nothing is to be done, and that is said."""
    now = plain_item(4, NOW + 2, Data="x", IdempotencyKey="p3")
    settlement = settled(modified(PLAIN, PLAIN_WON), on=now)
    assert (words(settlement), settlement.change) == ([Fine.ALREADY_REPAIRED], None)


def test_a_plain_loser_joins_an_item_with_a_ledger_as_if_adopted() -> None:
    """It keeps its own attributes; two histories that never met also go to a person."""
    fresh = image_of({"IdempotencyKey": "k1", "Data": "new"}, at=NOW + 5)
    settlement = settled(modified(PLAIN, fresh), on=fresh)
    item = outcome(settlement, fresh)
    assert (item["Data"], item["Only"]) == ("new", "here")
    assert words(settlement) == [Trouble.DIVERGED, Kind.OVERWRITTEN]
    assert conflict_in(settlement).mode is Mode.APPROXIMATE


def test_a_plain_loser_that_was_adopted_meanwhile_is_there_already() -> None:
    """The item that came back began with this very image."""
    adopted = image_of({"IdempotencyKey": "k1", "Data": "new"}, on=PLAIN, at=NOW + 5)
    settlement = settled(modified(PLAIN, PLAIN_WON), on=adopted)
    assert (words(settlement), settlement.change) == ([Fine.ALREADY_REPAIRED], None)


def test_a_plain_write_that_knew_no_ledger_is_joined_as_if_adopted() -> None:
    """The other Region's old writer overwrote an item with a ledger: both survive."""
    plain = plain_item(2, NOW + 7, Data="plain", Extra="e")
    settlement = settled(modified(LOST, plain), on=plain)
    item = outcome(settlement, plain)
    assert (item["Data"], item["Extra"], item["Mine"]) == ("plain", "e", 1)
    assert Kind.OVERWRITTEN in words(settlement)
    assert "Causality" in item


@pytest.mark.parametrize(
    "on", [plain_item(3, NOW + 1, Owner="cy"), image_of({"IdempotencyKey": "k", "Set": {"Owner": "cy"}})]
)
def test_a_manual_attribute_of_a_plain_item_goes_to_a_person_too(on: Image) -> None:
    """No ledger can say that the other side had seen it."""
    lost = plain_item(3, NOW, Owner="bo", IdempotencyKey="p1")
    assert Trouble.MANUAL in words(settled(modified(lost, on), on=on))


def test_a_plain_value_that_does_not_fit_its_policy_is_for_a_person() -> None:
    """It cannot be adopted."""
    fresh = image_of({"IdempotencyKey": "k1", "Data": "new"}, at=NOW + 5)
    lost = plain_item(3, NOW, Balance="ten")
    assert words(settled(modified(lost, fresh), on=fresh)) == [Trouble.MALFORMED]


# Foreign writes

FOREIGN = {**LOST, "Data": {"S": "foreign"}}
BARE = without(
    {**FOREIGN, "New": {"S": "n"}}, "Causality", "Version", "Timestamp", "Mine", "Balance", "LastUpdatedRegion"
)


@pytest.mark.parametrize(
    ("on_foreign", "word"),
    [(OnForeign.ADOPT, Kind.FOREIGN), (OnForeign.REPORT, Fine.REPORTED), (OnForeign.ESCALATE, Trouble.FOREIGN)],
)
@pytest.mark.parametrize("image", [FOREIGN, BARE])
def test_a_foreign_write_meets_its_policy(on_foreign: OnForeign, word: Any, image: Image) -> None:
    """Adopted as one more execution, told, or for a person."""
    settlement = settled(modified(LOST, image), on=image, by=policy(foreign_writes=on_foreign))
    assert words(settlement) == [word]
    assert (settlement.change is not None) is (on_foreign is OnForeign.ADOPT)


def test_an_adopted_write_is_ordered_after_all_that_the_item_knew() -> None:
    """Its value stands with a stamp above every other; the old image is recorded as the loser."""
    settlement = settled(modified(LOST, FOREIGN), on=FOREIGN)
    item = outcome(settlement, FOREIGN)
    assert (item["Data"], item["Version"]) == ("foreign", 3)
    assert item["Causality"]["Stamp"] > plain_image(LOST)["Causality"]["Stamp"]
    assert item["IdempotencyKey"] in item["Causality"]["Writes"]
    conflict = conflict_in(settlement)
    assert (conflict.loser, conflict.mode, conflict.lost) == (LOST, Mode.APPROXIMATE, ("Data",))


def test_every_region_adopts_alike() -> None:
    """Two Regions that meet the foreign write write the same bytes."""
    verdict = classify(modified(LOST, FOREIGN), POLICY, NOW)
    assert isinstance(verdict, Suspect)
    changes = [settle([verdict], FOREIGN, POLICY, region).change for region in (A, B)]
    assert changes[0] == changes[1]


def test_adopting_demands_the_foreign_values() -> None:
    """They stay as they are, and must still stand when the ledger takes them in."""
    change = settled(modified(LOST, FOREIGN), on=FOREIGN).change
    assert change is not None
    assert "Data" not in change.sets
    assert change.expects["Data"] == {"S": "foreign"}
    assert change.expects["Causality"] == FOREIGN["Causality"]


def test_adopting_demands_the_whole_map_of_a_member() -> None:
    """A foreign change within a map, or to an attribute with a slash in its name, is tested by the attribute."""
    old = image_of({"IdempotencyKey": "k", "Set": {"Profile/Name": "ana", "a/b": "v"}})
    new = {**old, "Profile": {"M": {"Name": {"S": "bo"}}}, "a/b": {"S": "w"}}
    change = settled(modified(old, new), on=new).change
    assert change is not None
    assert {name: change.expects.get(name) for name in ("Profile", "a/b", "a")} == {
        "Profile": new["Profile"],
        "a/b": {"S": "w"},
        "a": None,
    }
    assert "a" not in change.expects


def test_a_bare_put_gets_its_ledger_back() -> None:
    """What the new image lacks is kept, what it changed or added is adopted; it stands on no ledger until then."""
    settlement = settled(modified(LOST, BARE), on=BARE)
    item = outcome(settlement, BARE)
    assert (item["Data"], item["New"], item["Mine"], item["Balance"], item["Version"]) == ("foreign", "n", 1, 11, 3)
    assert settlement.change is not None
    assert settlement.change.expects["Causality"] is None


def test_a_bare_put_that_changed_nothing_gets_its_ledger_back() -> None:
    """Nothing is adopted: the item is what it was."""
    bare = without(LOST, "Causality")
    settlement = settled(modified(LOST, bare), on=bare)
    assert outcome(settlement, bare) == plain_image(LOST)


def test_a_foreign_removal_is_adopted() -> None:
    """A register that is gone while the ledger stayed was removed on purpose."""
    new = without(LOST, "Mine")
    item = outcome(settled(modified(LOST, new), on=new), new)
    assert "Mine" not in item
    assert "Mine" in item["Causality"]["Stamps"]


@pytest.mark.parametrize("foreign", [FOREIGN, BARE])
def test_a_foreign_write_is_adopted_once(foreign: Image) -> None:
    """The record that comes again finds it adopted."""
    settlement = settled(modified(LOST, foreign), on=foreign)
    assert settlement.change is not None
    adopted = after(settlement.change, foreign)
    again = settled(modified(LOST, foreign), on=adopted)
    assert (words(again), again.change) == ([Fine.ALREADY_REPAIRED], None)


@pytest.mark.parametrize("on", [LOST, None, {**LOST, "Data": {"S": "another"}}])
def test_a_foreign_write_that_no_longer_stands_is_told(on: Image | None) -> None:
    """Only what the table still holds can be adopted."""
    settlement = settled(modified(LOST, FOREIGN), on=on)
    assert (words(settlement), settlement.change) == ([Fine.REPORTED], None)


def test_a_stamped_write_on_top_of_a_foreign_one_wins() -> None:
    """The writer has overwritten the value since: nothing of the foreign write is left to adopt, and it is told."""
    now = image_of({"IdempotencyKey": "k9", "Data": "newer"}, on=FOREIGN, at=NOW + 50)
    settlement = settled(modified(LOST, FOREIGN), on=now)
    assert (words(settlement), settlement.change) == ([Fine.REPORTED], None)


def test_what_an_item_has_is_not_joined_over_a_foreign_value() -> None:
    """A record that comes again when its loss is repaired leaves a foreign value alone that nobody has adopted yet."""
    seen = image_of({"IdempotencyKey": "k9", "Add": {"Balance": 1}}, on=LOST, at=NOW + 50)
    now = {**seen, "Data": {"S": ""}}
    settlement = settled(modified(LOST, WON), on=now)
    assert (words(settlement), settlement.change) == ([Fine.ALREADY_REPAIRED], None)


def test_a_foreign_change_of_bookkeeping_is_told() -> None:
    """No attribute of the user's own changed: there is nothing to adopt."""
    new = {**LOST, "Version": {"N": "99"}}
    settlement = settled(modified(LOST, new), on=new)
    assert (words(settlement), settlement.change) == ([Fine.REPORTED], None)


def test_a_foreign_change_that_no_stamp_can_order_is_for_a_person() -> None:
    """A counter, a set, a maximum: the attributes are named, and nothing is adopted."""
    new = {**FOREIGN, "Balance": {"N": "99"}, "Limit": {"N": "3"}}
    settlement = settled(modified(LOST, new), on=new)
    assert (words(settlement), settlement.change) == ([Trouble.FOREIGN], None)
    assert "Balance, Limit: changed by a foreign write" in str(settlement.decisions[0])


def test_a_foreign_write_of_the_newest_life_meets_an_older_one() -> None:
    """An older life stands there for the moment: the foreign write brings the newer one back."""
    again = image_of({"IdempotencyKey": "k5", "Data": "again"}, on=GONE, at=NOW + 5)
    foreign = {**again, "Data": {"S": "won"}}
    settlement = settled(modified(again, foreign), on=WON)
    assert words(settlement) == [Kind.FOREIGN]
    assert outcome(settlement, WON)["Data"] == "won"


def test_a_loss_beneath_a_bare_put_is_joined_with_it() -> None:
    """LOST was overwritten by WON, and WON by a bare put: the put is adopted onto WON, and LOST joined."""
    bare = without({**WON, "Data": {"S": "foreign"}}, "Causality", "Version", "Timestamp")
    settlement = settled(modified(LOST, WON, "1"), modified(WON, bare, "2"), on=bare)
    item = outcome(settlement, bare)
    assert (item["Data"], item["Mine"], item["Balance"]) == ("foreign", 1, 11)
    assert words(settlement) == [Fine.ALREADY_REPAIRED, Kind.OVERWRITTEN]
    assert settlement.change is not None
    assert settlement.change.expects["Data"] == {"S": "foreign"}


@pytest.mark.parametrize("by", [policy(foreign_writes=OnForeign.REPORT), POLICY])
def test_a_loss_beneath_a_bare_put_that_cannot_be_adopted_is_for_a_person(by: Policy) -> None:
    """Where the policy forbids it, or no stamp can order what it changed."""
    bare = without({**WON, "Limit": {"N": "3"}}, "Causality", "Version", "Timestamp")
    settlement = settled(modified(LOST, WON), on=bare, by=by)
    assert (words(settlement), settlement.change) == ([Trouble.FOREIGN], None)


def test_a_loss_that_a_person_has_is_not_told_as_repaired() -> None:
    """Another loser of the key is repaired: what could not be joined stays with its message alone."""
    on = plain_item(9, NOW + 9, Data="w", IdempotencyKey="p2")
    plain = plain_item(9, NOW + 8, Only=1, IdempotencyKey="p1")
    by = policy(foreign_writes=OnForeign.REPORT)
    settlement = settled(modified(LOST, WON, "1"), modified(plain, on, "2"), on=on, by=by)
    assert words(settlement) == [Trouble.FOREIGN, Kind.OVERWRITTEN]
    assert conflict_in(settlement).loser == plain


def test_decisions_are_values() -> None:
    """The same suspects against the same item give the same settlement."""
    assert settled(modified(LOST, WON), on=WON) == settled(modified(LOST, WON), on=WON)
    assert all(isinstance(each, Noop | Repair | Escalate) for each in settled(modified(LOST, WON), on=WON).decisions)
