"""Histories of two and three Regions: every write survives, once, and everything comes to rest.

deliver(a, b): what a holds wins in b.  a.work(): a's worker reads what a's stream has shown since it last did.
"""

from collections.abc import Sequence
from itertools import permutations

import pytest

from reconciler.conflict import Kind
from reconciler.policy import OnDeleted, OnHardDelete, Policy
from reconciler.stamps import write_id
from tests.worker.replicas import NOW, POLICY, A, B, C, Clock, Replica, deliver, plain_item, policy, settle_down


def regions(by: Policy = POLICY) -> tuple[Replica, Replica]:
    """Return two Regions with one clock, which hold the same item."""
    clock = Clock()
    a, b = Replica(A, by, clock), Replica(B, by, clock)
    a.write("k0", Set={"Data": "v0"}, Add={"Balance": 1})
    deliver(a, b)
    return a, b


def lost_writes(replica: Replica) -> list[tuple[Kind, tuple[str, ...], bool]]:
    """Return what the Region's recorder was told: kind, lost writes, whether repaired."""
    return [(conflict.kind, conflict.writes, repaired) for conflict, repaired in replica.recorder.conflicts]


def test_concurrent_updates_in_two_regions_are_resolved() -> None:
    """The classic: both start from v0, the platform drops a's write, a's worker brings it back, everywhere."""
    a, b = regions()
    a.write("k1", Set={"Data": "a1", "OnlyA": 1}, Add={"Balance": 10})
    b.clock.now_ms += 1
    b.write("k2", Set={"Data": "b1"}, Add={"Balance": 100})
    deliver(b, a)  # b's has the greater platform timestamp; a's is rejected on arrival in b
    assert settle_down(a, b) == 1
    assert a.image == b.image
    assert (a.item["Data"], a.item["OnlyA"], a.item["Balance"], a.item["Version"]) == ("b1", 1, 111, 3)
    assert lost_writes(a) == [(Kind.OVERWRITTEN, (write_id("k1"),), True)]
    assert lost_writes(b) == []


@pytest.mark.parametrize("a_is_later", [True, False])
def test_the_platform_and_the_clients_may_disagree(a_is_later: bool) -> None:  # noqa: FBT001
    """Last writer by the clients' own times wins, whichever write the platform had dropped."""
    a, b = regions()
    a.write("k1", Data="a1", Timestamp=NOW + (9 if a_is_later else 1))
    b.write("k2", Data="b1", Timestamp=NOW + 5)
    deliver(b, a)
    settle_down(a, b)
    assert a.image == b.image
    assert a.item["Data"] == ("a1" if a_is_later else "b1")


def test_a_repeated_key_is_applied_once() -> None:
    """The classic: at once, again in the other Region once it has replicated, and after everything."""
    a, b = regions()
    assert a.write("k1", Add={"Balance": 10})["status"] == "applied"
    assert a.write("k1", Add={"Balance": 10})["status"] == "duplicate"
    deliver(a, b)
    assert b.write("k1", Add={"Balance": 10})["status"] == "duplicate"
    settle_down(a, b)
    assert (a.item["Balance"], a.image) == (11, b.image)


@pytest.mark.parametrize("a_wins", [True, False])
def test_a_key_repeated_in_the_other_region_before_replication_is_applied_once(a_wins: bool) -> None:  # noqa: FBT001
    """Both Regions execute it, one write id with two executions: it counts once, and is a duplicate ever after."""
    a, b = regions()
    a.write("k1", Add={"Balance": 10}, AddToSet={"Tags": ["t"]})
    b.clock.now_ms += 1
    assert b.write("k1", Add={"Balance": 10}, AddToSet={"Tags": ["t"]})["status"] == "applied"
    deliver(*((a, b) if a_wins else (b, a)))
    settle_down(a, b)
    assert a.image == b.image
    assert (a.item["Balance"], a.item["Tags"], a.item["Version"]) == (11, {"t"}, 3)
    assert len(a.item["Causality"]["Writes"][write_id("k1")]) == 2
    assert a.write("k1", Add={"Balance": 10})["status"] == b.write("k1", Add={"Balance": 10})["status"] == "duplicate"


def test_both_regions_repair_one_loss_with_the_same_bytes() -> None:
    """Two workers that join the same two images write the same item: there is no ping-pong."""
    a, b = regions()
    a.write("k1", Add={"Balance": 10})
    b.write("k2", Add={"Balance": 100})
    left, right = a.image, b.image
    a.holds(right)
    b.holds(left)
    a.work()
    b.work()
    assert a.image == b.image
    shown = len(a.stream), len(b.stream)
    deliver(a, b)
    deliver(b, a)
    assert (len(a.stream), len(b.stream)) == shown


def test_a_repair_that_loses_is_repaired() -> None:
    """It is an ordinary write: where the platform drops it, the stream shows it, and it is joined back."""
    a, b = regions()
    a.write("k1", Add={"Balance": 10})
    b.write("k2", Add={"Balance": 100})
    deliver(b, a)
    a.work()
    b.write("k3", Add={"Balance": 1000})
    deliver(b, a)  # over the repair
    settle_down(a, b)
    assert (a.item["Balance"], a.image) == (1111, b.image)


@pytest.mark.parametrize("order", list(permutations((0, 1, 2))))
def test_three_regions_lose_nothing(order: Sequence[int]) -> None:
    """Whoever wins, each Region's worker brings back what its own replica forgot."""
    clock = Clock()
    replicas = [Replica(region, clock=clock) for region in (A, B, C)]
    replicas[0].write("k0", Add={"Balance": 1})
    deliver(replicas[0], *replicas[1:])
    for number, replica in enumerate(replicas, 1):
        clock.now_ms += 1
        replica.write(f"k{number}", Set={f"From{number}": number}, Add={"Balance": 10**number})
    first, second, third = (replicas[number] for number in order)
    deliver(first, second)
    deliver(third, first, second)
    settle_down(*replicas)
    assert {replica.item["Balance"] for replica in replicas} == {1111}
    assert all(replica.image == replicas[0].image for replica in replicas)
    assert [replicas[0].item[f"From{number}"] for number in (1, 2, 3)] == [1, 2, 3]


@pytest.mark.parametrize("delete_wins", [True, False])
def test_a_delete_beats_a_write_that_it_had_not_seen(delete_wins: bool) -> None:  # noqa: FBT001
    """Whatever the platform picks: the item is gone everywhere, and the write is told, lost by policy."""
    a, b = regions()
    a.write("k1", Delete=True)
    b.write("k2", Add={"Balance": 100})
    deliver(*((a, b) if delete_wins else (b, a)))
    settle_down(a, b)
    assert a.image == b.image
    assert "Balance" not in a.item
    assert "ExpiresAt" in a.item
    told = lost_writes(a) + lost_writes(b)
    assert (Kind.LOST_TO_DELETE, (write_id("k2"),), False) in told
    assert b.write("k2", Add={"Balance": 100})["status"] == "applied"  # a retry is a new write
    assert b.item["Balance"] == 100


def test_a_delete_that_comes_back_sends_what_it_beat_to_a_person() -> None:
    """The repair's own stream record shows it: the message holds the image that the delete beat."""
    a, b = regions(policy(lost_to_delete=OnDeleted.ESCALATE))
    a.write("k1", Delete=True)
    b.write("k2", Add={"Balance": 100})
    beaten = b.image
    deliver(b, a)
    settle_down(a, b)
    assert {message.reason for message in a.queue.messages + b.queue.messages} == {"lost_to_delete"}
    assert all(message.old_image == beaten for message in a.queue.messages + b.queue.messages)


def test_a_delete_and_a_recreation_stand() -> None:
    """A write that has seen the delete survives one that has not, and nothing of the older life returns."""
    a, b = regions()
    a.write("k1", Delete=True)
    a.write("k2", Add={"Balance": 5})
    b.write("k3", Add={"Balance": 100})
    deliver(b, a)
    settle_down(a, b)
    assert (a.item["Balance"], a.image) == (5, b.image)


def test_what_a_removal_had_seen_stays_removed_and_what_is_added_anew_stays() -> None:
    """Add wins: one Region removes an element while the other adds it again."""
    a, b = regions()
    a.write("k1", AddToSet={"Tags": ["s", "t"]})
    deliver(a, b)
    a.write("k2", RemoveFromSet={"Tags": ["s", "t"]})
    b.write("k3", AddToSet={"Tags": ["t"]})
    deliver(a, b)
    settle_down(a, b)
    assert (a.item["Tags"], a.image) == ({"t"}, b.image)


def test_a_transaction_wins_whole() -> None:
    """Two transactions over two items: both registers are of the same one, wherever each item was dropped."""
    clock = Clock()
    a, b = Replica(A, clock=clock), Replica(B, clock=clock)
    pair = [{"Id": "x", "Data": "of a"}, {"Id": "y", "Data": "of a"}]
    a.writer().process_transaction(pair, "t1")
    clock.now_ms += 1
    b.writer().process_transaction([{**event, "Data": "of b"} for event in pair], "t2")
    for name, (winner, loser) in {"x": (a, b), "y": (b, a)}.items():
        image = winner.table.read({"Id": {"S": name}})
        assert image is not None
        loser.table.put({"Id": {"S": name}}, image)
    a.work()
    b.work()
    held = [b.table.read({"Id": {"S": "x"}}), a.table.read({"Id": {"S": "y"}})]  # where each repair was made
    assert [(image or {}).get("Data") for image in held] == [{"S": "of b"}] * 2


def test_two_adoptions_of_one_plain_item_are_one_history() -> None:
    """Both Regions write on the same plain item before they meet: its past counts once."""
    clock = Clock()
    a, b = Replica(A, clock=clock), Replica(B, clock=clock)
    for replica in (a, b):
        replica.holds(plain_item(4, NOW - 1, Balance=40, Data="v", IdempotencyKey="k0"))
    a.write("k1", Add={"Balance": 1})
    b.write("k2", Add={"Balance": 1})
    deliver(b, a)
    settle_down(a, b)
    assert (a.item["Balance"], a.item["Version"], a.image) == (42, 6, b.image)
    assert a.queue.messages == b.queue.messages == []


def test_plain_items_come_to_rest() -> None:
    """The seed's own writers in both Regions: approximate, but equal and quiet."""
    clock = Clock()
    a, b = Replica(A, clock=clock), Replica(B, clock=clock)
    a.holds(plain_item(2, NOW, Data="a", OnlyA=1, LastUpdatedRegion=A, IdempotencyKey="k1"))
    b.holds(plain_item(2, NOW + 1, Data="b", OnlyB=2, LastUpdatedRegion=B, IdempotencyKey="k2"))
    deliver(b, a)
    settle_down(a, b)
    assert a.image == b.image
    assert (a.item["Data"], a.item["OnlyA"], a.item["OnlyB"], a.item["Version"]) == ("b", 1, 2, 3)


def test_a_foreign_write_is_adopted_alike_in_both_regions() -> None:
    """Someone changed the item without the writer: both workers write the same bytes, and the next write sees them."""
    a, b = regions()
    image = a.image
    assert image is not None
    a.holds({**image, "Data": {"S": "foreign"}})
    deliver(a, b)
    a.work()
    b.work()
    assert a.image == b.image
    assert a.write("k1", Add={"Balance": 1})["version"] == 3
    assert a.item["Data"] == "foreign"


def test_a_sweep_meant_for_the_tombstone_is_undone() -> None:
    """TTL deletes the tombstone in one Region while the other re-creates the item: it comes back everywhere."""
    a, b = regions(policy(hard_delete=OnHardDelete.ACCEPT))
    a.write("k1", Delete=True)
    deliver(a, b)
    a.work()
    b.work()
    a.clock.now_ms += POLICY.tombstone_ttl_ms + 60_000
    b.write("k2", Add={"Balance": 5})
    a.holds(None)
    b.holds(None)  # the sweep in a replicates, and beats the re-creation in b
    settle_down(a, b)
    assert (a.item["Balance"], a.image) == (5, b.image)
    assert lost_writes(b)[-1][0] is Kind.SWEPT
