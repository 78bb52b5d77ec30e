"""Runs: what is taken out of the queue, what goes back, and that it is the very same."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from reconciler.adapters.memory import MemoryTable
from reconciler.errors import ConfigurationError, TransientError
from reconciler.poison import SCHEMA, bodies
from reconciler.redrive_run import RENEW_AT_RECEIVES
from reconciler.wire import Image
from tests.redrive.queue import MAX_RECEIVES, RETENTION_MS, refusing
from tests.redrive.world import BASE, DAY_MS, GONE, LOST, OWNED, OWNED_ELSEWHERE, WON, World, message
from tests.worker.replicas import NOW, UNHURRIED, image_of

UNSETTLED = message("manual", OWNED, OWNED_ELSEWHERE)
SMALL = 4_500
"""A queue's limit that lets these messages come in parts."""


def test_what_is_settled_leaves_the_queue() -> None:
    """The write is joined back, and the message is gone."""
    world = World()
    world.queue.poison(message())
    report = world.run()
    assert (report.received, dict(report.settled), dict(report.put_back)) == (1, {"repaired": 1}, {})
    assert (world.queue.contents(), world.item["Balance"]) == ([], 111)


def test_what_is_not_settled_stays_byte_for_byte() -> None:
    """Body and attributes are the very same, however often it is redriven, and every reader sees it at once."""
    world = World()
    world.queue.poison(UNSETTLED)
    world.queue.put("no JSON", '{"schema": "of/tomorrow/9"}', "[]", colour="red")
    before = world.queue.contents()
    for _ in range(4 * MAX_RECEIVES):
        report = world.run()
        assert dict(report.put_back) == {"manual": 1, "unreadable": 2, "unknown_schema": 1}
    assert world.queue.contents() == before
    assert world.queue.dead == []


def test_redrives_keep_what_the_queue_would_forget() -> None:
    """A message is sent again before the queue's retention ends it; one that nobody redrives ends."""
    world = World()
    world.queue.poison(UNSETTLED)
    before = world.queue.contents()
    for _ in range(6):
        world.later(10 * DAY_MS)
        world.run()
    assert world.queue.contents() == before
    world.later(RETENTION_MS)
    assert world.run().received == 0


def test_a_young_message_is_left_as_it_is() -> None:
    """It keeps its id and its age: nothing is sent for it."""
    world = World()
    world.queue.poison(UNSETTLED)
    world.queue.step = refusing("send", "delete")
    assert world.run().faults == 0
    assert world.run().faults == 0
    assert [each.message.receives for each in world.queue.held.values()] == [2]


def test_a_message_in_parts_is_settled_as_one() -> None:
    """Both parts go, and only once both are here."""
    world = World()
    first, second = bodies(message(), SMALL)
    world.queue.put(first)
    assert dict(world.run().put_back) == {"incomplete": 1}
    assert world.item["Balance"] == 101
    world.queue.put(second, first)
    report = world.run()
    assert (dict(report.settled), world.item["Balance"]) == ({"repaired": 3}, 111)
    assert world.queue.contents() == []


def test_a_part_that_came_twice_goes_with_the_others() -> None:
    """Whichever order they come in, none is left behind."""
    first, second = bodies(message(), SMALL)
    for order in ((first, first, second), (first, second, second), (first, second, first, second)):
        world = World()
        world.queue.put(*order)
        assert dict(world.run().settled) == {"repaired": len(order)}
        assert world.queue.contents() == []


def test_parts_that_do_not_belong_together_stay() -> None:
    """One id on two contents: nobody can say which is meant."""
    first, _ = bodies(message(), SMALL)
    _, second = bodies(message(new=LOST), SMALL)
    world = World()
    world.queue.put(first, json.dumps({**json.loads(second), "id": message().id}))
    assert dict(world.run().put_back) == {"unreadable": 2}
    assert len(world.queue.contents()) == 2


@pytest.mark.parametrize(
    "body",
    [
        {"id": "a", "part": "2/1"},
        {"id": "a", "part": "0/1"},
        {"id": "a", "part": 1},
        {"id": "a"},
        {"id": 7, "part": "1/1"},
        {"id": "a", "part": "1/1"},
    ],
)
def test_a_body_that_names_no_part_stays(body: dict[str, Any]) -> None:
    """It is counted, and nothing is done for it."""
    world = World()
    world.queue.put(json.dumps({"schema": SCHEMA, **body}))
    assert dict(world.run().put_back) == {"unreadable": 1}


def test_a_body_that_is_nested_without_end_stays() -> None:
    """It is none of ours, and no fault of the run."""
    world = World()
    world.queue.put("[" * 200_000)
    assert dict(world.run().put_back) == {"unreadable": 1}


def test_a_run_takes_no_more_than_it_is_given() -> None:
    """The rest is left for the next run, not even received."""
    world = World()
    for number in range(25):
        world.queue.poison(message(f"trouble {number}"))
    assert world.run(most=12).received == 12
    assert sum(each.message.receives for each in world.queue.held.values()) == 0
    assert len(world.queue.held) == 13


def test_without_time_nothing_is_received() -> None:
    """A run that can finish nothing does not begin."""
    world = World()
    world.queue.poison(message())
    assert world.run(left_ms=1_999).received == 0
    assert world.run(left_ms=2_000).received == 1


def test_a_deadline_on_the_way_puts_the_rest_back() -> None:
    """What was not begun shows itself again: there is no time to show it at once."""
    world = World()
    for number in range(5):
        world.queue.poison(message(f"trouble {number}"))
    left = iter([UNHURRIED] * 6)  # enough to settle one, and to begin another
    report = world.start(lambda: next(left, 0)).run(world.told.append)
    assert (dict(report.settled), dict(report.put_back)) == ({"repaired": 1}, {"DeadlineError": 1, "no_time": 3})
    assert world.run().received == 0
    world.later()
    assert dict(world.run().settled) == {"already_repaired": 4}


def test_everything_that_was_received_is_accounted_for() -> None:
    """Settled and put back add up to what was received, parts included."""
    world = World()
    world.queue.poison(message())
    world.queue.poison(UNSETTLED)
    world.queue.put(bodies(message(new=LOST), SMALL)[0], "?")
    report = world.run()
    assert report.received == report.settled.total() + report.put_back.total() == 4
    assert len(world.told) == 4


def test_a_queue_that_gives_nothing_is_a_fault() -> None:
    """Nobody takes it for an empty queue."""
    world = World()
    world.queue.step = refusing("receive")
    with pytest.raises(TransientError, match="receive is refused"):
        world.run()


def test_a_queue_that_fails_on_the_way_ends_the_run() -> None:
    """What was done by then is told."""
    world = World()
    world.queue.poison(message())
    seen: list[str] = []

    def second_receive(step: str) -> None:
        seen.append(step)
        if seen.count("receive") > 1:
            raise TransientError("gone")

    world.queue.step = second_receive
    report = world.run()
    assert (dict(report.settled), report.faults) == ({"repaired": 1}, 2)


def test_what_cannot_be_deleted_comes_again_and_is_found_settled() -> None:
    """The effect is made once."""
    world = World()
    world.queue.poison(message())
    world.queue.step = refusing("delete")
    assert world.run().faults == 1
    world.queue.step = refusing()
    assert dict(world.run().settled) == {"already_repaired": 1}
    assert (world.queue.contents(), world.item["Balance"]) == ([], 111)


def test_what_cannot_be_shown_shows_itself_later() -> None:
    """It is hidden for as long as a run can last, and not for ever."""
    world = World()
    world.queue.poison(UNSETTLED)
    world.queue.step = refusing("release")
    assert world.run().faults == 1
    world.queue.step = refusing()
    assert world.run().received == 0
    world.later()
    assert world.run().received == 1


@pytest.mark.parametrize("refused", ["send", "delete"])
def test_a_copy_that_fails_halfway_loses_nothing(refused: str) -> None:
    """Not sent: the old one stays. Sent and not deleted: there are two, and both are settled later."""
    world = World()
    world.queue.poison(UNSETTLED)
    body = world.queue.contents()[0]
    for _ in range(RENEW_AT_RECEIVES - 1):
        world.run()
    world.queue.step = refusing(refused)
    assert world.run().faults == 1
    assert world.queue.contents() == [body] * (1 if refused == "send" else 2)


def test_a_fault_that_every_message_shares_puts_all_back() -> None:
    """The run fails loudly, and the queue holds what it held."""
    world = World()
    world.port = Forbidden()
    world.queue.poison(message())
    world.queue.poison(UNSETTLED)
    before = world.queue.contents()
    with pytest.raises(ConfigurationError):
        world.run()
    assert world.queue.contents() == before
    world.port = None
    assert world.run().received == 2


class Forbidden(MemoryTable):
    """A table that this function may not read."""

    def read(self, key: Image) -> Image | None:
        """Refuse."""
        raise ConfigurationError("AccessDeniedException")


def test_a_redrive_never_sends_what_is_escalated_again() -> None:
    """Trouble that is there still adds no message."""
    world = World()
    world.queue.poison(message("diverged_beyond_horizon", LOST, WON))
    world.queue.step = refusing("send")
    assert world.run().faults == 0
    assert len(world.queue.held) == 1


def test_copies_share_one_judgement() -> None:
    """A message that was sent twice is settled once in a run, and both are deleted."""
    world = World()
    world.queue.poison(message())
    world.queue.poison(message())
    report = world.run()
    assert (dict(report.settled), report.counts["attempts"]) == ({"repaired": 2}, 1)
    assert [len(redriven.fate.conflicts) for redriven in world.told] == [1, 0]


@pytest.mark.parametrize("settled_first", [True, False])
def test_only_an_equal_body_shares_a_fate(settled_first: bool) -> None:  # noqa: FBT001 - a parameter of the test
    """Another table's message has the same id: it is judged by itself, and stays."""
    world, own, other = World(), message(), message(table="Other")
    assert own.id == other.id
    for each in (own, other) if settled_first else (other, own):
        world.queue.poison(each)
    report = world.run()
    assert (dict(report.settled), dict(report.put_back)) == ({"repaired": 1}, {"ItemError": 1})
    assert [body for body, _ in world.queue.contents()] == bodies(other)


def test_when_a_record_was_made_is_a_messages_own() -> None:
    """One whose tombstone had expired by then does not speak for the one that was made before."""
    late = image_of({"IdempotencyKey": "k7", "Add": {"Balance": 7}}, on=BASE)
    world = World()
    for at_ms in (NOW + 40 * DAY_MS, NOW):
        world.queue.poison(message(old=GONE, new=late, at_ms=at_ms))
    assert dict(world.run().settled) == {"expired_tombstone": 1, "repaired": 1}


@pytest.mark.parametrize("limits", [{}, {"max_bytes": SMALL}])
@pytest.mark.parametrize("damaged_first", [True, False])
def test_a_damaged_body_with_a_sound_id_stays(limits: dict[str, int], damaged_first: bool) -> None:  # noqa: FBT001 - as above
    """What it names may be settled by another; it itself cannot be read, and may be all that is left of something."""
    texts = bodies(message(), **limits)
    document = json.loads(texts[-1])
    damaged = json.dumps({**document, "new_image": "" if limits else LOST})
    world = World()
    world.queue.put(*([damaged, *texts] if damaged_first else [*texts, damaged]))
    report = world.run()
    why = "unreadable" if damaged_first or not limits else "incomplete"
    assert (dict(report.settled), dict(report.put_back)) == ({"repaired": len(texts)}, {why: 1})
    assert [body for body, _ in world.queue.contents()] == [damaged]


def test_a_part_that_comes_after_all_were_settled_goes_with_them() -> None:
    """It is a copy, to the byte."""
    first, second = bodies(message(), SMALL)
    world = World()
    world.queue.put(first, second, second)
    assert dict(world.run().settled) == {"repaired": 3}
    assert world.queue.contents() == []


def test_bodies_that_claim_to_be_one_message_are_tried_a_bounded_number_of_times(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """What is not tried stays."""
    monkeypatch.setattr("reconciler.redrive_run.COMBINATIONS", 1)
    first, second = bodies(message(), SMALL)
    damaged = json.dumps({**json.loads(first), "old_image": ""})
    world = World()
    world.queue.put(damaged, first, second)
    assert dict(world.run().put_back) == {"unreadable": 3}
    assert len(world.queue.contents()) == 3


def slow(world: World, left: list[int]) -> Callable[[str], None]:
    """Let every effect on the queue take time, and what comes after its end fail."""

    def step(name: str) -> None:
        left[0] -= {"receive": 1_000, "send": 150, "delete": 150, "release": 150}.get(name, 0)
        assert left[0] > 0, "the function would have been killed"

    return step


def test_putting_back_ends_in_time() -> None:
    """Worn messages that there is no time for are left alone: nothing is lost, and they show themselves later."""
    world = World()
    for number in range(100):
        world.queue.put(f'{{"schema": "x{number}"}}')
    for _ in range(RENEW_AT_RECEIVES - 1):
        world.run()
        world.later()
    left = [13_000]
    world.queue.step = slow(world, left)
    report = world.start(lambda: left[0]).run(world.told.append)
    assert (report.received, report.faults, left[0] < 1_000) == (100, 0, True)
    world.queue.step = refusing()
    assert len(world.queue.held) == 100
    fresh = [each.message for each in world.queue.held.values() if each.message.receives == 0]
    assert 0 < len(fresh) < 20
    world.later()
    assert world.run().received == 100


def test_what_was_sent_again_is_deleted_in_batches() -> None:
    """A hundred worn messages take a hundred sends and ten deletions."""
    world = World()
    for number in range(100):
        world.queue.put(f'{{"schema": "x{number}"}}')
    for _ in range(RENEW_AT_RECEIVES - 1):
        world.run()
    steps: list[str] = []
    world.queue.step = steps.append
    world.run()
    assert (steps.count("send"), steps.count("delete")) == (100, 10)
    assert len(world.queue.held) == 100


def test_what_was_done_is_told_before_anything_is_put_back() -> None:
    """A log can wait for nobody; a hidden message can."""
    world, steps = World(), list[str]()
    world.queue.poison(UNSETTLED)
    world.queue.step = steps.append
    world.start(lambda: UNHURRIED).run(world.told.append, lambda: steps.append("record"))
    assert steps.index("record") < steps.index("release")


def test_a_record_that_fails_is_no_reason_to_keep_messages() -> None:
    """They are put back all the same."""
    world = World()
    world.queue.poison(UNSETTLED)
    with pytest.raises(ZeroDivisionError):
        world.start(lambda: UNHURRIED).run(world.told.append, lambda: [][1 // 0])
    assert world.run().received == 1


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ({"schema": "SECRET"}, "schema: is text of 6 characters"),
        ({"schema": {"SECRET": 1}}, "schema: is dict"),
        ({}, "schema: is 'None'"),
        ({"schema": SCHEMA, "id": "a", "part": "1/1", "encoding": "SECRET"}, "encoding: is text of 6 characters; "),
        ({"schema": SCHEMA, "id": "a", "part": "1/1", "encoding": ["SECRET"]}, "encoding: is list; "),
    ],
)
def test_nothing_that_somebody_else_wrote_is_repeated(body: dict[str, Any], expected: str) -> None:
    """A log says of what type it is, and how long."""
    world = World()
    world.queue.put(json.dumps(body))
    world.run()
    detail = world.told[0].fate.detail
    assert detail.startswith(expected)
    assert "SECRET" not in detail
