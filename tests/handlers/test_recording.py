"""Every conflict accounted for by the deployed function: event bus and history, neither in a repair's way."""

import json
import sys

import boto3
import pytest
from moto import mock_aws

from handlers.bootstrap import stream_handler, write_handler
from handlers.settings import Settings
from reconciler.adapters.memory import MemoryQueue, MemoryTable
from reconciler.errors import ConfigurationError, TransientError
from tests.handlers.test_bootstrap import EAST, FIRST, NOW, POLICY, WEST, Telemetry, modify

REGION = "us-east-1"
KEY = {"Id": {"S": "x"}}


class Shelf:
    """A sink that keeps what it is told in a list, or fails."""

    def __init__(self, fault=None):
        """Start empty."""
        self.name, self.fault, self.told = "shelf", fault, []

    def entry_of(self, conflict, *, repaired, now_ms):
        """Return the conflict."""
        return conflict, repaired, now_ms

    def batches(self, entries):
        """Yield one at a time."""
        return [[entry] for entry in entries]

    def send(self, batch):
        """Keep it."""
        if self.fault:
            raise self.fault
        self.told += batch
        return []


class Site:
    """One Region's stream function, in memory, in which one image has overwritten another."""

    def __init__(self, tmp_path, **parts):
        """Put the function together, with what is given in place of its parts."""
        path = tmp_path / "policy.toml"
        path.write_text(POLICY)
        self.settings = Settings("GlobalEventTable", str(path), REGION, "https://queue", lanes=1)
        self.table, self.telemetry = parts.pop("table", None) or MemoryTable(), Telemetry()
        self.handle = stream_handler(
            self.settings,
            table=self.table,
            queue=parts.pop("queue", None) or MemoryQueue(),
            recorder=self.telemetry,
            emit=self.telemetry.emit,
            clock=lambda: NOW,
            pause=lambda _: None,
            **parts,
        )

    def image(self, region, *requests):
        """Return the image that a writer in a Region makes of the requests."""
        table = MemoryTable()
        settings = Settings(self.settings.table_name, self.settings.policy_file, region)
        handle = write_handler(settings, table=table, emit=lambda _: None, clock=lambda: NOW)
        for request in requests:
            handle(request, None)
        return table.read({"Id": {"S": requests[0]["Id"]}})

    def overwritten(self, number="1", **key):
        """Let the winner stand in the table, and return the record of what it overwrote."""
        requests = [{**request, **key} for request in (FIRST, EAST, WEST)]
        loser = self.image(REGION, requests[0], requests[1])
        winner = self.image("eu-west-1", requests[0], requests[2])
        key = {"Id": winner["Id"]}
        self.table.put(key, winner)
        record = modify(loser, winner, number)
        record["dynamodb"]["Keys"] = key
        return record

    def balance(self, name="x"):
        """Return what the item's counter stands at."""
        return self.table.read({"Id": {"S": name}})["Balance"]["N"]


def test_each_conflict_is_told_to_every_sink(tmp_path):
    """After the repair, with what it became and the time."""
    first, second = Shelf(), Shelf()
    site = Site(tmp_path, sinks=[first, second])
    site.handle({"Records": [site.overwritten()]}, None)
    ((conflict, repaired, now_ms),) = first.told
    assert (conflict.merged["Balance"], repaired, now_ms) == ({"N": "111"}, True, NOW)
    assert second.told == first.told
    assert "unrecorded" not in site.telemetry.emitted[0]


@pytest.mark.parametrize("fault", [OSError("the bus is down"), ZeroDivisionError("a bug")])
def test_a_sink_that_is_down_is_in_no_repairs_way(tmp_path, fault):
    """The repair is done, the other sink is told, and the loss of the event is counted."""
    down, up = Shelf(fault), Shelf()
    site = Site(tmp_path, sinks=[down, up])
    assert site.handle({"Records": [site.overwritten()]}, None) == {"batchItemFailures": []}
    assert (site.balance(), len(up.told)) == ("111", 1)
    assert (site.telemetry.emitted[0]["unrecorded"], site.telemetry.batches[0][2]["unrecorded"]) == (1, 1)


def test_a_repair_that_fails_is_in_no_others_way(tmp_path):
    """One key's table is throttled: its record comes again; the other key's conflict is told."""

    class Throttled(MemoryTable):
        def write(self, change):
            if change.key == KEY:
                raise TransientError("throttled")
            return super().write(change)

    shelf = Shelf()
    site = Site(tmp_path, sinks=[shelf], table=Throttled())
    records = [site.overwritten("1"), site.overwritten("2", Id="y")]
    assert site.handle({"Records": records}, None) == {"batchItemFailures": [{"itemIdentifier": "1"}]}
    assert [conflict.key for conflict, _, _ in shelf.told] == [{"Id": {"S": "y"}}]


def test_a_record_that_comes_again_is_the_same_event(tmp_path):
    """The function died after the repair was overwritten again: what is told then has the same ids."""
    shelf = Shelf()
    site = Site(tmp_path, sinks=[shelf])
    for _ in range(2):
        site.handle({"Records": [site.overwritten()]}, None)
    (first, _, _), (again, _, _) = shelf.told
    assert (first.event_id, first.id) == (again.event_id, again.id)


def test_a_record_that_was_repaired_is_not_told_again(tmp_path):
    """Delivered again, it is found in the table: there is no second event."""
    shelf = Shelf()
    site = Site(tmp_path, sinks=[shelf])
    record = site.overwritten()
    for _ in range(2):
        site.handle({"Records": [record]}, None)
    assert len(shelf.told) == 1


def test_nothing_is_told_without_time(tmp_path):
    """The repair was in time, and the event is not: it is counted."""
    shelf = Shelf()
    site = Site(tmp_path, sinks=[shelf])

    class Context:
        @staticmethod
        def get_remaining_time_in_millis():
            return 100 if site.balance() == "111" else 900_000

    assert site.handle({"Records": [site.overwritten()]}, Context()) == {"batchItemFailures": []}
    assert (site.balance(), shelf.told, site.telemetry.emitted[0]["unrecorded"]) == ("111", [], 1)


def test_what_a_broken_batch_has_repaired_is_told(tmp_path):
    """A record that nobody can report fails the whole batch; the conflict beside it was repaired, and is told."""
    shelf, queue = Shelf(), MemoryQueue()
    queue.refusing = True
    site = Site(tmp_path, sinks=[shelf], queue=queue)
    with pytest.raises(TransientError, match="without a sequence number"):
        site.handle({"Records": [site.overwritten(), {"eventName": "MODIFY"}]}, None)
    assert (site.balance(), len(shelf.told)) == ("111", 1)


def test_a_sink_that_is_down_masks_no_fault(tmp_path):
    """What is wrong with the deployment is said, whatever becomes of what was to be told."""
    site = Site(tmp_path, sinks=[Shelf(OSError("down"))])
    with pytest.raises(ConfigurationError, match="no list of Records"):
        site.handle({}, None)


@pytest.fixture
def engine(monkeypatch, tmp_path):
    """A bus, a history table, and the environment of a function."""
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "testing")
    with mock_aws():
        boto3.client("events", REGION).create_event_bus(Name="conflicts")
        boto3.client("dynamodb", REGION).create_table(
            TableName="ConflictHistory",
            KeySchema=[{"AttributeName": "ItemKey", "KeyType": "HASH"}, {"AttributeName": "Entry", "KeyType": "RANGE"}],
            AttributeDefinitions=[
                {"AttributeName": "ItemKey", "AttributeType": "S"},
                {"AttributeName": "Entry", "AttributeType": "S"},
            ],
            BillingMode="PAY_PER_REQUEST",
        )
        yield


def told_by_aws(tmp_path, **names):
    """Return a site whose settings name a bus and a history, and what it counted of one conflict."""
    site = Site(tmp_path)
    settings = Settings(**{**vars(site.settings), **names})
    telemetry = Telemetry()
    handle = stream_handler(
        settings, table=site.table, queue=MemoryQueue(), recorder=telemetry, emit=telemetry.emit, clock=lambda: NOW
    )
    handle({"Records": [site.overwritten()]}, None)
    return site, telemetry.emitted[0].get("unrecorded", 0)


def test_the_settings_choose_bus_and_history(engine, tmp_path):
    """Both sides of the conflict and what it became stand in the history; the bus has taken the event."""
    site, unrecorded = told_by_aws(tmp_path, event_bus_name="conflicts", history_table_name="ConflictHistory")
    (item,) = boto3.client("dynamodb", REGION).scan(TableName="ConflictHistory")["Items"]
    assert unrecorded == 0
    assert [json.loads(item[name]["S"])["Balance"]["N"] for name in ("Loser", "Winner", "Merged")] == [
        "11",
        "101",
        "111",
    ]
    assert (item["ItemKey"], item["Mode"], site.balance()) == ({"S": '{"Id":{"S":"x"}}'}, {"S": "exact"}, "111")


@pytest.mark.parametrize(
    ("names", "unrecorded"),
    [
        ({"event_bus_name": "conflicts"}, 0),
        ({"event_bus_name": "conflicts", "event_content": "values"}, 0),
        ({"history_table_name": "ConflictHistory"}, 0),
        ({"history_table_name": "Missing"}, 1),
        ({"event_bus_name": "conflicts", "history_table_name": "Missing"}, 1),
        ({}, 0),
    ],
)
def test_a_history_that_is_missing_costs_no_repair(engine, tmp_path, names, unrecorded):
    """Either can be named alone; what is named and not there is counted."""
    site, counted = told_by_aws(tmp_path, **names)
    assert (site.balance(), counted) == ("111", unrecorded)


def test_who_names_neither_loads_no_client(tmp_path, monkeypatch):
    """The module that makes the clients is not even imported."""
    monkeypatch.setitem(sys.modules, "reconciler.adapters.aws_recorders", None)
    site = Site(tmp_path)
    site.handle({"Records": [site.overwritten()]}, None)
    assert site.balance() == "111"
    with pytest.raises(ImportError):
        told_by_aws(tmp_path, event_bus_name="conflicts")
