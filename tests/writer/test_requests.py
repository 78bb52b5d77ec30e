"""Requests: every wrong one is refused by the name of its field, and nothing is changed."""

from decimal import Decimal
from typing import Any

import pytest

from reconciler.errors import RequestError
from reconciler.policy import AttributePolicy, Kind
from reconciler.requests import WriteEvent, parse_request
from tests.worker.replicas import POLICY, Replica, policy

WRONG = [
    pytest.param("x", "request", "is str; a mapping was expected", id="text"),
    pytest.param({}, "Id", "the key attribute is missing", id="no key"),
    pytest.param({"Id": 1.5, "Data": 1}, "Id", "is float: a float is not exact", id="float key"),
    pytest.param({"Id": True, "Data": 1}, "Id", "is bool; a key is text, a number or binary", id="boolean key"),
    pytest.param({"Id": ["x"], "Data": 1}, "Id", "is list; a key is text, a number or binary", id="list as key"),
    pytest.param({"Id": "", "Data": 1}, "Id", "has 0 bytes; 1 to 2048 were expected", id="empty key"),
    pytest.param({"Id": "é" * 1025, "Data": 1}, "Id", "has 2050 bytes; 1 to 2048 were expected", id="long key"),
    pytest.param({"Id": "x"}, "Set", "asks for nothing", id="nothing"),
    pytest.param({"Id": "x", "Set": {}, "Add": {}}, "Set", "asks for nothing", id="empty operations"),
    pytest.param(
        {"Id": "x", "Delete": False}, "Delete", "is false, and nothing else is asked for; true", id="no delete"
    ),
    pytest.param({"Id": "x", "Set": {"Profile": {}}}, "Set", "asks for nothing", id="no members"),
    pytest.param({"Id": "x", "Put": 1, "Set": {"Data": 1}}, "Put", "is no field of a request", id="unknown field"),
    pytest.param({"Id": "x", 5: 1}, "5", "is named by int; names are text", id="number as field"),
    pytest.param({"Id": "x", "": 1}, "''", "names are text and not empty", id="nothing as field"),
    pytest.param({"Id": "x", "Set": ["Data"]}, "Set", "is list; a mapping from attribute names", id="list to set"),
    pytest.param({"Id": "x", "Add": 5}, "Add", "is int; a mapping from attribute names", id="number to add"),
    pytest.param({"Id": "x", "Remove": "Data"}, "Remove", "is str; a list of attribute names", id="text to remove"),
    pytest.param({"Id": "x", "Remove": [5]}, "Remove", "an attribute by int; names are text", id="number to remove"),
    pytest.param({"Id": "x", "Set": {5: 1}}, "Set", "an attribute by int; names are text", id="number as name"),
    pytest.param({"Id": "x", "Set": {"": 1}}, "Set", "names are text and not empty", id="empty name"),
    pytest.param({"Id": "x", "Set": {"\ud800": 1}}, "Set", "by text that UTF-8 cannot encode", id="surrogate as name"),
    pytest.param({"Id": "x", "Set": {"Data": 0.1}}, "Set.Data", "is float: a float is not exact", id="float"),
    pytest.param({"Id": "x", "Set": {"Data": set()}}, "Set.Data", "is set: a set is never empty", id="empty set"),
    pytest.param({"Id": "x", "Set": {"Data": object()}}, "Set.Data", "DynamoDB has no type for object", id="object"),
    pytest.param({"Id": "x", "Data": 10**38 + 1}, "Data", "is int: more than 38 digits", id="39 digits, flat"),
    pytest.param({"Id": "x", "Set": {"Version": 3}}, "Set.Version", "the name is reserved", id="reserved"),
    pytest.param({"Id": "x", "Set": {"Id": "y"}}, "Set.Id", "the name is reserved", id="the key itself"),
    pytest.param({"Id": "x", "Set": {"aws:rep:x": 1}}, "Set.aws:rep:x", "the name is reserved", id="legacy name"),
    pytest.param({"Id": "x", "Set": {"Balance": 3}}, "Set.Balance", "policy is counter: use Add", id="set a counter"),
    pytest.param({"Id": "x", "Set": {"Tags": {"a"}}}, "Set.Tags", "policy is set: use AddToSet", id="set a set"),
    pytest.param({"Id": "x", "Set": {"Limit": [1]}}, "Set.Limit", "is L, but its policy is max", id="max of a list"),
    pytest.param(
        {"Id": "x", "Set": {"Status": "gone"}}, "Set.Status", "is S and is not in the order", id="outside the order"
    ),
    pytest.param({"Id": "x", "Set": {"Status": 5}}, "Set.Status", "rank, which is pending, active", id="no rank"),
    pytest.param({"Id": "x", "Set": {"Seen": "a"}}, "Set.Seen", "is S, but its policy is union", id="union of text"),
    pytest.param({"Id": "x", "Set": {"Profile": 3}}, "Set.Profile", "is N, but its policy is map", id="map to number"),
    pytest.param(
        {"Id": "x", "Set": {"Profile": {"Logins": 3}}}, "Set.Profile/Logins", "is counter: use Add", id="set a member"
    ),
    pytest.param({"Id": "x", "Set": {"Profile": {"": 3}}}, "Set.Profile", "member's name is empty", id="empty member"),
    pytest.param({"Id": "x", "Set": {"Profile/": 3}}, "Set.Profile/", "has an empty segment", id="empty segment"),
    pytest.param({"Id": "x", "Set": {"Profile/a/b": 3}}, "Set.Profile/a/b", "leads into a value", id="into a value"),
    pytest.param({"Id": "x", "Add": {"Data": 1}}, "Add.Data", "policy is latest; Add wants a counter", id="add data"),
    pytest.param({"Id": "x", "Add": {"Balance": "5"}}, "Add.Balance", "is str; a number was expected", id="add text"),
    pytest.param({"Id": "x", "Add": {"Balance": True}}, "Add.Balance", "is bool; a number was expected", id="add true"),
    pytest.param(
        {"Id": "x", "Add": {"Balance": Decimal("NaN")}}, "Add.Balance", "is Decimal: not a finite number", id="add NaN"
    ),
    pytest.param({"Id": "x", "AddToSet": {"Data": ["a"]}}, "AddToSet.Data", "a set was expected", id="no set"),
    pytest.param({"Id": "x", "AddToSet": {"Tags": "ab"}}, "AddToSet.Tags", "is str; a list of elements", id="text"),
    pytest.param({"Id": "x", "AddToSet": {"Tags": []}}, "AddToSet.Tags", "is list: a set is never empty", id="empty"),
    pytest.param({"Id": "x", "AddToSet": {"Tags": ["a", 1]}}, "AddToSet.Tags", "holds only text, only", id="mixed"),
    pytest.param({"Id": "x", "AddToSet": {"Tags": bytearray(b"a")}}, "AddToSet.Tags", "is bytearray", id="bytes"),
    pytest.param({"Id": "x", "RemoveFromSet": {"Seen": ["a"]}}, "RemoveFromSet.Seen", "is union", id="union shrinks"),
    pytest.param(
        {"Id": "x", "AddToSet": {"Tags": ["a"]}, "RemoveFromSet": {"Tags": ["b", "a"]}},
        "RemoveFromSet.Tags",
        "both added (by AddToSet.Tags) and removed",
        id="added and removed",
    ),
    pytest.param(
        {"Id": "x", "AddToSet": {"Tags": ["a"]}, "RemoveFromSet": {"Tags": [1]}},
        "RemoveFromSet.Tags",
        "its elements are N, those of AddToSet.Tags S",
        id="two types",
    ),
    pytest.param({"Id": "x", "Remove": ["Balance"]}, "Remove.Balance", "its policy is counter", id="remove a counter"),
    pytest.param({"Id": "x", "Remove": ["Profile"]}, "Remove.Profile", "its policy is map", id="members no registers"),
    pytest.param({"Id": "x", "Remove": ["a", "a"]}, "Remove.a", "named twice, here and as Remove.a", id="twice"),
    pytest.param({"Id": "x", "Remove": ["a"], "Set": {"a": 1}}, "Set.a", "here and as Remove.a", id="set and removed"),
    pytest.param(
        {"Id": "x", "Set": {"Profile": {"a": 1}, "Profile/a": 2}},
        "Set.Profile/a",
        "is N and named twice, here and as Set.Profile/a; one operation for it was expected",
        id="two ways",
    ),
    pytest.param(
        {"Id": "x", "Add": {"Profile/Logins": 1, "Profile/Lo~0gins": 2}, "Set": {"Profile": {"Lo~gins": 1}}},
        "Add.Profile/Lo~0gins",
        "its policy is latest; Add wants a counter",
        id="add to a member",
    ),
    pytest.param(
        {"Id": "x", "AddToSet": {"Profile/Roles": ["a"], "Profile": 1}}, "AddToSet.Profile", "is map", id="map, no set"
    ),
    pytest.param({"Id": "x", "Delete": 1}, "Delete", "is int; true was expected", id="delete 1"),
    pytest.param({"Id": "x", "Delete": True, "Set": {}}, "Delete", "stands alone, without Set", id="not alone"),
    pytest.param({"Id": "x", "Delete": True, "Data": 1}, "Data", "is no field of a request", id="delete, flat"),
    pytest.param({"Id": "x", "Data": 1, "IdempotencyKey": 5}, "IdempotencyKey", "is int; text", id="number as key"),
    pytest.param({"Id": "x", "Data": 1, "IdempotencyKey": ""}, "IdempotencyKey", "has 0 bytes", id="empty idempotency"),
    pytest.param(
        {"Id": "x", "Data": 1, "IdempotencyKey": "\ud800"}, "IdempotencyKey", "UTF-8 cannot encode", id="half a letter"
    ),
    pytest.param({"Id": "x", "Data": 1, "Timestamp": "now"}, "Timestamp", "is str; a whole number", id="text as time"),
    pytest.param({"Id": "x", "Data": 1, "Timestamp": Decimal("1.5")}, "Timestamp", "is Decimal; a whole", id="half ms"),
    pytest.param(
        {"Id": "x", "Data": 1, "Timestamp": 1700000000}, "Timestamp", "is int out of range; milli", id="seconds"
    ),
    pytest.param({"Id": "x", "Data": 1, "Timestamp": 1700000000}, "Timestamp", "have 13 digits", id="10 digits"),
    pytest.param({"Id": "x", "Data": 1, "Timestamp": True}, "Timestamp", "is bool; a whole number", id="true as time"),
    pytest.param({"Id": "x", "Data": 1, "Timestamp": 10**30}, "Timestamp", "have 13 digits", id="far too great"),
    pytest.param({"Id": "x", "Data": 1, "Timestamp": Decimal("1E+50")}, "Timestamp", "have 13 digits", id="exponent"),
    pytest.param({"Id": "x", "Data": 1, "Timestamp": 10**40 + 1}, "Timestamp", "more than 38 digits", id="beyond all"),
    pytest.param({"Id": "x", "Data": 1, "ExpectedVersion": -1}, "ExpectedVersion", "is -1; 0", id="negative version"),
    pytest.param({"Id": "x", "Data": 1, "ExpectedVersion": True}, "ExpectedVersion", "is bool; a whole", id="true"),
    pytest.param({"Id": "x", "Data": 1, "ExpectedToken": 5}, "ExpectedToken", "is int; text", id="number as token"),
    pytest.param({"eventId": "e", "event": 5}, "event", "is int; a mapping was expected", id="no request"),
    pytest.param(
        {"eventId": "e", "event": {"Id": "x", "request": 0.1}},
        "event.request",
        "is float: a float",
        id="a field's name",
    ),
    pytest.param({"event": {"Id": "x", "Data": 1}}, "eventId", "is missing or null; text", id="no event id"),
    pytest.param({"eventId": None, "event": {"Id": "x", "Data": 1}}, "eventId", "is missing", id="null event id"),
    pytest.param({"eventId": 5, "event": {"Id": "x", "Data": 1}}, "eventId", "is int; text", id="number as event id"),
    pytest.param({"eventId": "e", "event": {"Id": "x"}}, "event.Set", "asks for nothing", id="nothing in an event"),
    pytest.param(
        {"eventId": "e", "event": {"Id": "x", "Data": 1, "IdempotencyKey": "k"}},
        "event.IdempotencyKey",
        "belongs to the envelope",
        id="two keys",
    ),
    pytest.param(
        {"eventId": "e", "event": {"Id": "x", "Data": 1, "Timestamp": 1700000000000}},
        "event.Timestamp",
        "belongs to the envelope",
        id="two times",
    ),
    pytest.param(
        {"eventId": "e", "eventTime": 5, "event": {"Id": "x", "Data": 1}}, "eventTime", "is int; an ISO", id="time"
    ),
    pytest.param(
        {"eventId": "e", "eventTime": "soon", "event": {"Id": "x", "Data": 1}}, "eventTime", "is str; an ISO", id="soon"
    ),
    pytest.param(
        {"eventId": "e", "eventTime": "2023-11-14T22:13:20", "event": {"Id": "x", "Data": 1}},
        "eventTime",
        "has no time zone",
        id="no time zone",
    ),
    pytest.param(
        {"eventId": "e", "eventTime": "1970-01-01T00:00:00Z", "event": {"Id": "x", "Data": 1}},
        "eventTime",
        "lies before September 2001",
        id="long ago",
    ),
]


@pytest.mark.parametrize(("request_", "field", "problem"), WRONG)
def test_a_wrong_request_names_its_field(request_: Any, field: str, problem: str) -> None:
    """Each error says where, what stands there and what was expected; the table stays untouched."""
    replica = Replica()
    with pytest.raises(RequestError) as caught:
        replica.writer().process_event(request_)
    assert caught.value.field == field
    assert problem in caught.value.problem
    assert not caught.value.retryable
    assert replica.stream == []


def test_a_sort_key_is_required_and_shorter() -> None:
    """Both attributes of a composite key are checked, each by its own limit."""
    sorted_policy = policy(sort_key="At")
    for request, field in (({"Id": "x", "Data": 1}, "At"), ({"Id": "x", "At": "t" * 1025, "Data": 1}, "At")):
        with pytest.raises(RequestError) as caught:
            parse_request(request, sorted_policy)
        assert caught.value.field == field
    assert parse_request({"Id": "x", "At": 5, "Data": 1}, sorted_policy).key == {"Id": {"S": "x"}, "At": {"N": "5"}}


def test_two_spellings_of_one_path_are_one_path() -> None:
    """An element added under one spelling of a member's name is not forgotten for the other's."""
    sets = policy(attributes={"P": AttributePolicy(Kind.MAP, members={"a~2": AttributePolicy(Kind.SET)})})
    for operation in ("AddToSet", "RemoveFromSet"):
        with pytest.raises(RequestError) as caught:
            parse_request({"Id": "x", operation: {"P/a~2": ["x"], "P/a~02": ["y"]}}, sets)
        assert caught.value.field == f"{operation}.P/a~02"


def test_members_are_set_one_by_one_and_by_path() -> None:
    """A map's value and a path to a member ask for the same thing, escaped in one way."""
    whole = parse_request({"Id": "x", "Set": {"Profile": {"a/b": 1, "c~d": 2}}}, POLICY)
    by_path = parse_request({"Id": "x", "Set": {"Profile/a~1b": 1, "Profile/c~0d": 2}}, POLICY)
    assert whole == by_path
    assert whole.sets == {"Profile/a~1b": {"N": "1"}, "Profile/c~0d": {"N": "2"}}


def test_a_map_with_a_slash_in_its_name_has_escaped_paths() -> None:
    """The members of a map `a/b` are the same, set whole or by path."""
    slashed = policy(attributes={"a/b": AttributePolicy(Kind.MAP)})
    whole = parse_request({"Id": "x", "Set": {"a/b": {"m": 1}}}, slashed)
    assert whole.sets == {"a~1b/m": {"N": "1"}} == parse_request({"Id": "x", "Set": {"a~1b/m": 1}}, slashed).sets
    assert parse_request({"Id": "x", "Remove": ["a/b"]}, slashed).removed_maps == ("a~1b",)


def test_elsewhere_a_slash_is_part_of_the_name() -> None:
    """Only attributes with policy `map` have paths."""
    assert parse_request({"Id": "x", "Set": {"a/b": 1, "/": 2}}, POLICY).sets == {"a/b": {"N": "1"}, "/": {"N": "2"}}


@pytest.mark.parametrize(
    "request_",
    [
        {"Id": "x", "Remove": ["P/m", "P"]},
        {"Id": "x", "Remove": ["P", "P/m"]},
        {"Id": "x", "Remove": ["P"], "Set": {"P/m": 1}},
        {"Id": "x", "Remove": ["P"], "Set": {"P": {"m": 1}}},
    ],
)
def test_removing_a_map_names_its_members(request_: dict[str, Any]) -> None:
    """A map that goes and a member that is named beside it are one thing named twice."""
    with pytest.raises(RequestError, match="named twice"):
        parse_request(request_, policy(attributes={"P": AttributePolicy(Kind.MAP)}))


def test_a_flat_request_sets_what_is_not_reserved() -> None:
    """The seed's shape means `Set`; bookkeeping that comes along is left out, expectations are heard."""
    flat = {"Id": "x", "Data": "v", "IdempotencyKey": "k", "Timestamp": 1700000000000, "Version": 9}
    event = parse_request({**flat, "ExpectedVersion": 3, "ExpectedToken": "t"}, POLICY)
    assert event == WriteEvent(
        {"Id": {"S": "x"}},
        "k",
        1700000000000,
        sets={"Data": {"S": "v"}},
        expected_version=3,
        expected_token="t",  # noqa: S106 - a state's token is no secret
    )


def test_a_tmf688_event_is_a_request() -> None:
    """EventId is the key, eventTime the time, event the request; what else the envelope holds is not ours."""
    envelope = {"eventId": "e-1", "eventType": "Changed", "eventTime": "2023-11-14T23:13:20.123+01:00"}
    event = parse_request({**envelope, "event": {"Id": "x", "Set": {"Data": 1}}}, POLICY)
    assert (event.idempotency_key, event.timestamp_ms, event.sets) == ("e-1", 1700000000123, {"Data": {"N": "1"}})
    timeless = parse_request({"eventId": "e-2", "event": {"Id": "x", "Delete": True}}, POLICY)
    assert (timeless.idempotency_key, timeless.timestamp_ms, timeless.deletes) == ("e-2", None, True)


def test_a_request_that_is_parsed_already_stays_as_it_is() -> None:
    """A `WriteEvent` is its own request."""
    event = WriteEvent({"Id": {"S": "x"}}, deletes=True)
    assert parse_request(event, POLICY) is event


def test_names_and_elements_may_come_in_any_collection() -> None:
    """Tuples and sets do as well as lists; equal elements are one."""
    event = parse_request({"Id": "x", "Remove": {"a"}, "AddToSet": {"Tags": ("b", "a", "b")}}, POLICY)
    assert (event.removes, event.elements_added) == (("a",), {"Tags": ("S:a", "S:b")})
