"""One request, executed: at most once for its key, in any Region, on whatever stands there."""

from decimal import Decimal
from typing import Any

import pytest

from reconciler.errors import (
    CausalityFullError,
    ConfigurationError,
    ContentionError,
    ItemError,
    RequestError,
    TooLargeError,
)
from reconciler.policy import AttributePolicy, Kind, Recreate, Region
from reconciler.size import value_bytes
from reconciler.stamps import write_id
from reconciler.writer import Writer
from tests.worker.replicas import KEY, NOW, POLICY, A, B, Replica, deliver, image_of, never_pause, plain_item, policy
from tests.writer.tables import Forgetful, Interrupted

GIVEN: dict[str, Any] = {
    "Set": {"Data": "v", "Limit": 5, "Status": "active", "Note": "long note", "Seen": {"a"}, "Profile/Name": "Ana"},
    "Add": {"Balance": 10, "Profile/Logins": 1},
    "AddToSet": {"Tags": ["a", "b"], "Profile/Roles": ["r"]},
}


def attributes(replica: Replica) -> dict[str, Any]:
    """Return the item's attributes that are the user's own."""
    return {name: value for name, value in replica.item.items() if POLICY.is_users(name)}


def test_every_operation_shows_as_a_plain_attribute() -> None:
    """Any reader sees what was asked for; bookkeeping is apart."""
    replica = Replica()
    result = replica.write("k1", **GIVEN)
    assert attributes(replica) == {
        "Data": "v",
        "Limit": 5,
        "Status": "active",
        "Note": "long note",
        "Seen": {"a"},
        "Profile": {"Name": "Ana", "Logins": 1, "Roles": {"r"}},
        "Balance": 10,
        "Tags": {"a", "b"},
    }
    assert (result["status"], result["version"], result["item"]) == ("applied", 1, replica.item)
    bookkeeping = {"Version": 1, "Timestamp": NOW, "LastUpdatedRegion": A, "IdempotencyKey": "k1"}
    assert {name: replica.item[name] for name in bookkeeping} == bookkeeping


@pytest.mark.parametrize(
    ("request_", "status", "name", "value"),
    [
        ({"Set": {"Data": "w"}}, "applied", "Data", "w"),
        ({"Data": "w"}, "applied", "Data", "w"),
        ({"Remove": ["Data"]}, "applied", "Data", None),
        ({"Remove": ["Absent"]}, "applied", "Absent", None),
        ({"Set": {"Limit": 9}}, "applied", "Limit", 9),
        ({"Set": {"Limit": 1}}, "superseded", "Limit", 5),
        ({"Set": {"Status": "closed"}}, "applied", "Status", "closed"),
        ({"Set": {"Status": "pending"}}, "superseded", "Status", "active"),
        ({"Set": {"Note": "a longer note"}}, "applied", "Note", "a longer note"),
        ({"Set": {"Note": "short"}}, "superseded", "Note", "long note"),
        ({"AddToSet": {"Seen": ["b"]}}, "applied", "Seen", {"a", "b"}),
        ({"Set": {"Seen": {"b"}}}, "applied", "Seen", {"a", "b"}),
        ({"AddToSet": {"Seen": ["a"]}}, "superseded", "Seen", {"a"}),
        ({"Add": {"Balance": -12}}, "applied", "Balance", -2),
        ({"Add": {"Balance": -10}}, "applied", "Balance", 0),
        ({"Add": {"Balance": 0}}, "superseded", "Balance", 10),
        ({"AddToSet": {"Tags": ["c"]}, "RemoveFromSet": {"Tags": ["a"]}}, "applied", "Tags", {"b", "c"}),
        ({"RemoveFromSet": {"Tags": ["a", "b"]}}, "applied", "Tags", None),
        ({"RemoveFromSet": {"Tags": ["z"]}}, "superseded", "Tags", {"a", "b"}),
        ({"Set": {"Profile": {"Name": "Bo"}}}, "applied", "Profile", {"Name": "Bo", "Logins": 1, "Roles": {"r"}}),
        ({"Remove": ["Profile/Name"]}, "applied", "Profile", {"Logins": 1, "Roles": {"r"}}),
        ({"Set": {"Data": "old"}, "Timestamp": NOW - 1}, "superseded", "Data", "v"),
        ({"Set": {"Data": "new"}, "Timestamp": NOW + 5_000}, "applied", "Data", "new"),
    ],
)
def test_an_operation_meets_what_stands_there(request_: dict[str, Any], status: str, name: str, value: object) -> None:
    """Each policy takes what is later or greater by its own order; every execution raises Version."""
    replica = Replica()
    replica.write("k1", **GIVEN)
    result = replica.write("k2", **request_)
    assert (result["status"], replica.item.get(name)) == (status, value)
    assert (result["version"], replica.item["Version"]) == (2, 2)
    assert write_id("k2") in replica.item["Causality"]["Writes"]


def test_a_map_whose_members_are_all_gone_is_left_out() -> None:
    """Removing a whole map removes each member that is present."""
    replica = Replica(policy=policy(attributes={"Profile": AttributePolicy(Kind.MAP)}))
    replica.write("k1", Set={"Profile": {"a": 1, "b": {"c": 2}}, "Data": 1})
    replica.write("k2", Remove=["Profile"])
    assert attributes(replica) == {"Data": 1}


def test_a_delete_leaves_a_tombstone() -> None:
    """The content goes, the ledger goes on, and TTL may sweep it after `tombstone_ttl`."""
    replica = Replica()
    replica.write("k1", **GIVEN)
    result = replica.write("k2", Delete=True)
    assert result["status"] == "applied"
    assert attributes(replica) == {}
    assert replica.item["ExpiresAt"] == (NOW + POLICY.tombstone_ttl_ms) // 1000
    assert replica.item["Causality"]["Writes"].keys() == {write_id("k1"), write_id("k2")}


def test_deleting_an_absent_item_leaves_a_tombstone_too() -> None:
    """A create that this Region had not seen yet is what the client wants gone."""
    replica = Replica()
    assert replica.write("k1", Delete=True)["status"] == "applied"
    assert "ExpiresAt" in replica.item


def test_a_write_fills_the_new_life() -> None:
    """Re-creating removes ExpiresAt, and nothing of the older life returns."""
    replica = Replica()
    replica.write("k1", **GIVEN)
    replica.write("k2", Delete=True)
    assert replica.write("k3", Add={"Balance": 1})["status"] == "applied"
    assert attributes(replica) == {"Balance": 1}
    assert "ExpiresAt" not in replica.item


def test_a_write_to_a_tombstone_may_be_refused() -> None:
    """With `recreate = "refuse"` it is answered `deleted`, and nothing is written."""
    replica = Replica(policy=policy(recreate=Recreate.REFUSE))
    replica.write("k1", Delete=True)
    shown = len(replica.stream)
    assert replica.write("k2", Data=1)["status"] == "deleted"
    assert replica.write("k3", Delete=True)["status"] == "deleted"
    assert len(replica.stream) == shown


def test_a_deletes_time_has_no_say() -> None:
    """A Delete with a client's time in the past deletes all the same, and is never superseded."""
    replica = Replica()
    replica.write("k1", Data="v")
    assert replica.write("k2", Delete=True, Timestamp=NOW - 1_000_000)["status"] == "applied"
    assert attributes(replica) == {}


# Idempotency


def test_a_key_executes_once() -> None:
    """The same request again is a duplicate with the same answer, and changes nothing."""
    replica = Replica()
    first = replica.write("k1", Add={"Balance": 5})
    again = replica.write("k1", Add={"Balance": 5})
    assert again == {**first, "status": "duplicate"}
    assert len(replica.stream) == 1


def test_a_key_executes_once_in_all_regions() -> None:
    """The ledger replicates with the item: the other Region knows the key."""
    a, b = Replica(A), Replica(B)
    a.write("k1", Add={"Balance": 5})
    deliver(a, b)
    assert b.write("k1", Add={"Balance": 5})["status"] == "duplicate"
    assert b.item["Balance"] == 5


def test_a_retry_that_has_seen_other_writes_is_another_execution() -> None:
    """A Region whose clock is behind executes what it has forgotten at the very same tick, and tells the two apart."""
    request, ahead = {"IdempotencyKey": "k9", "RemoveFromSet": {"Tags": ["a"]}}, NOW + 4_000
    base = image_of({"IdempotencyKey": "k1", "AddToSet": {"Tags": ["a"]}}, at=ahead)
    other = image_of({"IdempotencyKey": "k2", "AddToSet": {"Tags": ["a"]}}, at=ahead, region=B)
    executed = [image_of(request, on=on) for on in (base, base, {**base, "Causality": other["Causality"]})]
    first, again, elsewhere = (image["Causality"]["M"]["Writes"]["M"][write_id("k9")]["NS"][0] for image in executed)
    assert first == again
    assert first != elsewhere
    assert first[:17] == elsewhere[:17]


def test_a_retry_after_a_delete_that_had_seen_it_stays_a_duplicate() -> None:
    """The ledger outlives the content."""
    replica = Replica()
    replica.write("k1", Add={"Balance": 5})
    replica.write("k2", Delete=True)
    assert replica.write("k1", Add={"Balance": 5})["status"] == "duplicate"
    assert replica.write("k2", Delete=True)["status"] == "duplicate"


def test_without_a_key_each_call_is_a_new_write() -> None:
    """The writer draws a key, and says which."""
    replica = Replica()
    writer = replica.writer()
    results = [writer.process_event({"Id": "x", "Add": {"Balance": 1}}) for _ in range(2)]
    assert [result["idempotency_key"] for result in results] == ["random-1", "random-2"]
    assert replica.item["Balance"] == 2


def test_duplicate_is_tested_before_all_else() -> None:
    """A retry is a duplicate even of a tombstone that refuses, with expectations that no longer hold."""
    replica = Replica(policy=policy(recreate=Recreate.REFUSE))
    replica.write("k1", Delete=True)
    assert replica.write("k1", Delete=True, ExpectedVersion=7)["status"] == "duplicate"
    assert replica.write("k2", Data=1, ExpectedVersion=7)["status"] == "deleted"


# Expectations


def test_expected_version_0_means_absent() -> None:
    """It creates, and re-creates a tombstone, but touches nothing that exists."""
    replica = Replica()
    assert replica.write("k1", Data=1, ExpectedVersion=0)["status"] == "applied"
    assert replica.write("k2", Data=2, ExpectedVersion=0)["status"] == "version_conflict"
    replica.write("k3", Delete=True)
    assert replica.write("k4", Data=4, ExpectedVersion=0)["status"] == "applied"


def test_expected_version_0_is_no_plain_item_without_a_version() -> None:
    """A plain item exists, though its Version counts as 0."""
    replica = Replica()
    replica.holds(plain_item(None, None, Data="v"))
    assert replica.write("k1", Data=1, ExpectedVersion=0)["status"] == "version_conflict"


@pytest.mark.parametrize(("version", "status"), [(1, "version_conflict"), (2, "applied"), (3, "version_conflict")])
def test_an_expected_version_must_be_the_items(version: int, status: str) -> None:
    """A conflict answers with the item as it is, and writes nothing."""
    replica = Replica()
    replica.write("k1", Data=1)
    replica.write("k2", Data=2)
    result = replica.write("k3", Data=3, ExpectedVersion=version)
    assert (result["status"], result["item"]) == (status, replica.item)
    assert (replica.item["Data"] == 3) is (status == "applied")


def test_nothing_absent_has_a_version_or_a_token() -> None:
    """Expectations of an absent item fail; its answer has neither item nor token."""
    replica = Replica()
    nothing = {"status": "version_conflict", "version": 0, "token": None, "item": None, "idempotency_key": "k1"}
    assert replica.write("k1", Data=1, ExpectedVersion=1) == nothing
    assert replica.write("k1", Data=1, ExpectedToken="t") == nothing


def test_a_token_identifies_the_exact_state() -> None:
    """Two Regions at the same Version are told apart by token, where ExpectedVersion cannot."""
    a, b = Replica(A), Replica(B)
    a.write("k0", Data=0)
    deliver(a, b)
    seen = a.write("k1", Data=1)
    b.write("k2", Data=2)
    assert b.write("k3", Data=3, ExpectedVersion=seen["version"], ExpectedToken=seen["token"])["status"] == (
        "version_conflict"
    )
    assert a.write("k3", Data=3, ExpectedToken=seen["token"])["status"] == "applied"
    assert a.write("k4", Data=4, ExpectedToken=seen["token"])["status"] == "version_conflict"


# Clocks


def test_a_clients_time_too_far_ahead_is_refused() -> None:
    """Up to `max_clock_skew` ahead is accepted; one more millisecond is an error that says how far."""
    replica = Replica()
    replica.write("k1", Data=1, Timestamp=NOW + 5_000)
    with pytest.raises(RequestError, match="Timestamp: is 5001 ms ahead of this Region's clock; at most 5000"):
        replica.write("k2", Data=1, Timestamp=NOW + 5_001)


def test_a_skewed_item_is_measured_and_never_refused() -> None:
    """An item stamped ahead of this clock by more than `max_clock_skew` is counted; its next write comes after it."""
    replica = Replica()
    replica.write("k1", Data="ahead")
    replica.clock.now_ms -= 60_000
    assert replica.write("k2", Data="next")["status"] == "applied"
    assert replica.item["Data"] == "next"
    assert replica.meter.counts == {"skewed_items": 1, "skew_ms": 60_000}


def test_a_writer_belongs_to_a_region_of_the_policy() -> None:
    """A Region that the policy does not know is named, with those that it does."""
    with pytest.raises(ConfigurationError, match=r"'mars-1' is not in the policy's regions \['us-east-1'"):
        Replica(Region("mars-1")).writer()


# Limits


def test_a_full_causality_asks_to_slow_down() -> None:
    """What is younger than `min_window` never folds: one more write would be too many, for now."""
    full = image_of(*({"IdempotencyKey": f"k{number}", "Data": number} for number in range(4)))
    limit = value_bytes(full["Causality"])
    replica = Replica(policy=policy(max_causality_bytes=limit))
    replica.holds(full)
    with pytest.raises(
        CausalityFullError, match=rf"more than max_causality_bytes {limit}.*slow down and retry"
    ) as caught:
        replica.write("one too many", Data="v")
    assert caught.value.retryable
    assert replica.image == full
    replica.policy = policy(max_causality_bytes=limit + 100)
    assert replica.write("room again", Data="v")["status"] == "applied"


def test_a_causality_that_no_fold_can_empty_is_refused_for_good() -> None:
    """Set elements keep their dots: no waiting helps, so the error is not one to retry; what shrinks it is accepted."""
    replica = Replica(policy=policy(max_causality_bytes=1024))
    with pytest.raises(TooLargeError, match=r"Causality: would keep .* max_causality_bytes is 1024") as caught:
        replica.write("k1", AddToSet={"Tags": [f"tag{number}" for number in range(100)]})
    assert not caught.value.retryable
    replica.policy = policy()
    replica.write("k2", AddToSet={"Tags": [f"tag{number}" for number in range(100)]})
    replica.policy = policy(max_causality_bytes=1024)
    assert replica.write("k3", RemoveFromSet={"Tags": ["tag1", "tag2"]})["status"] == "applied"


def test_old_writes_fold() -> None:
    """At twice `max_writes` all but the newest go anonymous: Version and counters stay, old keys are forgotten."""
    replica = Replica(policy=policy(max_writes=3, min_window_ms=1_000))
    for number in range(1, 7):
        replica.clock.now_ms += 1_000
        replica.write(f"k{number}", Add={"Balance": number})
    causality = replica.item["Causality"]
    assert (replica.item["Version"], replica.item["Balance"]) == (6, 21)
    assert (causality["Folded"]["Count"], len(causality["Writes"])) == (3, 3)
    assert replica.write("k4", Add={"Balance": 4})["status"] == "duplicate"
    assert replica.write("k1", Add={"Balance": 1})["status"] == "applied"


def test_the_newest_key_is_known_even_where_it_is_folded() -> None:
    """The item's own IdempotencyKey names a write that the item includes."""
    replica = Replica()
    replica.holds(plain_item(3, NOW - 1_000, Data="v", IdempotencyKey="k1"))
    assert replica.write("k1", Data="w")["status"] == "duplicate"


@pytest.mark.parametrize(
    ("request_", "field"),
    [
        ({"Add": {"Balance": Decimal("0.1")}}, "Balance"),
        ({"AddToSet": {"Tags": [1]}}, "Tags"),
        ({"AddToSet": {"Seen": [1]}}, "Seen"),
        ({"Set": {"Note": 5}}, "Note"),
    ],
)
def test_what_the_item_could_not_hold_is_the_requests_fault(request_: dict[str, Any], field: str) -> None:
    """A sum beyond 38 digits, a set of two types, a value that a custom policy cannot merge: the attribute is named."""
    replica = Replica()
    given = {"Add": {"Balance": 10**38 - 1}, "Set": {"Note": "text"}, "AddToSet": {"Tags": ["a"], "Seen": ["a"]}}
    replica.write("k1", **given)
    before = replica.image
    with pytest.raises(RequestError) as caught:
        replica.write("k2", **request_)
    assert caught.value.field == field
    assert replica.image == before


def test_an_item_too_large_is_said_to_be() -> None:
    """What passes DynamoDB's 400 KB is no request to repeat."""
    replica = Replica()
    with pytest.raises(TooLargeError) as caught:
        replica.write("k1", Data="v" * 400 * 1024)
    assert not caught.value.retryable


# Races


def test_a_lost_race_is_retried_from_the_returned_item() -> None:
    """The other's write stays, ours is applied to it; nothing is read again."""
    other = Replica()
    other.write("k0", Add={"Balance": 1})
    table = Interrupted(other.table, lambda: other.write("k1", Add={"Balance": 10}))
    pauses: list[int] = []
    result = (
        Replica(table=table)
        .writer(pause=pauses.append)
        .process_event({"Id": "x", "IdempotencyKey": "k2", "Add": {"Balance": 100}})
    )
    assert (result["status"], result["version"], other.item["Balance"]) == ("applied", 3, 111)
    assert pauses == [1]


def test_a_lost_race_for_a_new_item_becomes_an_update() -> None:
    """Creation is conditional on absence."""
    other = Replica()
    replica = Replica(table=Interrupted(other.table, lambda: other.write("k1", Set={"Theirs": 1})))
    replica.write("k2", Set={"Ours": 2})
    assert (other.item["Theirs"], other.item["Ours"]) == (1, 2)


def test_an_item_that_vanishes_is_created() -> None:
    """An update demands that the item exists; where it is gone, the request is judged against nothing."""
    other = Replica()
    other.write("k0", Set={"Old": 1})
    replica = Replica(table=Interrupted(other.table, lambda: other.holds(None)))
    assert replica.write("k1", Set={"New": 1})["version"] == 1
    assert "Old" not in other.item


def test_expectations_are_judged_afresh() -> None:
    """What held when it was read need not hold when it is written."""
    other = Replica()
    other.write("k0", Data=0)
    replica = Replica(table=Interrupted(other.table, lambda: other.write("k1", Data=1)))
    assert replica.write("k2", Data=2, ExpectedVersion=1)["status"] == "version_conflict"
    assert other.item["Data"] == 1


def test_attempts_are_bounded() -> None:
    """Races lost without end come to a retryable error, after as many attempts as were allowed, with pauses between."""
    other = Replica()
    numbers = iter(range(100))
    table = Interrupted(other.table, *[lambda: other.write(f"o{next(numbers)}", Data=1)] * 10)
    pauses: list[int] = []
    writer = Replica(table=table).writer(attempts=3, pause=pauses.append)
    with pytest.raises(ContentionError, match="lost 3 races") as caught:
        writer.process_event({"Id": "x", "Data": 2})
    assert caught.value.retryable
    assert (len(table.changes), pauses) == (3, [1, 2])


@pytest.mark.parametrize("request_", [{"Add": {"Balance": 5}}, {"Delete": True}])
def test_ones_own_attempt_is_recognised(request_: dict[str, Any]) -> None:
    """Where the answer got lost and the call was repeated, the item that came back has this very execution."""
    other = Replica()
    other.write("k0", Data=0)
    result = Replica(table=Forgetful(other.table)).write("k1", **request_)
    assert (result["status"], result["version"], result["item"]) == ("applied", 2, other.item)
    assert len(other.stream) == 2


def test_another_execution_of_the_key_is_a_duplicate() -> None:
    """The same request won the race in another process: it is not taken for one's own attempt."""
    other = Replica()
    other.write("k0", Data=0)
    other.clock.now_ms += 1

    def same_request() -> None:
        other.write("k1", Add={"Balance": 5})

    assert (
        Replica(table=Interrupted(other.table, same_request)).write("k1", Add={"Balance": 5})["status"] == "duplicate"
    )
    assert other.item["Balance"] == 5


def test_a_write_is_conditional_on_the_causality_that_it_read() -> None:
    """Nothing else need stand still, and only what differs is set: what a foreign writer adds stays."""
    other = Replica()
    other.write("k0", Data=0)

    def foreign() -> None:
        image = other.image
        assert image is not None
        other.holds({**image, "Foreign": {"S": "f"}})

    table = Interrupted(other.table, foreign)
    Replica(table=table).write("k1", Set={"More": 1})
    assert (other.item["Foreign"], other.item["More"]) == ("f", 1)
    assert table.changes[0].expects.keys() == {"Causality"}
    assert "Data" not in table.changes[0].sets


# Adoption of plain items


def test_a_plain_items_first_write_adopts_it() -> None:
    """What it was is folded: its Version counts on, its attributes stay, each by its policy."""
    replica = Replica()
    replica.holds(plain_item(7, NOW - 1_000, Data="v", Balance=40, Tags={"a"}, IdempotencyKey="k0"))
    result = replica.write("k1", Add={"Balance": 2}, AddToSet={"Tags": ["b"]})
    assert (result["status"], result["version"]) == ("applied", 8)
    assert attributes(replica) == {"Data": "v", "Balance": 42, "Tags": {"a", "b"}}
    assert replica.item["Causality"]["Folded"]["Count"] == 7


def test_a_later_client_time_in_a_plain_item_wins() -> None:
    """Adopted registers have the stamp of the item's own Timestamp."""
    replica = Replica()
    replica.holds(plain_item(1, NOW - 1_000, Data="plain"))
    assert replica.write("k1", Data="older", Timestamp=NOW - 2_000)["status"] == "superseded"
    assert replica.item["Data"] == "plain"


def test_without_a_usable_time_the_first_write_wins() -> None:
    """Seconds instead of milliseconds stamp nothing."""
    replica = Replica()
    replica.holds(plain_item(1, 1_700_000_000, Data="plain"))
    assert replica.write("k1", Data="ours", Timestamp=10**12 + 1)["status"] == "applied"
    assert replica.item["Data"] == "ours"


def test_a_plain_value_that_does_not_fit_its_policy_is_named() -> None:
    """Adoption fails loudly and leaves the item alone."""
    replica = Replica()
    replica.holds(plain_item(1, NOW, Balance="forty"))
    with pytest.raises(ItemError, match="Balance: is S, but its policy is counter"):
        replica.write("k1", Data=1)
    assert replica.item["Balance"] == "forty"


@pytest.mark.parametrize(
    "meanwhile",
    [
        plain_item(8, NOW, Data="v", IdempotencyKey="k0"),
        plain_item(7, NOW + 1, Data="v", IdempotencyKey="k0"),
        plain_item(7, NOW, Data="v", IdempotencyKey="other"),
        plain_item(7, NOW, Data="v"),
        plain_item(None, NOW, Data="v", IdempotencyKey="k0"),
    ],
)
def test_adoption_is_conditional_on_what_tells_plain_items_apart(meanwhile: Any) -> None:
    """Another Version, Timestamp or IdempotencyKey, or none where there was one, is another item to start from."""
    other = Replica()
    other.holds(plain_item(7, NOW, Data="v", IdempotencyKey="k0"))
    table = Interrupted(other.table, lambda: other.holds(meanwhile))
    Replica(table=table).write("k1", Add={"Balance": 1})
    assert len(table.changes) == 2
    seen = {name: meanwhile.get(name) for name in ("Version", "Timestamp", "IdempotencyKey")}
    assert table.changes[1].expects == {"Causality": None, **seen}


def test_adoption_finds_the_item_adopted() -> None:
    """Two first writes at once: the second is joined to what the first has adopted."""
    other = Replica()
    other.holds(plain_item(7, NOW - 1, Balance=40))
    replica = Replica(table=Interrupted(other.table, lambda: other.write("k1", Add={"Balance": 1})))
    assert replica.write("k2", Add={"Balance": 1})["version"] == 9
    assert other.item["Balance"] == 42


def test_an_envelope_is_executed() -> None:
    """A TMF688 event runs through, under its own id and time."""
    replica = Replica()
    envelope = {"eventId": "e1", "eventTime": "2023-11-14T22:13:20Z", "event": {"Id": "x", "Data": "v"}}
    results = [replica.writer().process_event(envelope)["status"] for _ in range(2)]
    assert (results, replica.item["IdempotencyKey"], replica.item["Timestamp"]) == (["applied", "duplicate"], "e1", NOW)


def test_ten_attempts_are_the_default() -> None:
    """Who names no bound has one."""
    other = Replica()
    numbers = iter(range(100))
    table = Interrupted(other.table, *[lambda: other.write(f"o{next(numbers)}", Data=1)] * 20)
    writer = Writer(table, A, POLICY, clock=other.clock, new_key=lambda: "k", pause=never_pause, meter=other.meter)
    with pytest.raises(ContentionError, match="lost 10 races"):
        writer.process_event({**dict.fromkeys(KEY, "x"), "Data": 2})
