"""Judged again: what today's policy and table make of a message that could not be settled then."""

from typing import Any

import pytest

from reconciler.adapters.memory import MemoryTable
from reconciler.errors import ConfigurationError, KeySchemaError, TransientError
from reconciler.poison import PoisonMessage
from reconciler.policy import AttributePolicy, Kind, OnDeleted, OnForeign, OnHardDelete, Policy
from reconciler.wire import Image
from tests.redrive.world import (
    BASE,
    DAY_MS,
    GONE,
    LOST,
    OWNED,
    OWNED_ELSEWHERE,
    WON,
    World,
    message,
)
from tests.worker.replicas import KEY, NOW, POLICY, UNHURRIED, image_of, policy, raw_record

NO_LONGER_MANUAL = policy(attributes={**POLICY.attributes, "Owner": AttributePolicy(Kind.LATEST)})


def settle(by: Policy, asked: PoisonMessage, current: Image | None) -> tuple[World, Any]:
    """Judge a message against what stands in the table."""
    world = World(policy=by)
    world.table.delete(KEY) if current is None else world.table.put(KEY, current)
    return world, world.redriver().settle(asked, NOW, lambda: UNHURRIED)


DECISIONS: dict[str, tuple[Policy, PoisonMessage, Image | None, tuple[bool, str]]] = {
    "what can be joined now is joined": (POLICY, message(), WON, (True, "repaired")),
    "what came back by itself needs nothing": (POLICY, message(), LOST, (True, "already_repaired")),
    "a Region is known now": (POLICY, message("malformed"), WON, (True, "repaired")),
    "nothing was lost after all": (POLICY, message("malformed", BASE, LOST), LOST, (True, "included")),
    "it is malformed still": (
        POLICY,
        message("malformed", LOST, {**WON, "Causality": {"S": "?"}}),
        WON,
        (False, "malformed"),
    ),
    "the table's own item is malformed": (POLICY, message(), {**WON, "Causality": {"S": "?"}}, (False, "malformed")),
    "a delete is accepted today": (
        policy(hard_delete=OnHardDelete.ACCEPT),
        message("hard_delete", LOST, None),
        None,
        (True, "hard_delete"),
    ),
    "a delete is undone today": (
        policy(hard_delete=OnHardDelete.RESTORE),
        message("hard_delete", LOST, None),
        None,
        (True, "repaired"),
    ),
    "a delete still needs a person": (
        policy(hard_delete=OnHardDelete.ESCALATE),
        message("hard_delete", LOST, None),
        None,
        (False, "hard_delete"),
    ),
    "what a delete beat is recorded today": (
        policy(lost_to_delete=OnDeleted.RECORD),
        message("lost_to_delete", LOST, GONE),
        GONE,
        (True, "lost_to_delete"),
    ),
    "what a delete beat still needs a person": (
        policy(lost_to_delete=OnDeleted.ESCALATE),
        message("lost_to_delete", LOST, GONE),
        GONE,
        (False, "lost_to_delete"),
    ),
    "a foreign write is adopted today": (
        policy(foreign_writes=OnForeign.ADOPT),
        message("foreign_write", WON, {**WON, "Data": {"S": "foreign"}}),
        {**WON, "Data": {"S": "foreign"}},
        (True, "repaired"),
    ),
    "a foreign write still needs a person": (
        policy(foreign_writes=OnForeign.ESCALATE),
        message("foreign_write", WON, {**WON, "Data": {"S": "foreign"}}),
        {**WON, "Data": {"S": "foreign"}},
        (False, "foreign_write"),
    ),
    "manual is a question, though nothing is missing": (
        POLICY,
        message("manual", OWNED, OWNED_ELSEWHERE),
        OWNED,
        (False, "manual"),
    ),
    "it is manual no more": (
        NO_LONGER_MANUAL,
        message("manual", OWNED, OWNED_ELSEWHERE),
        OWNED_ELSEWHERE,
        (True, "repaired"),
    ),
    "nobody need choose for an item that is gone": (
        POLICY,
        message("manual", OWNED, OWNED_ELSEWHERE),
        None,
        (True, "hard_delete"),
    ),
    "a divergence is a question, though nothing is missing": (
        POLICY,
        message("diverged_beyond_horizon"),
        LOST,
        (False, "diverged_beyond_horizon"),
    ),
    "a divergence is a question, though nothing was lost": (
        POLICY,
        message("diverged_beyond_horizon", BASE, LOST),
        LOST,
        (False, "diverged_beyond_horizon"),
    ),
    "a divergence ends with the item's life": (
        POLICY,
        message("diverged_beyond_horizon"),
        GONE,
        (True, "lost_to_delete"),
    ),
    "another table's": (POLICY, message(table="Other"), WON, (False, "ItemError")),
    "another key's": (POLICY, message(key={"Other": {"S": "x"}}), WON, (False, "ItemError")),
    "images of nothing": (POLICY, message(old=None, new=None), WON, (False, "ItemError")),
    "a reason that is not known is none the worse": (POLICY, message("of_tomorrow"), WON, (True, "repaired")),
}


@pytest.mark.parametrize(("by", "asked", "current", "expected"), DECISIONS.values(), ids=DECISIONS)
def test_a_message_is_judged_by_today(
    by: Policy, asked: PoisonMessage, current: Image | None, expected: tuple[bool, str]
) -> None:
    """Settled or not, and why."""
    _, fate = settle(by, asked, current)
    assert (fate.settled, fate.why) == expected, fate.detail


def test_a_repair_joins_what_was_lost() -> None:
    """The item has the writes of both Regions, and the conflict is told with its witness."""
    world, fate = settle(POLICY, message(), WON)
    assert world.item["Balance"] == 111
    assert [repaired for _, repaired in fate.conflicts] == [True]
    assert (fate.counts["repaired"], fate.counts["attempts"]) == (1, 1)


def test_a_question_that_stays_is_repaired_meanwhile() -> None:
    """A lost value is joined back as the worker would, and the message stays all the same."""
    world, fate = settle(POLICY, message("manual", OWNED, OWNED_ELSEWHERE), OWNED_ELSEWHERE)
    assert (fate.settled, fate.why) == (False, "manual")
    assert world.item["Version"] == 3
    assert [repaired for _, repaired in fate.conflicts] == [True]
    again = world.redriver().settle(message("manual", OWNED, OWNED_ELSEWHERE), NOW, lambda: UNHURRIED)
    assert (again.settled, again.conflicts) == (False, [])


def test_a_broken_record_is_read_again() -> None:
    """A record that an older version could not read is classified like any other."""
    raw = raw_record("MODIFY", LOST, WON, "7", NOW)
    broken = message("broken_record", None, None, key={}, record=raw)
    world, fate = settle(POLICY, broken, WON)
    assert (fate.settled, fate.why, world.item["Balance"]) == (True, "repaired", 111)
    _, fate = settle(POLICY, message("broken_record", None, None, key={}, record={"dynamodb": {}}), WON)
    assert (fate.settled, fate.why, fate.detail) == (False, "ItemError", "dynamodb: is missing or not a map")


def test_a_tombstone_that_may_have_expired_since_is_left_to_a_person() -> None:
    """Where the record did not say when it was made, that was at the latest when its message was sent."""
    tombstone = message("unstorable", GONE, image_of({"IdempotencyKey": "k7", "Add": {"Balance": 7}}, on=BASE))
    late = NOW + 40 * DAY_MS
    world = World()
    fate = world.redriver().settle(tombstone, late, lambda: UNHURRIED)
    assert (fate.settled, fate.why) == (False, "unstorable")
    assert world.item["Balance"] == 101
    assert world.redriver().settle(tombstone, NOW, lambda: UNHURRIED).settled


def test_a_tombstone_is_judged_as_of_its_record() -> None:
    """However late its message is taken from the queue: it had not expired then, so its delete is joined."""
    over = image_of({"IdempotencyKey": "k7", "Add": {"Balance": 7}}, on=BASE)
    world, late = World(), NOW + 40 * DAY_MS
    assert world.redriver().settle(message("unstorable", GONE, over, at_ms=NOW), late, lambda: UNHURRIED).settled
    old = world.redriver().settle(message("unstorable", GONE, over, at_ms=late), late, lambda: UNHURRIED)
    assert (old.settled, old.why) == (True, "expired_tombstone")


@pytest.mark.parametrize("fault", [KeySchemaError("another type"), TransientError("throttled"), OSError("secret")])
def test_one_messages_fault_is_its_own(fault: Exception) -> None:
    """It stays, for a reason that has no values in it, and others go on."""
    world = World()
    world.port = Unreadable(fault)
    fate = world.redriver().settle(message(), NOW, lambda: UNHURRIED)
    said = "" if isinstance(fault, OSError) else str(fault)
    assert (fate.settled, fate.why, fate.detail) == (False, type(fault).__name__, said)


def test_a_fault_that_every_message_shares_is_loud() -> None:
    """Whoever may not read the table is told so."""
    world = World()
    world.port = Unreadable(ConfigurationError("AccessDeniedException"))
    with pytest.raises(ConfigurationError, match="AccessDenied"):
        world.redriver().settle(message(), NOW, lambda: UNHURRIED)


def test_without_time_nothing_is_written() -> None:
    """The message stays for the next run."""
    world = World()
    fate = world.redriver().settle(message(), NOW, lambda: 0)
    assert (fate.settled, fate.why, world.item["Balance"]) == (False, "DeadlineError", 101)


class Unreadable(MemoryTable):
    """A table whose reads fail."""

    def __init__(self, fault: Exception) -> None:
        """Fail with `fault`."""
        super().__init__()
        self.fault = fault

    def read(self, key: Image) -> Image | None:
        """Fail."""
        raise self.fault
