"""What the memory adapters have beyond the ports: a stream, hard deletes, tokens, refusals."""

import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from reconciler.adapters import memory
from reconciler.adapters.memory import MemoryMeter, MemoryQueue, MemoryRecorder, MemoryTable
from reconciler.change import Change, change_between
from reconciler.conflict import Conflict, Kind, Mode
from reconciler.errors import ItemError, TooLargeError, TransientError
from reconciler.poison import PoisonMessage
from reconciler.ports import StaleItems, Written
from reconciler.size import item_bytes
from reconciler.wire import Image

KEY: Image = {"Id": {"S": "a"}}
OLD: Image = {**KEY, "Data": {"S": "old"}}
NEW: Image = {**KEY, "Data": {"S": "new"}}

Seen = tuple[Image, Image | None, Image | None]


def create(image: Image) -> Change:
    """Return the change that creates the item."""
    return change_between({"Id": image["Id"]}, None, image, ())


def listened_to() -> tuple[MemoryTable, list[Seen]]:
    """Return a table, and the list of what its stream shows."""
    seen: list[Seen] = []
    return MemoryTable(lambda key, old, new: seen.append((key, old, new))), seen


def test_every_effective_change_is_told_with_both_images() -> None:
    """A creation, an update and a delete are shown in order, each from what to what."""
    table, seen = listened_to()
    table.write(create(OLD))
    table.write(change_between(KEY, OLD, NEW, ()))
    table.delete(KEY)
    assert seen == [(KEY, None, OLD), (KEY, OLD, NEW), (KEY, NEW, None)]


def test_what_changes_nothing_is_written_without_notice() -> None:
    """As in DynamoDB, the same values make no stream record, however they are spelt."""
    image = {**KEY, "N": {"N": "1"}, "S": {"SS": ["a", "b"]}}
    table, seen = listened_to()
    table.write(create(image))
    spelt: Image = {"N": {"N": "1.0"}, "S": {"SS": ["b", "a"]}}
    assert table.write(Change(KEY, image, image, spelt, ("Absent",), {})) == Written()
    table.put(KEY, {**KEY, **spelt})
    table.delete({"Id": {"S": "another"}})
    assert len(seen) == 1


def test_values_are_stored_in_canonical_form() -> None:
    """Numbers are normalised and sets sorted, and a key's spelling does not matter."""
    table = MemoryTable()
    table.put({"Id": {"N": "1.0"}}, {"Id": {"N": "1.0"}, "Data": {"NS": ["10", "9.50"]}})
    assert table.read({"Id": {"N": "1"}}) == {"Data": {"NS": ["9.5", "10"]}, "Id": {"N": "1"}}


def test_a_put_replaces_whatever_stood_there() -> None:
    """Replication and foreign writers ask no condition."""
    table, seen = listened_to()
    table.put(KEY, OLD)
    table.put(KEY, NEW)
    assert table.items() == [NEW]
    assert seen[-1] == (KEY, OLD, NEW)


def test_items_come_in_the_order_of_their_keys() -> None:
    """The order of writing does not show."""
    table = MemoryTable()
    for letter in "cab":
        table.write(create({"Id": {"S": letter}}))
    assert [item["Id"]["S"] for item in table.items()] == ["a", "b", "c"]


def test_the_limit_of_an_item_is_exact() -> None:
    """409,600 bytes fit, one more does not; names count."""
    table = MemoryTable()
    full = {**KEY, "Data": {"S": "x" * (409_600 - 3 - 4)}}
    assert item_bytes(full) == 409_600
    assert table.write(create(full)) == Written()
    with pytest.raises(TooLargeError, match="409601"):
        table.put(KEY, {**KEY, "Datum": full["Data"]})


def test_a_transaction_repeated_with_its_token_is_the_same_call() -> None:
    """The second call is answered as the first was, and does nothing."""
    table, seen = listened_to()
    assert table.transact([create(OLD)], "token") == Written()
    assert table.transact([create(OLD)], "token") == Written()
    assert len(seen) == 1


def test_a_token_with_other_changes_is_refused() -> None:
    """What DynamoDB calls a parameter mismatch may be retried with a new token."""
    table = MemoryTable()
    table.transact([create(OLD)], "token")
    with pytest.raises(TransientError, match="token"):
        table.transact([create(NEW)], "token")


def test_a_transaction_that_failed_leaves_its_token_free() -> None:
    """Only what was done is remembered."""
    table = MemoryTable()
    table.put(KEY, OLD)
    assert table.transact([create(NEW)], "token") == StaleItems({0: OLD})
    assert table.transact([change_between(KEY, OLD, NEW, ["Data"])], "token") == Written()


def test_the_oldest_tokens_are_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    """The memory of tokens is bounded."""
    monkeypatch.setattr(memory, "MAX_TOKENS", 2)
    table = MemoryTable()
    for letter in "abc":
        table.transact([create({"Id": {"S": letter}})], letter)
    assert table.transact([create({"Id": {"S": "c"}})], "c") == Written()
    assert isinstance(table.transact([create({"Id": {"S": "a"}})], "a"), StaleItems)


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ([], "has 0 changes"),
        ([create({"Id": {"N": str(number)}}) for number in range(101)], "has 101 changes"),
        ([create({"Id": {"N": "1"}}), create({"Id": {"N": "1.0"}})], "changes one item twice"),
    ],
    ids=["none", "too many", "one item twice"],
)
def test_what_dynamodb_refuses_of_a_transaction_is_refused(changes: list[Change], problem: str) -> None:
    """A transaction has 1 to 100 changes, each of another item."""
    table = MemoryTable()
    with pytest.raises(ItemError, match=problem):
        table.transact(changes, "token")
    assert table.items() == []


@pytest.fixture
def _impatient_threads() -> Iterator[None]:
    """Let threads take turns as often as they can."""
    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    yield
    sys.setswitchinterval(interval)


@pytest.mark.usefixtures("_impatient_threads")
def test_of_many_threads_one_wins_each_race() -> None:
    """However the threads interleave, a change whose condition holds for one holds for no other."""
    table = MemoryTable()
    table.put(KEY, {**KEY, "Count": {"N": "0"}})

    def count_up(_: int) -> None:
        written = False
        while not written:
            seen = table.read(KEY) or {}
            item = {**seen, "Count": {"N": str(int(seen["Count"]["N"]) + 1)}}
            written = table.write(change_between(KEY, seen, item, ["Count"])) == Written()

    with ThreadPoolExecutor(4) as threads:
        list(threads.map(count_up, range(400)))
    assert table.items() == [{**KEY, "Count": {"N": "400"}}]


def test_the_queue_keeps_messages_and_refuses_when_told() -> None:
    """A refused message is not kept."""
    queue, message = MemoryQueue(), PoisonMessage("malformed", "", "eu-west-1", "T", KEY, "1", OLD, NEW)
    queue.send(message)
    queue.refusing = True
    with pytest.raises(TransientError):
        queue.send(message)
    assert queue.messages == [message]


def test_the_recorder_keeps_what_it_is_told_and_fails_when_told() -> None:
    """Conflicts, messages and faults are kept apart; what meets a failing recorder is not kept."""
    conflict = Conflict(Kind.OVERWRITTEN, Mode.EXACT, "eu-west-1", "T", KEY, "1", OLD, NEW, NEW, (), (), ())
    message, fault = PoisonMessage("malformed", "", "eu-west-1", "T", KEY, "1", OLD, NEW), TransientError("throttled")
    recorder = MemoryRecorder()
    recorder.conflict(conflict, repaired=True)
    recorder.poisoned(message)
    recorder.failed(["1", "2"], fault)
    recorder.failing = True
    for tell in (
        lambda: recorder.conflict(conflict, repaired=False),
        lambda: recorder.poisoned(message),
        lambda: recorder.failed(["3"], fault),
    ):
        with pytest.raises(TransientError, match="recorder"):
            tell()
    assert recorder.conflicts == [(conflict, True)]
    assert recorder.messages == [message]
    assert recorder.faults == [(("1", "2"), fault)]


def test_the_meter_keeps_sums() -> None:
    """What was counted adds up by name."""
    meter = MemoryMeter()
    meter.add("conflicts")
    meter.add("conflicts", 2)
    assert meter.counts == {"conflicts": 3}
