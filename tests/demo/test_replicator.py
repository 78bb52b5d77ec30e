"""The replicator behaves as Global Tables do: on real streams in moto, and on a replica in memory."""

from collections.abc import Iterator
from typing import NamedTuple

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reconciler.policy import Region
from replay_tools.demo.bootstrap import Engine, embedded_engine
from tests.demo.regions import A, B, C, MemoryReplica, MotoReplica, Regions


class Write(NamedTuple):
    """A client's put, or delete."""

    region: Region
    item: str
    value: str | None


class Link(NamedTuple):
    """A link that is cut, or heals."""

    between: tuple[Region, Region]
    is_cut: bool


@pytest.fixture(scope="module")
def engine() -> Iterator[Engine]:
    """Let moto live for this module."""
    with embedded_engine() as engine:
        yield engine


@pytest.fixture(params=["memory", "moto"])
def table(request: pytest.FixtureRequest, engine: Engine) -> Regions:
    """Return two Regions, on each kind of replica."""
    if request.param == "memory":
        return Regions({A: MemoryReplica(), B: MemoryReplica()})
    name = f"T{abs(hash(request.node.name))}"
    return Regions({A: MotoReplica(engine, A, name), B: MotoReplica(engine, B, name)})


def three() -> Regions:
    """Return three Regions in memory."""
    return Regions({A: MemoryReplica(), B: MemoryReplica(), C: MemoryReplica()})


def test_a_write_reaches_the_other_region(table: Regions) -> None:
    """A new item travels whole."""
    table.put(A, "x", v="a1", tags={"red", "blue"}, raw=b"\x00\xff", deep={"n": [1, None, True]})
    table.replicator.settle()
    assert table.everywhere("x") == "a1"


def test_the_last_writer_wins_and_nobody_is_told(table: Regions) -> None:
    """A: a1 | B: b1 | settle: b1 stands everywhere, and only the Region that lost has seen both."""
    table.put(A, "x", v="a1")
    table.put(B, "x", v="b1")
    table.replicator.settle()
    assert table.everywhere("x") == "b1"
    assert table.replicator.counts == {"delivered": 1, "dropped": 1}


def test_a_replicated_write_is_not_replicated_back(table: Regions) -> None:
    """A: a1 | settle: one delivery, and then nothing moves ever again."""
    table.put(A, "x", v="a1")
    table.replicator.settle()
    assert table.replicator.counts == {"delivered": 1}
    assert table.replicator.step() == 0


def test_an_item_can_go_to_and_fro(table: Regions) -> None:
    """A: one | B: two | A: one again, the very bytes of before: it is a new write each time."""
    for region, value in ((A, "one"), (B, "two"), (A, "one"), (B, "two")):
        table.put(region, "x", v=value)
        table.replicator.settle()
        assert table.everywhere("x") == value


def test_quick_successive_writes_travel_as_one(table: Regions) -> None:
    """A: a1, a2, a3 | settle: B sees only a3."""
    for value in ("a1", "a2", "a3"):
        table.put(A, "x", v=value)
    table.replicator.settle()
    assert table.everywhere("x") == "a3"
    assert table.replicator.counts == {"delivered": 1, "coalesced": 2}


def test_a_delete_travels(table: Regions) -> None:
    """A: a1 | settle | B: delete | settle: it is gone everywhere."""
    table.put(A, "x", v="a1")
    table.replicator.settle()
    table.delete(B, "x")
    table.replicator.settle()
    assert table.image(A, "x") is None
    assert table.everywhere("x") is None


def test_a_delete_wins_over_an_earlier_write(table: Regions) -> None:
    """Cut | A: a2 | B: delete | heal: it is gone everywhere."""
    table.put(A, "x", v="a1")
    table.replicator.settle()
    table.parted(lambda: table.put(A, "x", v="a2"), lambda: table.delete(B, "x"))
    assert (table.image(A, "x"), table.everywhere("x")) == (None, None)


def test_a_later_write_brings_a_deleted_item_back(table: Regions) -> None:
    """Cut | B: delete | A: a2 | heal: a2 stands everywhere."""
    table.put(A, "x", v="a1")
    table.replicator.settle()
    table.parted(lambda: table.delete(B, "x"), lambda: table.put(A, "x", v="a2"))
    assert table.everywhere("x") == "a2"


def test_nothing_passes_a_partition(table: Regions) -> None:
    """Cut | A: a1 | B: b1 | both stand, until the partition heals and the later one wins."""
    table.replicator.cut(A, B)
    table.put(A, "x", v="a1")
    table.replicator.settle()
    table.put(B, "x", v="b1")
    table.replicator.settle()
    assert (table.value(A, "x"), table.value(B, "x"), table.replicator.waiting) == ("a1", "b1", 2)
    table.replicator.heal(B, A)
    table.replicator.settle()
    assert (table.everywhere("x"), table.replicator.waiting) == ("b1", 0)


def test_the_order_of_the_writes_decides_not_the_order_of_arrival(table: Regions) -> None:
    """Cut | B: b1 | A: a1 | heal: a1 was written later, so it wins in both Regions."""
    table.parted(lambda: table.put(B, "x", v="b1"), lambda: table.put(A, "x", v="a1"))
    assert table.everywhere("x") == "a1"


def test_a_write_that_changes_nothing_is_no_write(table: Regions) -> None:
    """A: a1 | settle | B: b1, A: a1 again: what changed nothing in A does not beat b1."""
    table.put(A, "x", v="a1")
    table.replicator.settle()
    table.put(B, "x", v="b1")
    table.put(A, "x", v="a1")
    table.replicator.settle()
    assert table.everywhere("x") == "b1"


def test_both_regions_write_the_same_bytes(table: Regions) -> None:
    """Two workers that repair the same loss write the same item: neither Region sees it again."""
    table.put(A, "x", v="same")
    table.put(B, "x", v="same")
    table.replicator.settle()
    assert table.everywhere("x") == "same"
    assert table.replicator.counts["delivered"] == 0


@pytest.mark.parametrize("is_new", [True, False])
def test_a_write_that_was_not_yet_seen_is_not_overwritten_blindly(table: Regions, is_new: bool) -> None:  # noqa: FBT001
    """A delivery meets a local write that the stream has not told of: it waits, and that later write wins."""
    if not is_new:
        table.put(A, "x", v="v0")
        table.replicator.settle()
    table.put(A, "x", v="a1")
    table.replicator.cut(A, B)
    table.replicator.settle()
    table.replicator.heal(A, B)
    table.after_next_read(B, lambda: table.put(B, "x", v="b1"))
    table.replicator.settle()
    assert table.everywhere("x") == "b1"


def test_writes_that_hid_from_a_delivery_lose_to_it(table: Regions) -> None:
    """B: b1, then v0 again, unread: a1 finds what it expects and replaces it, so it stands everywhere."""
    table.put(A, "x", v="v0")
    table.replicator.settle()
    table.put(A, "x", v="a1")
    table.after_next_read(B, lambda: table.put(B, "x", v="b1"), lambda: table.put(B, "x", v="v0"))
    table.replicator.settle()
    assert table.everywhere("x") == "a1"


def test_what_a_stream_has_not_shown_yet_is_not_over() -> None:
    """A: a1 | delivered to B, whose stream lags: replication is not at its end before it has seen its own write."""
    here, there = MemoryReplica(), MemoryReplica()
    table = Regions({A: here, B: there})
    table.put(A, "x", v="a1")
    table.replicator.step()
    there.lags = True
    assert table.replicator.step() > 0
    there.lags = False
    table.replicator.settle()
    assert table.replicator.step() == 0


def test_no_region_always_wins(table: Regions) -> None:
    """Whose stream is read last has the newer write: the Regions take turns."""
    winners = set()
    for item, waits in (("x", False), ("y", False), ("z", True)):
        if waits:
            table.replicator.step()
        table.put(A, item, v="a")
        table.put(B, item, v="b")
        table.replicator.settle()
        winners.add(table.everywhere(item))
    assert winners == {"a", "b"}


def test_regions_that_are_not_cut_off_go_on() -> None:
    """Cut A-B | A: a1: it reaches C; replication does not relay, so B waits for the link to heal."""
    table = three()
    table.replicator.cut(A, B)
    table.put(A, "x", v="a1")
    table.replicator.settle()
    assert (table.value(C, "x"), table.value(B, "x")) == ("a1", None)
    table.replicator.heal(A, B)
    table.replicator.settle()
    assert table.everywhere("x") == "a1"


LINKS = ((A, B), (B, C), (A, C))
EVENTS = st.one_of(
    st.builds(Write, st.sampled_from([A, B, C]), st.sampled_from("xy"), st.sampled_from(["1", "2", None])),
    st.builds(Link, st.sampled_from(LINKS), st.booleans()),
    st.none(),
)


@settings(max_examples=200, deadline=None)
@given(st.lists(EVENTS, max_size=25))
def test_whatever_happens_the_regions_end_up_equal(history: list[Write | Link | None]) -> None:
    """Writes, deletes, cuts and heals in any order: once all is healed, every Region holds the same."""
    table = three()
    for event in history:
        happen(event, table)
    for link in LINKS:
        table.replicator.heal(*link)
    table.replicator.settle()
    for item in "xy":
        table.everywhere(item)


def happen(event: Write | Link | None, table: Regions) -> None:
    """Let one event of a history happen; None is a step of replication."""
    match event:
        case Write(region, item, None):
            table.delete(region, item)
        case Write(region, item, value):
            table.put(region, item, v=value)
        case Link(between, is_cut):
            (table.replicator.cut if is_cut else table.replicator.heal)(*between)
        case None:
            table.replicator.step()
