"""The writer as an application uses it: boto3 Tables in two Regions, the system's clock, no policy file."""

from decimal import Decimal

import boto3
import pytest
from moto import mock_aws
from structlog.testing import capture_logs

from reconciler import ConflictResolver, EventProcessor, Policy
from reconciler.adapters.memory import MemoryMeter
from reconciler.errors import ItemError, RequestError, TransientError
from reconciler.policy import AttributePolicy, Kind, Region
from reconciler.wire import digest

EAST, WEST = "us-east-1", "eu-west-1"
KEY = {"Id": "x"}


@pytest.fixture
def tables(monkeypatch):
    """A table of the same name in each Region."""
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "testing")
    monkeypatch.setenv("AWS_ACCOUNT_ID_ENDPOINT_MODE", "disabled")
    with mock_aws():
        yield {region: create_table(region) for region in (EAST, WEST)}


def create_table(region):
    """Create the table in one Region."""
    return boto3.resource("dynamodb", region_name=region).create_table(
        TableName="GlobalEventTable",
        KeySchema=[{"AttributeName": "Id", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "Id", "AttributeType": "S"}],
        BillingMode="PAY_PER_REQUEST",
    )


def item(table):
    """Return what stands there."""
    return table.get_item(Key=KEY)["Item"]


def test_concurrent_updates_in_two_regions_are_resolved(tables):
    """Each Region wrote without the other: the resolver keeps both, in either order."""
    EventProcessor(tables[EAST], EAST).process_event({**KEY, "Data": "east", "IdempotencyKey": "k1"})
    EventProcessor(tables[WEST], WEST).process_event({**KEY, "Note": "west", "IdempotencyKey": "k2"})
    resolver, (east, west) = ConflictResolver(), map(item, tables.values())
    merged = resolver.resolve(east, west)
    assert (merged["Data"], merged["Note"], merged["Version"]) == ("east", "west", 2)
    assert merged == resolver.resolve(west, east)


def test_a_repeated_key_is_applied_once(tables):
    """Again in the same Region it is a duplicate; executed in the other one before replication, it counts once."""
    policy = Policy(
        "GlobalEventTable", "Id", (Region(EAST), Region(WEST)), attributes={"Balance": AttributePolicy(Kind.COUNTER)}
    )
    request = {**KEY, "Add": {"Balance": 5}, "IdempotencyKey": "k1"}
    east, west = (EventProcessor(table, region, policy) for region, table in tables.items())
    statuses = [processor.process_event(request)["status"] for processor in (east, east, west)]
    assert statuses == ["applied", "duplicate", "applied"]
    merged = ConflictResolver(policy).resolve(*map(item, tables.values()))
    assert (merged["Balance"], merged["Version"]) == (5, 2)


def test_a_key_is_made_and_returned_where_none_is_given(tables):
    """Two requests without a key are two writes, and each answer says under which key."""
    processor = EventProcessor(tables[EAST], EAST)
    keys = {processor.process_event({**KEY, "Data": "same"})["idempotency_key"] for _ in range(2)}
    assert len(keys) == 2
    assert item(tables[EAST])["IdempotencyKey"] in keys


def test_a_wrong_key_type_is_the_requests_fault(tables):
    """The table's key is text; the error names the attribute and the type that was given."""
    with pytest.raises(RequestError) as caught:
        EventProcessor(tables[EAST], EAST).process_event({"Id": 5, "Data": "v"})
    assert str(caught.value) == "Id: is not the table's key; it was given Id as N"


def test_what_may_have_been_executed_says_under_which_key(tables, monkeypatch):
    """A fault that may pass carries the key, even one that was made here: a retry with it counts once."""
    processor = EventProcessor(tables[EAST], EAST, new_key=lambda: "made-here")

    def time_out(_change):
        raise TransientError("timed out")

    monkeypatch.setattr("reconciler.adapters.dynamodb.DynamoDBTable.write", lambda _, change: time_out(change))
    with pytest.raises(TransientError) as caught:
        processor.process_event({**KEY, "Data": "v"})
    assert caught.value.idempotency_key == "made-here"


def skewed(tables, **parts):
    """Write an item ahead of the clock, and again; return the second answer."""
    ahead = EventProcessor(tables[EAST], EAST, clock=lambda: 1_700_000_060_000)
    ahead.process_event({**KEY, "Data": "ahead"})
    behind = EventProcessor(tables[EAST], EAST, clock=lambda: 1_700_000_000_000, **parts)
    return behind.process_event({**KEY, "Data": "behind"})["status"]


def test_an_item_ahead_of_the_clock_is_a_line_in_the_log(tables):
    """It is written all the same; one warning says how far ahead it was, and no value."""
    with capture_logs() as lines:
        assert skewed(tables) == "applied"
    digested = digest({"Id": {"S": "x"}})
    assert lines == [{"event": "clock_skew_seen", "log_level": "warning", "skew_ms": 60_000, "key": digested}]


def test_skew_is_measured_by_who_asks(tables):
    """A meter that is given counts in place of the log."""
    meter = MemoryMeter()
    with capture_logs() as lines:
        assert skewed(tables, meter=meter) == "applied"
    assert (meter.counts, lines) == ({"skewed_items": 1, "skew_ms": 60_000}, [])


def test_an_item_at_the_end_of_time_is_refused_in_words(tables):
    """No stamp can follow its own: it stays as it is, and the error says why."""
    processor = EventProcessor(tables[EAST], EAST)
    processor.process_event({**KEY, "Data": "v"})
    stored = item(tables[EAST])
    (identity,) = stored["Causality"]["Writes"]
    last = Decimal("9999999999999" + "9999" + "01" + "000000")
    stored["Causality"] |= {"Stamp": last, "Writes": {identity: {last}}}
    tables[EAST].put_item(Item=stored)
    with pytest.raises(ItemError, match="2286") as caught:
        processor.process_event({**KEY, "Data": "w"})
    assert caught.value.attribute == "Causality"
    assert item(tables[EAST])["Data"] == "v"
