"""A redrive dies at any of its effects, or has another beside it: every message is settled once, or still there."""

import json
from collections.abc import Callable, Sequence
from contextlib import suppress

from hypothesis import given, settings
from hypothesis import strategies as st

from reconciler.adapters.memory import MemoryTable
from reconciler.change import Change
from reconciler.failed_request import SCHEMA
from reconciler.poison import bodies
from reconciler.ports import Stale, StaleItems, Written
from reconciler.redrive_run import RENEW_AT_RECEIVES
from reconciler.wire import Image
from tests.redrive.world import BASE, OWNED, OWNED_ELSEWHERE, WON, World, message
from tests.worker.replicas import image_of

SMALL = 4_500
LOSERS = {
    amount: image_of({"IdempotencyKey": f"lost {amount}", "Add": {"Balance": amount}}, on=BASE)
    for amount in (1_000, 20_000, 300_000)
}
REQUEST = {"eventId": "k8", "event": {"Id": "x", "Add": {"Balance": 4_000_000}}}
STARTED = "2023-11-14T22:13:20Z"  # NOW
SETTLED_BALANCE = 4_321_101


class Killed(BaseException):
    """The process is no more: what it would have done next is not done, tidying up included."""


class Fuse:
    """Counts effects; something happens once, before the effect of one number."""

    def __init__(self, number: int, happens: Callable[[], None]) -> None:
        """Let it happen before the effect of this number, from 0."""
        self.left, self.happens, self.burnt = number, happens, False

    def __call__(self, _: str) -> None:
        """Count."""
        self.left -= 1
        if self.left == -1:
            self.burnt = True
            self.happens()


class Dying(Fuse):
    """Kills at an effect, and lets nothing be done after it."""

    def __init__(self, number: int) -> None:
        """Kill before the effect of this number."""
        super().__init__(number, lambda: None)

    def __call__(self, step: str) -> None:
        """Count, and die once it is time."""
        super().__call__(step)
        if self.burnt:
            raise Killed


class WatchedTable:
    """A table whose writes are effects: before, and after."""

    def __init__(self, table: MemoryTable, world: World) -> None:
        """Tell the queue's own step."""
        self._table, self._world = table, world

    def read(self, key: Image) -> Image | None:
        """Read."""
        return self._table.read(key)

    def write(self, change: Change) -> Written | Stale:
        """Write, with a step before and after it."""
        self._world.queue.step("write")
        written = self._table.write(change)
        self._world.queue.step("written")
        return written

    def transact(self, changes: Sequence[Change], token: str) -> Written | StaleItems:
        """Refuse: a redrive writes item by item."""
        raise AssertionError("a transaction")


def made() -> World:
    """Return a world whose queue holds one of each: whole, in parts, twice, a request, a question, nobody's."""
    world = World()
    world.port = WatchedTable(world.table, world)
    world.queue.poison(message(old=LOSERS[1_000]))
    world.queue.put(*bodies(message("too_large", old=LOSERS[20_000]), SMALL))
    world.queue.poison(message("merge_failed", old=LOSERS[300_000]))
    world.queue.poison(message("merge_failed", old=LOSERS[300_000]))
    world.queue.put(json.dumps({"schema": SCHEMA, "startedAt": STARTED, "event": REQUEST}))
    world.queue.poison(message("manual", OWNED, OWNED_ELSEWHERE))
    world.queue.put("of nobody", colour="blue")
    return world


def to_the_end(world: World, runs: int = 3) -> None:
    """Redrive until all that can be settled is."""
    world.queue.step = lambda _: None
    for _ in range(runs):
        world.later()
        world.run()


def stays(world: World) -> set[tuple[str, str]]:
    """Return what is in the queue, as bytes; a copy more is no other."""
    return {(body, json.dumps(attributes, sort_keys=True)) for body, attributes in world.queue.contents()}


def questions() -> set[tuple[str, str]]:
    """Return what no redrive can settle."""
    world = made()
    asked = stays(world)
    return {(body, attributes) for body, attributes in asked if '"manual"' in body or body == "of nobody"}


def assert_settled_once(world: World) -> None:
    """Every write counts once, and only questions are left, byte for byte."""
    assert world.item["Balance"] == SETTLED_BALANCE
    assert stays(world) == questions()
    assert world.queue.dead == []


def killed_at(world: World, number: int) -> bool:
    """Run until the effect of a number; say whether there was one."""
    world.queue.step = fuse = Dying(number)
    with suppress(Killed):
        world.run()
    return fuse.burnt


def test_without_a_fault_all_is_settled() -> None:
    """What the other tests compare with."""
    world = made()
    to_the_end(world)
    assert_settled_once(world)


def test_a_redrive_that_dies_at_any_effect_loses_nothing() -> None:
    """Killed before each effect in turn; the next redrive finishes it."""
    deaths = 0
    while killed_at(world := made(), deaths):
        assert questions() <= stays(world)
        to_the_end(world)
        assert_settled_once(world)
        deaths += 1
    assert deaths > 20


def test_a_copy_that_is_killed_halfway_loses_nothing() -> None:
    """A message that is sent again is never gone, whenever the redrive dies; there may be two of it."""
    deaths, copies = 0, 0
    while True:
        world = made()
        to_the_end(world, RENEW_AT_RECEIVES - 1)
        world.later()
        if not killed_at(world, deaths):
            break
        assert stays(world) == questions()
        copies += len(world.queue.held) > len(questions())
        to_the_end(world)
        assert_settled_once(world)
        deaths += 1
    assert copies > 1


def test_two_redrives_at_once_settle_once() -> None:
    """The second one runs as a whole before each effect of the first; half of the times the first was that slow."""
    for late in (False, True):
        number, fuse = 0, None
        while fuse is None or fuse.burnt:
            world = made()
            fuse = Fuse(number, lambda world=world, late=late: beside(world, late=late))  # type: ignore[misc]
            world.queue.step = fuse
            world.run()
            to_the_end(world)
            assert_settled_once(world)
            number += 1
        assert number > 20


def beside(world: World, *, late: bool) -> None:
    """Let another redrive run, in between or when what the first one held shows up again."""
    world.queue.step = lambda _: None
    if late:
        world.later()
    world.run()


@settings(max_examples=60, deadline=None)
@given(deaths=st.lists(st.integers(0, 40), max_size=4), hurried=st.lists(st.integers(0, 9_000), max_size=3))
def test_any_number_of_deaths_and_deadlines_loses_nothing(deaths: list[int], hurried: list[int]) -> None:
    """Fewer than the queue allows a message to be received: then it is set aside, and still there."""
    world = made()
    for number in deaths:
        killed_at(world, number)
        world.later()
    world.queue.step = lambda _: None
    for left_ms in hurried:
        world.run(left_ms=left_ms)
    to_the_end(world)
    assert_settled_once(world)


def test_what_was_written_since_is_not_undone() -> None:
    """The repair is judged against the item of now, whoever writes while it is made."""
    world = made()
    later_write = image_of({"IdempotencyKey": "k12", "Add": {"Balance": 50_000_000}}, on=WON)
    world.queue.step = Fuse(1, lambda: world.table.put({"Id": {"S": "x"}}, later_write))
    world.run()
    to_the_end(world)
    assert world.item["Balance"] == 50_000_000 + SETTLED_BALANCE
