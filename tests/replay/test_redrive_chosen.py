"""A person's choice in a world of several Regions: it comes out the same everywhere, and counts once."""

import pytest

from reconciler.adapters.memory import MemoryMeter
from reconciler.poison import PoisonMessage
from reconciler.redrive_run import Redriven, Run
from reconciler.writer import Writer
from replay_tools.redrive_choice import Take
from replay_tools.redrive_chosen import Asked, ChosenRedriver
from tests.redrive.queue import Queue, refusing
from tests.worker.replicas import POLICY, UNHURRIED, A, B, Clock, Replica, deliver, never_pause, settle_down


def redrive(replica: Replica, queue: Queue, take: Take) -> list[Redriven]:
    """Run once over a Region's queue, taking an image."""
    table = replica.port
    writer = Writer(
        table, replica.region, POLICY, clock=replica.clock, new_key=str, pause=never_pause, meter=MemoryMeter()
    )
    redriver = ChosenRedriver(
        table,
        writer.process_event,
        POLICY,
        replica.region,
        asked=Asked(take=take),
        clock=replica.clock,
        pause=never_pause,
        attempts=5,
        reserve_ms=1_000,
    )
    told: list[Redriven] = []
    Run(queue, redriver, lambda: UNHURRIED, clock=replica.clock, most=10, reserve_ms=1_000).run(told.append)
    return told


def asked() -> tuple[Replica, Replica, PoisonMessage]:
    """A: Owner=ana, Balance+10 | B: Owner=ben, Balance+100 | B>A: A's worker asks a person."""
    clock = Clock()
    left, right = Replica(A, clock=clock), Replica(B, clock=clock)
    left.write("k0", Add={"Balance": 1})
    deliver(left, right)
    left.write("k1", Set={"Owner": "ana", "Data": "a"}, Add={"Balance": 10})
    clock.now_ms += 1
    right.write("k2", Set={"Owner": "ben", "Data": "b"}, Add={"Balance": 100})
    deliver(right, left)
    left.work()
    (message,) = left.queue.messages
    return left, right, message


@pytest.mark.parametrize(("take", "owner", "data"), [(Take.OLD, "ana", "a"), (Take.NEW, "ben", "b")])
def test_a_choice_comes_out_the_same_in_every_region(take: Take, owner: str, data: str) -> None:
    """Its registers stand everywhere, and no increment is lost by it."""
    left, right, message = asked()
    queue = Queue(left.clock)
    queue.poison(message)
    left.clock.now_ms += 1
    (redriven,) = redrive(left, queue, take)
    assert (redriven.fate.why, redriven.fate.detail) == (f"took_{take.value}", "set: Data, Owner; as joined: Balance")
    deliver(left, right)
    settle_down(left, right)
    assert left.image == right.image
    assert (left.item["Owner"], left.item["Data"], left.item["Balance"]) == (owner, data, 111)
    assert queue.contents() == []


def test_a_choice_whose_message_could_not_be_deleted_counts_once() -> None:
    """The message comes again; the ledger has the choice, and not one more write is made."""
    left, _, message = asked()
    queue = Queue(left.clock, refusing("delete"))
    queue.poison(message)
    redrive(left, queue, Take.OLD)
    chosen = left.image
    queue.step = refusing()
    left.clock.now_ms += 20 * 60_000
    (redriven,) = redrive(left, queue, Take.OLD)
    assert (redriven.fate.settled, left.image, queue.contents()) == (True, chosen, [])


def test_the_same_choice_in_two_regions_is_one_write() -> None:
    """Both Regions' queues have the message; the choice is made in each before either hears of the other."""
    left, right, message = asked()
    deliver(left, right)
    before = left.item["Version"]
    for replica in (left, right):
        queue = Queue(replica.clock)
        queue.poison(message)
        redrive(replica, queue, Take.OLD)
    deliver(left, right)
    settle_down(left, right)
    assert left.image == right.image
    assert left.item["Owner"] == "ana"
    assert len(left.image["Causality"]["M"]["Writes"]["M"]) == before + 1  # type: ignore[index]  # it is there


def test_a_write_made_at_the_same_time_elsewhere_is_not_silently_undone() -> None:
    """B: Owner=cy, as A's person takes ana: the later stands everywhere, and a person is asked again."""
    left, right, message = asked()
    deliver(left, right)
    queue = Queue(left.clock)
    queue.poison(message)
    redrive(left, queue, Take.OLD)
    left.clock.now_ms += 5
    right.write("k9", Set={"Owner": "cy"})
    deliver(right, left)
    settle_down(left, right)
    assert (left.item["Owner"], right.item["Owner"]) == ("cy", "cy")
    assert [each.reason for each in left.queue.messages] == ["manual", "manual"]
