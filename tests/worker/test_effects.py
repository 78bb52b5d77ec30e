"""Effects: messages before the repair, lost races judged afresh, and nothing dropped, whatever fails."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import pytest

from reconciler.adapters.memory import MemoryTable
from reconciler.change import Change
from reconciler.classify import Suspect, classify
from reconciler.effects import Effects, Outcome
from reconciler.errors import (
    ConfigurationError,
    ContentionError,
    DeadlineError,
    ItemError,
    TooLargeError,
    TransientError,
)
from reconciler.poison import PoisonMessage
from reconciler.policy import OnDeleted, Policy
from reconciler.ports import Stale, StaleItems, Written
from reconciler.records import StreamRecord
from reconciler.wire import Image
from tests.worker.replicas import KEY, NOW, POLICY, UNHURRIED, A, B, image_of, modified, policy, removed

BASE = image_of({"IdempotencyKey": "k0", "Add": {"Balance": 1}})
LOST = image_of({"IdempotencyKey": "k1", "Add": {"Balance": 10}}, on=BASE)
WON = image_of({"IdempotencyKey": "k2", "Add": {"Balance": 100}}, on=BASE, region=B)
GONE = image_of({"IdempotencyKey": "k3", "Delete": True}, on=BASE, region=B)
MANUAL = image_of({"IdempotencyKey": "k4", "Set": {"Owner": "bo"}}, on=BASE)
MANUAL_WON = image_of({"IdempotencyKey": "k5", "Set": {"Owner": "cy"}}, on=BASE, region=B, at=NOW + 1)


@dataclass
class World:
    """A table, a queue and a pause that write down what happens, in order."""

    table: MemoryTable = field(default_factory=MemoryTable)
    log: list[str] = field(default_factory=list)
    before_write: list[Callable[[], None]] = field(default_factory=list)
    before_send: list[Callable[[], None]] = field(default_factory=list)
    messages: list[PoisonMessage] = field(default_factory=list)

    def read(self, key: Image) -> Image | None:
        """Refuse: the worker reads nothing first."""
        raise AssertionError("a read")

    def transact(self, changes: Sequence[Change], token: str) -> Written | StaleItems:
        """Refuse: the worker repairs item by item."""
        raise AssertionError("a transaction")

    def write(self, change: Change) -> Written | Stale:
        """Make the change, after what happens before it."""
        if self.before_write:
            self.before_write.pop(0)()
        written = self.table.write(change)
        self.log.append("written" if isinstance(written, Written) else "stale")
        return written

    def send(self, message: PoisonMessage) -> None:
        """Keep the message."""
        if self.before_send:
            self.before_send.pop(0)()
        self.log.append(f"sent {message.reason}")
        self.messages.append(message)

    def pause(self, number: int) -> None:
        """Wait for nothing."""
        self.log.append(f"paused after {number}")

    def effects(self, by: Policy = POLICY, *, attempts: int = 3, reserve_ms: int = 1_000) -> Effects:
        """Return effects on this world."""
        return Effects(self, self, by, A, pause=self.pause, attempts=attempts, reserve_ms=reserve_ms)

    def carry_out(
        self, *records: StreamRecord, newest: Image | None, by: Policy = POLICY, left_ms: int = UNHURRIED
    ) -> Outcome:
        """Carry out what the records call for."""
        verdicts = [classify(record, by, NOW) for record in records]
        suspects = [verdict for verdict in verdicts if isinstance(verdict, Suspect)]
        return self.effects(by).carry_out(suspects, newest, lambda: left_ms)

    def holds(self, image: Image | None) -> None:
        """Let an image stand in the table."""
        if image is None:
            self.table.delete(KEY)
        else:
            self.table.put(KEY, image)

    @property
    def balance(self) -> str | None:
        """What the item's counter stands at."""
        image = self.table.read(KEY) or {}
        return image["Balance"]["N"] if "Balance" in image else None


def raising(fault: Exception) -> Callable[[], None]:
    """Return what raises the fault."""

    def fail() -> None:
        raise fault

    return fail


@pytest.fixture
def world() -> World:
    """A Region in which WON has overwritten LOST."""
    world = World()
    world.holds(WON)
    return world


def test_a_repair_is_one_conditional_write(world: World) -> None:
    """No read comes first; the outcome counts it and has the conflict."""
    outcome = world.carry_out(modified(LOST, WON), newest=WON)
    assert (world.log, world.balance) == (["written"], "111")
    assert outcome.counts == {"attempts": 1, "repaired": 1, "lost_writes": 1, "exact": 1}
    assert [(conflict.loser, repaired) for conflict, repaired in outcome.conflicts] == [(LOST, True)]
    assert (outcome.failures, outcome.fault) == ([], None)


def test_again_it_is_no_write_at_all(world: World) -> None:
    """Where the newest image has it, nothing is done and that is counted."""
    world.carry_out(modified(LOST, WON), newest=WON)
    outcome = world.carry_out(modified(LOST, WON), newest=world.table.read(KEY))
    assert (world.log, outcome.counts) == (["written"], {"noop_already_repaired": 1})


def test_a_lost_race_is_judged_afresh(world: World) -> None:
    """The newest image in the batch was old by now: the item that came back is repaired instead."""
    now = image_of({"IdempotencyKey": "k6", "Add": {"Balance": 1000}}, on=WON)
    world.holds(now)
    outcome = world.carry_out(modified(LOST, WON), newest=WON)
    assert (world.log, world.balance) == (["stale", "paused after 1", "written"], "1111")
    assert (outcome.counts["attempts"], outcome.counts["repaired"]) == (2, 1)


def test_a_race_lost_to_the_same_repair_is_done(world: World) -> None:
    """Another worker was faster, and wrote the same: nothing more is to be written."""

    def repair() -> None:
        World(table=world.table).carry_out(modified(LOST, WON), newest=WON)

    world.before_write.append(repair)
    outcome = world.carry_out(modified(LOST, WON), newest=WON)
    assert (world.log, world.balance) == (["stale", "paused after 1"], "111")
    assert outcome.counts == {"attempts": 1, "noop_already_repaired": 1}


def test_a_race_lost_to_a_hard_delete_follows_its_policy(world: World) -> None:
    """Nothing is joined into nothing."""
    world.holds(None)
    outcome = world.carry_out(modified(LOST, WON), newest=WON)
    assert (world.log, world.balance) == (["stale", "paused after 1"], None)
    assert outcome.counts["noop_hard_delete"] == 1


def test_attempts_are_bounded(world: World) -> None:
    """Races lost without end fail the records, with pauses only between the attempts."""
    numbers = iter(range(9))

    def interfere() -> None:
        current = world.table.read(KEY)
        world.holds(image_of({"IdempotencyKey": f"i{next(numbers)}", "Add": {"Balance": 1}}, on=current, region=B))

    world.before_write = [interfere] * 9
    outcome = world.carry_out(modified(LOST, WON, "1"), modified(MANUAL, WON, "2"), newest=WON)
    assert world.log == ["stale", "paused after 1", "stale", "paused after 2", "stale"]
    assert outcome.failures == ["1", "2"]
    assert isinstance(outcome.fault, ContentionError)
    assert outcome.conflicts == []


# Messages


def test_messages_go_before_the_repair() -> None:
    """After it nobody could tell any more that there was something to escalate."""
    world = World()
    world.holds(MANUAL_WON)
    record = modified(MANUAL, MANUAL_WON, "7")
    outcome = world.carry_out(record, newest=MANUAL_WON)
    assert world.log == ["sent manual", "written"]
    (message,) = world.messages
    assert (message.old_image, message.new_image, message.key) == (MANUAL, MANUAL_WON, KEY)
    assert (message.region, message.table, message.sequence_number) == (A, "Events", "7")
    assert outcome.counts["escalated_manual"] == 1
    assert list(outcome.messages.values()) == [message]


def test_one_message_is_sent_once() -> None:
    """A race that is lost and judged afresh comes to the same message; so does the record that came twice."""
    world = World()
    world.holds(image_of({"IdempotencyKey": "k6", "Add": {"Balance": 1000}}, on=MANUAL_WON))
    record = modified(MANUAL, MANUAL_WON)
    outcome = world.carry_out(record, record, newest=MANUAL_WON)
    assert world.log == ["sent manual", "stale", "paused after 1", "written"]
    assert outcome.counts["escalated_manual"] == 1


def test_a_queue_that_refuses_holds_up_the_repair() -> None:
    """The record is delivered again, rather than repaired without its message."""
    world = World()
    world.holds(MANUAL_WON)
    world.before_send.append(raising(TransientError("the queue refuses")))
    outcome = world.carry_out(modified(MANUAL, MANUAL_WON, "7"), newest=MANUAL_WON)
    assert (world.log, outcome.failures) == ([], ["7"])
    assert world.table.read(KEY) == MANUAL_WON
    assert world.carry_out(modified(MANUAL, MANUAL_WON, "7"), newest=MANUAL_WON).failures == []


def test_what_stays_lost_may_go_to_a_person(world: World) -> None:
    """Escalated by policy: no conflict is recorded beside the message."""
    outcome = world.carry_out(modified(LOST, GONE), newest=GONE, by=policy(lost_to_delete=OnDeleted.ESCALATE))
    assert world.log == ["sent lost_to_delete"]
    assert outcome.counts == {"escalated_lost_to_delete": 1}


def test_what_stays_lost_is_recorded(world: World) -> None:
    """A hard delete that is accepted is a conflict that was not repaired, and counts every write that it took."""
    outcome = world.carry_out(removed(LOST), newest=None)
    assert [repaired for _, repaired in outcome.conflicts] == [False]
    assert outcome.counts == {"noop_hard_delete": 1, "lost_writes": 2, "exact": 1}
    assert world.log == []


@pytest.mark.parametrize(
    ("fault", "reason"),
    [
        (TooLargeError("item", "has 500000 bytes; DynamoDB holds at most 409600"), "too_large"),
        (ItemError("Data", "DynamoDB refuses it"), "unstorable"),
    ],
)
def test_a_repair_that_cannot_be_stored_goes_to_a_person(world: World, fault: ItemError, reason: str) -> None:
    """It will never succeed: the records count as done, and nobody is told of a repair."""
    world.before_write.append(raising(fault))
    outcome = world.carry_out(modified(LOST, WON, "1"), modified(MANUAL, WON, "2"), newest=WON)
    assert world.log == [f"sent {reason}"] * 2
    assert [(message.detail, message.old_image) for message in world.messages] == [
        (str(fault), LOST),
        (str(fault), MANUAL),
    ]
    assert (outcome.failures, outcome.conflicts, outcome.counts["repaired"]) == ([], [], 0)


def test_what_stays_lost_is_recorded_beside_a_repair_that_cannot_be_stored() -> None:
    """The one decision does not hide the other."""
    world = World()
    again = image_of({"IdempotencyKey": "k7", "Add": {"Balance": 1}}, on=GONE)
    lost = image_of({"IdempotencyKey": "k8", "Add": {"Balance": 5}}, on=GONE)
    world.holds(again)
    world.before_write.append(raising(TooLargeError("item", "is too large")))
    outcome = world.carry_out(modified(LOST, GONE, "1"), modified(lost, again, "2"), newest=again)
    assert outcome.counts["noop_lost_to_delete"] == 1
    assert [repaired for _, repaired in outcome.conflicts] == [False]


def test_a_repair_that_is_too_large_and_a_queue_that_refuses(world: World) -> None:
    """Never dropped: the record is delivered again."""
    world.before_write.append(raising(TooLargeError("item", "is too large")))
    world.before_send.append(raising(TransientError("the queue refuses")))
    assert world.carry_out(modified(LOST, WON, "7"), newest=WON).failures == ["7"]


# Faults


@pytest.mark.parametrize("fault", [TransientError("throttled"), ZeroDivisionError("a bug")])
def test_whatever_fails_the_records_are_delivered_again(world: World, fault: Exception) -> None:
    """A fault of one key, even one that nobody expected, is its own affair."""
    world.before_write.append(raising(fault))
    outcome = world.carry_out(modified(LOST, WON, "7"), newest=WON)
    assert (outcome.failures, outcome.fault) == (["7"], fault)


def test_a_wrong_deployment_is_told_loudly(world: World) -> None:
    """Every key would share it."""
    world.before_write.append(raising(ConfigurationError("no such table")))
    with pytest.raises(ConfigurationError):
        world.carry_out(modified(LOST, WON), newest=WON)


# Deadline


@pytest.mark.parametrize(("left_ms", "done"), [(999, False), (1_000, True)])
def test_nothing_is_begun_that_cannot_be_finished(world: World, left_ms: int, done: bool) -> None:  # noqa: FBT001
    """With less than the reserve left, the records are delivered again."""
    outcome = world.carry_out(modified(LOST, WON, "7"), newest=WON, left_ms=left_ms)
    assert (world.balance == "111") is done
    assert outcome.failures == ([] if done else ["7"])
    assert isinstance(outcome.fault, DeadlineError) is not done


def test_the_deadline_holds_between_attempts_and_messages() -> None:
    """Time runs: after the message and a lost race there is none left for another attempt."""
    world = World()
    left = [5_000, 5_000, 5_000, 0]
    verdict = classify(modified(MANUAL, MANUAL_WON, "7"), POLICY, NOW)
    assert isinstance(verdict, Suspect)
    now = image_of({"IdempotencyKey": "k6", "Add": {"Balance": 1000}}, on=MANUAL_WON)
    world.holds(now)
    outcome = world.effects().carry_out([verdict], MANUAL_WON, lambda: left.pop(0))
    assert world.log == ["sent manual", "stale", "paused after 1"]
    assert (outcome.failures, left) == (["7"], [])
    assert list(outcome.messages.values()) == world.messages
