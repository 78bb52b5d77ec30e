"""A transaction: several items of one Region, all or none, at most once for its key."""

from dataclasses import replace
from typing import Any

import pytest

from reconciler.attempt import transaction_token
from reconciler.change import change_between
from reconciler.errors import ContentionError, RequestError
from reconciler.policy import Recreate
from reconciler.wire import Image, plain_image
from tests.worker.replicas import KEY, NOW, Replica, policy
from tests.writer.tables import Forgetful, Interrupted

TRANSFER: list[dict[str, Any]] = [{"Id": "x", "Add": {"Balance": -5}}, {"Id": "y", "Add": {"Balance": 5}}]


def named(replica: Replica, name: str) -> dict[str, Any]:
    """Return an item, as boto3's resources give it; empty where it is absent."""
    key: Image = {"Id": {"S": name}}
    return plain_image(replica.table.read(key) or {})


def transact(replica: Replica, events: Any = TRANSFER, key: str | None = "t1", **more: Any) -> dict[str, Any]:
    """Execute a transaction."""
    return replica.writer().process_transaction(events, key, **more)


def test_all_items_share_the_write_id_and_the_stamps() -> None:
    """A conflict of registers then picks the same transaction on every item."""
    replica = Replica()
    replica.clock.now_ms += 7
    replica.write("k0", Data=0)
    replica.clock.now_ms -= 7
    result = transact(replica, TRANSFER[::-1])
    result["results"].reverse()
    assert (result["status"], result["idempotency_key"]) == ("applied", "t1")
    assert [each["version"] for each in result["results"]] == [2, 1]
    assert [each["item"] for each in result["results"]] == [named(replica, "x"), named(replica, "y")]
    x, y = named(replica, "x"), named(replica, "y")
    assert (x["Balance"], y["Balance"]) == (-5, 5)
    assert x["Causality"]["Stamp"] == y["Causality"]["Stamp"]
    assert y["Causality"]["Writes"].items() <= x["Causality"]["Writes"].items()
    assert y["Timestamp"] == NOW + 7  # above every stamp in all items: x was ahead of the clock


def test_all_items_share_the_clients_time() -> None:
    """The transaction's Timestamp is the value stamp on each."""
    replica = Replica()
    transact(replica, [{"Id": "x", "Data": 1}, {"Id": "y", "Data": 1}], timestamp=NOW - 9)
    assert [named(replica, name)["Timestamp"] for name in "xy"] == [NOW - 9] * 2


def test_a_transaction_executes_once() -> None:
    """Again under the same key it is a duplicate."""
    replica = Replica()
    transact(replica)
    again = transact(replica)
    assert [again["status"], *(each["status"] for each in again["results"])] == ["duplicate"] * 3
    assert len(replica.stream) == 2


def test_it_is_a_duplicate_if_any_item_has_the_id() -> None:
    """Nothing is written then, not even where the id is missing."""
    replica = Replica()
    replica.write("t1", Data="v")
    result = transact(replica)
    assert (result["status"], [each["status"] for each in result["results"]]) == (
        "duplicate",
        ["duplicate", "not_applied"],
    )
    assert named(replica, "y") == {}


def test_without_a_key_one_is_drawn_for_all() -> None:
    """The answer says which."""
    replica = Replica()
    result = transact(replica, key=None)
    assert result["idempotency_key"] == "random-1"
    assert {each["idempotency_key"] for each in result["results"]} == {"random-1"}


def test_one_version_conflict_stops_all() -> None:
    """All or none: the other item stays as it was."""
    replica = Replica()
    result = transact(replica, [{**TRANSFER[0], "ExpectedVersion": 3}, TRANSFER[1]])
    assert (result["status"], [each["status"] for each in result["results"]]) == (
        "version_conflict",
        ["version_conflict", "not_applied"],
    )
    assert replica.stream == []


def test_one_deleted_item_stops_all() -> None:
    """`deleted` is told before a version conflict."""
    replica = Replica(policy=policy(recreate=Recreate.REFUSE))
    replica.write("k1", Delete=True)
    result = transact(replica, [TRANSFER[0], {**TRANSFER[1], "ExpectedVersion": 3}])
    assert (result["status"], [each["status"] for each in result["results"]]) == ("deleted", ["deleted", "not_applied"])


def test_a_delete_may_take_part() -> None:
    """One item goes as the other comes."""
    replica = Replica()
    replica.write("k0", Data=1)
    transact(replica, [{"Id": "x", "Delete": True}, {"Id": "y", "Data": 1}])
    assert "Data" not in named(replica, "x")
    assert named(replica, "y")["Data"] == 1


def test_superseded_is_the_whole_only_if_every_part_is() -> None:
    """One attribute that came out different makes it applied."""
    replica = Replica()
    replica.write("k0", Set={"Limit": 5})
    lower = {"Id": "x", "Set": {"Limit": 1}}
    assert transact(replica, [lower])["status"] == "superseded"
    result = transact(replica, [lower, TRANSFER[1]], key="t2")
    assert (result["status"], [each["status"] for each in result["results"]]) == (
        "applied",
        ["superseded", "applied"],
    )


@pytest.mark.parametrize(
    ("events", "key", "time", "field", "problem"),
    [
        ("x", "t", None, "Events", "is str; a list of requests was expected"),
        ({}, "t", None, "Events", "is dict; a list of requests was expected"),
        ([], "t", None, "Events", "has 0 requests; 1 to 100 were expected"),
        ([{"Id": f"{n}", "Data": n} for n in range(101)], "t", None, "Events", "has 101 requests"),
        ([5], "t", None, "Events[0]", "is int; a mapping was expected"),
        ([TRANSFER[0], {"Id": "y"}], "t", None, "Events[1].Set", "asks for nothing"),
        ([TRANSFER[0], {"Id": "x", "Data": 1}], "t", None, "Events[1]", "names an item that another event names"),
        ([{**TRANSFER[0], "IdempotencyKey": "k"}], "t", None, "Events[0].IdempotencyKey", "belongs to the transaction"),
        ([{**TRANSFER[0], "Timestamp": NOW}], "t", None, "Events[0].Timestamp", "belongs to the transaction"),
        ([{"eventId": "e", "event": TRANSFER[0]}], "t", None, "Events[0].IdempotencyKey", "belongs to the transaction"),
        (TRANSFER, 5, None, "IdempotencyKey", "is int; text was expected"),
        (TRANSFER, "t", 5, "Timestamp", "have 13 digits"),
        (TRANSFER, "t", NOW + 60_000, "Timestamp", "is 60000 ms ahead"),
    ],
)
def test_a_wrong_transaction_names_its_field(events: Any, key: Any, time: int | None, field: str, problem: str) -> None:
    """Whichever event is wrong, nothing is changed at all."""
    replica = Replica()
    with pytest.raises(RequestError) as caught:
        transact(replica, events, key, timestamp=time)
    assert caught.value.field == field
    assert problem in caught.value.problem
    assert replica.stream == []


def test_a_lost_race_is_retried_with_all_items() -> None:
    """The item that someone changed is judged from what came back, the other as it was read; tokens differ."""
    other = Replica()
    table = Interrupted(other.table, lambda: other.write("k1", Add={"Balance": 100}))
    pauses: list[int] = []
    replica = Replica(table=table)
    result = replica.writer(pause=pauses.append).process_transaction(TRANSFER, "t1")
    assert [each["version"] for each in result["results"]] == [2, 1]
    assert (named(other, "x")["Balance"], named(other, "y")["Balance"]) == (95, 5)
    assert pauses == [1]
    assert len(set(table.tokens)) == 2


def test_the_same_content_has_the_same_token() -> None:
    """A call that is repeated as a whole is one call to DynamoDB; any other content has another token."""
    tokens = []
    for events in (TRANSFER, TRANSFER, TRANSFER[:1]):
        table = Interrupted(Replica().table)
        transact(Replica(table=table), events)
        tokens += table.tokens
    assert (tokens[0] == tokens[1], tokens[0] == tokens[2]) == (True, False)


def test_another_condition_is_another_token() -> None:
    """What is to be written may be the same; what has to stand there is part of the call."""
    change = change_between(KEY, {**KEY, "A": {"N": "1"}}, {**KEY, "A": {"N": "2"}}, ["A"])
    other = replace(change, expects={"A": {"N": "0"}})
    assert transaction_token([change]) != transaction_token([other])


def test_attempts_are_bounded() -> None:
    """Races lost without end come to a retryable error."""
    other = Replica()
    numbers = iter(range(100))
    table = Interrupted(other.table, *[lambda: other.write(f"o{next(numbers)}", Data=1)] * 10)
    pauses: list[int] = []
    with pytest.raises(ContentionError, match="lost 3 races for a transaction's items"):
        Replica(table=table).writer(attempts=3, pause=pauses.append).process_transaction(TRANSFER, "t1")
    assert (len(table.tokens), pauses) == (3, [1, 2])
    assert named(other, "y") == {}


def test_ones_own_attempt_is_recognised() -> None:
    """Where the answer got lost and the call was repeated, the items have this very execution."""
    other = Replica()
    result = transact(Replica(table=Forgetful(other.table)))
    assert [result["status"], *(each["status"] for each in result["results"])] == ["applied"] * 3
    assert [each["version"] for each in result["results"]] == [1, 1]
    assert named(other, "y")["Balance"] == 5
