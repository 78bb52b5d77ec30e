"""Histories on the real engine: real conditions, real streams, and a process for every Region."""

import pytest

from tests.dynamodb_local.deployment import A, Deployment

pytestmark = pytest.mark.dynamodb_local

PARTED = "A: x Data=v0 #k0 | cut A B | "


def test_a_write_reaches_the_other_region(two_regions: Deployment) -> None:
    """Without a conflict the workers have nothing to do."""
    two_regions.play("A: x Data=v1 Balance+5 Tags+{a} #k1")
    item = two_regions.everywhere("x")
    assert (item["Data"], item["Balance"], item["Tags"], item["Version"]) == ("v1", 5, {"a"}, 1)
    assert (two_regions.repairs(), two_regions.poison) == (0, [])


def test_concurrent_writes_of_two_regions_are_both_kept(two_regions: Deployment) -> None:
    """Counter and set have what both wrote; the register has the later write."""
    two_regions.play(PARTED + "A: x Data=a Balance+5 Tags+{a} #k1 | B: x Data=b Balance+7 Tags+{b} #k2 | heal A B")
    item = two_regions.everywhere("x")
    assert (item["Data"], item["Balance"], item["Tags"], item["Version"]) == ("b", 12, {"a", "b"}, 3)
    assert two_regions.repairs() >= 1
    assert two_regions.poison == []


def test_a_retry_in_the_other_region_before_replication_counts_once(two_regions: Deployment) -> None:
    """One request, executed in both Regions while they are parted, is one write."""
    two_regions.play(PARTED + "A: x Balance+5 Tags+{a} #k1 | B: x Balance+5 Tags+{a} #k1 | heal A B")
    item = two_regions.everywhere("x")
    assert two_regions.statuses == ["applied", "applied", "applied"]
    assert (item["Balance"], item["Tags"]) == (5, {"a"})


def test_a_retry_after_replication_is_a_duplicate(two_regions: Deployment) -> None:
    """The other Region knows the write by its ledger."""
    two_regions.play("A: x Balance+5 #k1 | settle | B: x Balance+5 #k1 | A: x Balance+5 #k1")
    assert two_regions.statuses == ["applied", "duplicate", "duplicate"]
    assert two_regions.everywhere("x")["Balance"] == 5


def test_a_retry_of_a_write_that_was_overwritten_counts_once(two_regions: Deployment) -> None:
    """Sent again to where it was lost, before the worker has seen the loss, it is not counted twice."""
    two_regions.play(PARTED + "A: x Balance+5 #k1 | B: x Balance+7 #k2 | heal A B | A: x Balance+5 #k1")
    assert two_regions.everywhere("x")["Balance"] == 12
    assert two_regions.poison == []


def test_a_repair_that_is_itself_overwritten_is_repaired(two_regions: Deployment) -> None:
    """A repair is a write like any other, and can lose like any other; the next record tells."""
    two_regions.play(
        PARTED + "A: x Balance+5 #k1 | B: x Balance+7 #k2 | heal A B | cut A B | "
        "A works 9 | B: x Balance+90 #k3 | heal A B"
    )
    assert two_regions.everywhere("x")["Balance"] == 102
    assert two_regions.repairs() >= 2
    assert two_regions.poison == []


def test_many_writes_of_a_partition_survive_it(two_regions: Deployment) -> None:
    """Each Region's whole run of writes is in the item, whichever run was overwritten."""
    here = " | ".join(f"A: x Balance+{n} Tags+{{a{n}}} #a{n}" for n in range(1, 9))
    there = " | ".join(f"B: x Balance+{10 * n} Tags+{{b{n}}} #b{n}" for n in range(1, 9))
    two_regions.play(f"cut A B | {here} | {there} | heal A B")
    item = two_regions.everywhere("x")
    assert item["Balance"] == 36 + 360
    assert item["Tags"] == {f"{side}{n}" for side in "ab" for n in range(1, 9)}
    assert item["Version"] == 16


def test_every_policy_joins(two_regions: Deployment) -> None:
    """Maximum, rank and the members of a map join each by its own policy."""
    two_regions.play(
        PARTED
        + "A: x Limit=9 Status=active Profile/Name=Ana Profile/LoginCount+2 #k1 | "
        + "B: x Limit=4 Status=closed Profile/City=Rome Profile/LoginCount+3 #k2 | heal A B"
    )
    item = two_regions.everywhere("x")
    assert (item["Limit"], item["Status"]) == (9, "closed")
    assert item["Profile"] == {"Name": "Ana", "City": "Rome", "LoginCount": 5}


def test_of_an_addition_and_a_removal_at_once_the_addition_wins(two_regions: Deployment) -> None:
    """A removal takes only what it has seen; what the other Region adds meanwhile stays."""
    two_regions.play("A: x Tags+{a,b} #k0 | settle | cut A B | A: x Tags-{a,b} #k1 | B: x Tags+{b,c} #k2 | heal A B")
    assert two_regions.everywhere("x")["Tags"] == {"b", "c"}


@pytest.mark.parametrize("order", ["A: x delete #k1 | B: x Balance+7 #k2", "B: x Balance+7 #k2 | A: x delete #k1"])
def test_a_delete_beats_what_it_has_not_seen(two_regions: Deployment, order: str) -> None:
    """Whichever the platform takes for the later: the delete wins everywhere, and nothing comes back."""
    two_regions.play(f"A: x Balance+5 #k0 | settle | cut A B | {order} | heal A B")
    item = two_regions.everywhere("x")
    assert "Balance" not in item
    assert "Deleted" in item["Causality"]


def test_a_transaction_that_lost_is_repaired_on_every_item(two_regions: Deployment) -> None:
    """Both transactions' additions are in both items."""
    two_regions.play(
        "cut A B | A: x Data=a Balance-5 & y Data=a Balance+5 #t1 | "
        "B: x Data=b Balance-3 & y Data=b Balance+3 #t2 | heal A B"
    )
    left, right = two_regions.everywhere("x"), two_regions.everywhere("y")
    assert (left["Balance"], right["Balance"]) == (-8, 8)
    assert left["Data"] == right["Data"] == "b"


def test_a_redelivered_batch_changes_nothing(two_regions: Deployment) -> None:
    """Lambda delivers at least once: the same records again make no write and no message."""
    two_regions.play(PARTED + "A: x Balance+5 #k1 | B: x Balance+7 #k2 | heal A B")
    before = two_regions.everywhere("x")
    seen = [len(place.delivered) for place in two_regions.places.values()]
    two_regions.play("A rewinds 9 | B rewinds 9")
    assert two_regions.everywhere("x") == before
    assert [len(place.delivered) for place in two_regions.places.values()] == seen
    assert two_regions.poison == []


def test_a_record_that_nobody_can_read_is_in_the_queue_with_both_images(two_regions: Deployment) -> None:
    """Bookkeeping broken by hand goes to the poison queue whole, and does not hold up the others."""
    two_regions.play("A: x Data=v1 #k1")
    broken = {"Id": {"S": "x"}, "Data": {"S": "by hand"}, "Causality": {"S": "?"}}
    two_regions.put_by_hand(A, broken)
    two_regions.play("A: y Balance+1 #k2")
    messages = {message.id: message for message in two_regions.poison}
    assert [message.new_image for message in messages.values()] == [broken]
    assert all((message.old_image or {})["Data"] == {"S": "v1"} for message in messages.values())
    assert two_regions.everywhere("y")["Balance"] == 1


def test_three_regions_that_all_write_keep_all_three(three_regions: Deployment) -> None:
    """Each Region forgets something else; together the workers forget nothing."""
    three_regions.play(
        "A: x Data=v0 #k0 | cut A B | cut A C | cut B C | "
        "A: x Data=a Balance+1 Tags+{a} #k1 | B: x Data=b Balance+10 Tags+{b} #k2 | "
        "C: x Data=c Balance+100 Tags+{c} #k3 | heal A B | heal A C | heal B C"
    )
    item = three_regions.everywhere("x")
    assert (item["Data"], item["Balance"], item["Tags"], item["Version"]) == ("c", 111, {"a", "b", "c"}, 4)
    assert three_regions.poison == []


def test_a_third_region_need_not_see_the_lost_write(three_regions: Deployment) -> None:
    """C is cut off from A, whose write it only gets inside the repair of another."""
    three_regions.play("cut A B | cut A C | A: x Balance+5 #k1 | B: x Balance+7 #k2 | settle | heal A B | heal A C")
    assert three_regions.everywhere("x")["Balance"] == 12


def test_a_request_sent_to_three_regions_counts_once(three_regions: Deployment) -> None:
    """Three executions of one write before any of them met are one write."""
    asked = " | ".join(f"{region}: x Balance+5 Tags+{{a}} #k1" for region in "ABC")
    three_regions.play(f"cut A B | cut A C | cut B C | {asked} | heal A B | heal A C | heal B C | C: x Balance+5 #k1")
    assert three_regions.statuses == ["applied", "applied", "applied", "duplicate"]
    assert three_regions.everywhere("x")["Balance"] == 5
