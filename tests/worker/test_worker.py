"""The worker: a batch in, what has to come again out; the same batch again changes nothing more."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from reconciler.errors import ConfigurationError, ContentionError, DeadlineError, TransientError
from reconciler.policy import OnHardDelete
from reconciler.wire import Image
from reconciler.worker import BatchReport
from tests.worker.replicas import (
    KEY,
    NOW,
    UNHURRIED,
    B,
    Replica,
    image_of,
    plain_item,
    policy,
    raw_record,
)

BASE = image_of({"IdempotencyKey": "k0", "Add": {"Balance": 1}})
LOST = image_of({"IdempotencyKey": "k1", "Add": {"Balance": 10}}, on=BASE)
WON = image_of({"IdempotencyKey": "k2", "Add": {"Balance": 100}}, on=BASE, region=B)
NEXT = image_of({"IdempotencyKey": "k3", "Add": {"Balance": 1000}}, on=WON, region=B)
LOSS = raw_record("MODIFY", LOST, WON, "2")
BROKEN: list[Any] = [
    {},
    {"eventName": "MODIFY"},
    {"eventName": "MODIFY", "dynamodb": {"SequenceNumber": "8"}},
    raw_record("MODIFY", LOST, WON, "8", key={}),
    raw_record("MODIFY", LOST, None, "8"),
    raw_record("MODIFY", {"Id": "x"}, WON, "8"),  # type: ignore[dict-item]
    {**LOSS, "eventName": "UPSERT"},
    None,
    "record",
]


def process(replica: Replica, *records: Any, left_ms: int = UNHURRIED) -> BatchReport:
    """Let the Region's worker process one batch."""
    return replica.worker().process(records, lambda: left_ms)


def of_item(name: str, image: Image) -> Image:
    """Return the image as another item's."""
    return {**image, "Id": {"S": name}}


def loss_of(name: str, number: str) -> dict[str, Any]:
    """Return the record of a loss of another item."""
    return raw_record("MODIFY", of_item(name, LOST), of_item(name, WON), number, key={"Id": {"S": name}})


@pytest.fixture
def replica() -> Replica:
    """A Region in which WON has overwritten LOST."""
    replica = Replica()
    replica.holds(WON)
    return replica


def test_an_empty_batch_is_done(replica: Replica) -> None:
    """There is nothing to fail, and nothing to count."""
    assert process(replica) == BatchReport(0, (), {})


def test_a_loss_among_ordinary_records_is_repaired(replica: Replica) -> None:
    """All the others need no second look, and are not counted one by one."""
    ordinary = [raw_record("INSERT", None, BASE, "1"), raw_record("MODIFY", BASE, LOST, "1")]
    report = process(replica, *ordinary, LOSS)
    assert (report.records, report.failures) == (3, ())
    assert report.counts == {"attempts": 1, "repaired": 1, "lost_writes": 1, "exact": 1}
    assert replica.item["Balance"] == 111
    assert [repaired for _, repaired in replica.recorder.conflicts] == [True]


def test_the_same_batch_again_changes_nothing(replica: Replica) -> None:
    """Lambda redelivers whole and in part: each time it finds all done."""
    batch = [raw_record("MODIFY", BASE, LOST, "1"), LOSS, raw_record("MODIFY", WON, NEXT, "3")]
    replica.holds(NEXT)
    process(replica, *batch)
    repaired = replica.image
    for again in (batch, batch[1:], batch[:2]):
        report = process(replica, *again)
        assert (replica.image, report.failures) == (repaired, ())
        assert report.counts["noop_already_repaired"] == 1
    assert len(replica.recorder.conflicts) == 1


def test_a_repair_starts_from_the_newest_image_in_the_batch(replica: Replica) -> None:
    """One conditional write is enough, though the item has changed since the loss."""
    replica.holds(NEXT)
    other = raw_record("INSERT", None, BASE, "4", key={"Id": {"S": "other"}})
    report = process(replica, LOSS, raw_record("MODIFY", WON, NEXT, "3"), other)
    assert (report.counts["attempts"], replica.item["Balance"]) == (1, 1111)


def test_two_losses_of_one_key_are_one_write(replica: Replica) -> None:
    """Each is told."""
    second = image_of({"IdempotencyKey": "k5", "Add": {"Balance": 10_000}}, on=BASE)
    report = process(replica, LOSS, raw_record("MODIFY", second, WON, "3"))
    assert (report.counts["attempts"], report.counts["repaired"], replica.item["Balance"]) == (1, 2, 10_111)


def test_losses_of_two_keys_are_apart() -> None:
    """One item's fault is not another's."""
    replica = Replica()
    for name in ("x", "y"):
        replica.table.put({"Id": {"S": name}}, of_item(name, WON))
    broken = {**of_item("x", LOST), "Balance": {"S": "ten"}}
    report = process(replica, raw_record("MODIFY", broken, WON, "1"), loss_of("y", "2"))
    assert (report.counts["escalated_malformed"], report.counts["repaired"]) == (1, 1)


@pytest.mark.parametrize("removed_last", [True, False])
def test_a_removal_is_the_newest_image_too(replica: Replica, removed_last: bool) -> None:  # noqa: FBT001
    """What the batch says is gone by now is not read: the put is on condition of absence."""
    replica.policy = policy(hard_delete=OnHardDelete.RESTORE)
    batch = [LOSS, raw_record("REMOVE", WON, None, "3")]
    replica.holds(None)
    if not removed_last:
        batch.append(raw_record("INSERT", None, NEXT, "4"))
        replica.holds(NEXT)
    report = process(replica, *batch)
    assert report.counts["attempts"] == 1
    assert replica.item["Balance"] == (111 if removed_last else 1111)


# Broken records


@pytest.mark.parametrize("record", BROKEN)
@pytest.mark.parametrize("before", [True, False])
def test_a_broken_record_is_poison_and_no_more(replica: Replica, record: Any, before: bool) -> None:  # noqa: FBT001
    """It goes to the queue whole, whatever it is, and the loss beside it is repaired, even of its own key."""
    report = process(replica, *([record, LOSS] if before else [LOSS, record]))
    assert (report.failures, replica.item["Balance"]) == ((), 111)
    (message,) = replica.queue.messages
    assert (message.reason, message.record) == ("broken_record", record)
    assert (message.key, message.old_image, message.new_image) == ({}, None, None)
    assert replica.recorder.messages == [message]


def test_a_malformed_image_is_poison_with_both_images(replica: Replica) -> None:
    """It is escalated before any key is settled."""
    malformed = {**WON, "Causality": {"M": {}}}
    report = process(replica, raw_record("MODIFY", malformed, WON, "1"), LOSS)
    (message,) = replica.queue.messages
    assert (message.reason, message.old_image, message.new_image) == ("malformed", malformed, WON)
    assert message.at_ms == NOW
    assert report.counts["escalated_malformed"] == 1
    assert replica.item["Balance"] == 111


def test_one_broken_record_many_times_is_one_message(replica: Replica) -> None:
    """Its id is its content."""
    process(replica, *[BROKEN[0]] * 3)
    assert len(replica.queue.messages) == 1


@pytest.mark.parametrize("record", [BROKEN[2], raw_record("MODIFY", {**WON, "Causality": {"M": {}}}, WON, "8")])
def test_a_queue_that_refuses_fails_the_record(replica: Replica, record: Any) -> None:
    """Never dropped: it is delivered again; the others are done."""
    replica.queue.refusing = True
    report = process(replica, record, LOSS)
    assert (report.failures, replica.item["Balance"]) == (("8",), 111)
    ((numbers, fault),) = replica.recorder.faults
    assert (numbers, type(fault)) == (("8",), TransientError)


def test_a_queue_with_a_bug_fails_the_record(replica: Replica, monkeypatch: pytest.MonkeyPatch) -> None:
    """A fault that nobody expected is no reason to drop anything."""
    monkeypatch.setattr(replica.queue, "send", lambda message: message / 0)
    assert process(replica, BROKEN[2], LOSS).failures == ("8",)


def test_a_record_that_cannot_be_reported_fails_the_batch(replica: Replica) -> None:
    """Without a sequence number only the whole batch can come again; what could be done is done."""
    replica.queue.refusing = True
    with pytest.raises(TransientError, match="the whole batch has to come again"):
        process(replica, {"eventName": "MODIFY"}, LOSS)
    assert replica.item["Balance"] == 111
    assert len(replica.recorder.conflicts) == 1


def test_a_loss_without_a_sequence_number_is_repaired(replica: Replica) -> None:
    """The number is for failures alone."""
    record = {**LOSS, "dynamodb": {name: value for name, value in LOSS["dynamodb"].items() if name != "SequenceNumber"}}
    assert process(replica, record).failures == ()
    assert replica.item["Balance"] == 111


def test_no_message_is_begun_without_time(replica: Replica) -> None:
    """Broken and malformed records wait for the next delivery like all others."""
    malformed = raw_record("MODIFY", {**WON, "Causality": {"M": {}}}, WON, "9")
    report = process(replica, BROKEN[2], malformed, LOSS, left_ms=999)
    assert report.failures == ("8", "9", "2")
    assert replica.queue.messages == []
    assert {type(fault) for _, fault in replica.recorder.faults} == {DeadlineError}


def test_failures_are_told_once(replica: Replica) -> None:
    """Records of one number, and keys of one batch, come to a list without repetition."""
    malformed = raw_record("MODIFY", {**WON, "Causality": {"M": {}}}, WON, "2")
    assert process(replica, LOSS, LOSS, malformed, left_ms=0).failures == ("2",)


# Configuration


@pytest.mark.parametrize(
    "record",
    [
        {**LOSS, "eventSource": "aws:kinesis"},
        {"dynamodb": {"StreamViewType": "KEYS_ONLY"}},
        raw_record("MODIFY", LOST, WON, key={"Pk": {"S": "x"}}),
    ],
)
def test_a_wrong_deployment_is_refused_loudly(replica: Replica, record: Any) -> None:
    """Even if only one record shows it: nothing is repaired, sent or recorded."""
    with pytest.raises(ConfigurationError):
        process(replica, LOSS, BROKEN[0], record)
    assert replica.image == WON
    assert replica.queue.messages == []


@pytest.mark.parametrize("records", [[BROKEN[2]], [LOSS]])
def test_a_wrong_deployment_that_shows_at_work_is_told_too(
    replica: Replica, monkeypatch: pytest.MonkeyPatch, records: list[Any]
) -> None:
    """No such queue, no such table: no record is to blame."""

    def refuse(_: object) -> None:
        raise ConfigurationError("there is none")

    monkeypatch.setattr(replica.queue, "send", refuse)
    monkeypatch.setattr(replica.table, "write", refuse)
    with pytest.raises(ConfigurationError):
        process(replica, *records)


# Recording


def test_a_recorder_that_fails_is_in_nobodys_way(replica: Replica) -> None:
    """What could not be told is counted, and everything is done all the same."""
    replica.recorder.failing = True
    report = process(replica, BROKEN[0], LOSS)
    assert (report.failures, replica.item["Balance"]) == ((), 111)
    assert report.counts["unrecorded"] == 2


def test_a_recorder_that_fails_masks_no_failure(replica: Replica) -> None:
    """The record is reported all the same."""
    replica.recorder.failing = replica.queue.refusing = True
    report = process(replica, BROKEN[2], LOSS)
    assert (report.failures, report.counts["unrecorded"]) == (("8",), 2)


def test_items_ahead_of_the_clock_are_counted(replica: Replica) -> None:
    """Up to `max_clock_skew` is nothing; more is measured, and refused never."""
    ahead = image_of({"IdempotencyKey": "k9", "Data": 1}, at=NOW + 5_001)
    record = raw_record("INSERT", None, ahead)
    assert process(replica, record).counts == {"skewed_items": 1}
    replica.clock.now_ms += 1
    assert process(replica, record).counts == {}


def test_reasons_for_nothing_are_counted(replica: Replica) -> None:
    """What needed a second look and was fine says why."""
    plain, successor = plain_item(1, NOW, Data="v"), plain_item(2, NOW, Data="w")
    report = process(
        replica,
        raw_record("INSERT", None, plain),
        raw_record("MODIFY", plain, successor),
        raw_record("MODIFY", BASE, BASE),
    )
    assert report.counts == {"noop_created": 1, "noop_successor": 1, "noop_unchanged": 1}


# Several keys at a time


def run_in(pool: ThreadPoolExecutor) -> Callable[..., Any]:
    """Return a `map` that runs in threads."""
    return pool.map


def test_keys_go_in_parallel() -> None:
    """Many keys on a few threads come to what they would have come to one by one; a fault stays with its key."""
    names = [f"item-{number}" for number in range(40)]
    replica = Replica()
    for name in names:
        replica.table.put({"Id": {"S": name}}, of_item(name, WON if name != "item-7" else NEXT))
    losses = [loss_of(name, str(number)) for number, name in enumerate(names)]
    with ThreadPoolExecutor(4) as pool:
        report = replica.worker(run_in(pool), attempts=1).process(losses, lambda: UNHURRIED)
        balances = [replica.table.read({"Id": {"S": name}}) or {} for name in names]
        assert [image["Balance"]["N"] for image in balances] == ["111"] * 7 + ["1101"] + ["111"] * 32
        assert (report.failures, report.counts["repaired"]) == (("7",), 39)
        ((numbers, fault),) = replica.recorder.faults
        assert (numbers, type(fault)) == (("7",), ContentionError)
        again = replica.worker(run_in(pool)).process(losses, lambda: UNHURRIED)
    assert (again.failures, again.counts["repaired"], again.counts["noop_already_repaired"]) == ((), 1, 39)


def test_a_sort_key_is_part_of_the_key() -> None:
    """Two items of one partition are two items."""
    replica = Replica(policy=policy(sort_key="At"))
    keys: list[Image] = [{**KEY, "At": {"N": number}} for number in ("1", "2")]
    for key in keys:
        replica.table.put(key, {**WON, **key})
    records = [raw_record("MODIFY", {**LOST, **key}, {**WON, **key}, key=key) for key in keys]
    assert process(replica, *records).counts["repaired"] == 2
