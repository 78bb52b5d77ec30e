"""Replaying: what the worker decides about a recording, and what the table would hold."""

from collections.abc import Iterable
from typing import Any

import pytest

from reconciler.adapters.memory import MemoryTable
from reconciler.change import change_between
from reconciler.decisions import Escalate, Fine, Noop, Repair
from reconciler.effects import Effects
from reconciler.errors import ConfigurationError, TransientError
from reconciler.poison import PoisonMessage
from reconciler.policy import CAUSALITY
from reconciler.ports import Stale, StaleItems, Written
from reconciler.records import parse_record
from reconciler.wire import Image
from replay_tools import bootstrap, recorded_table
from replay_tools.recorded_table import RecordedTable
from replay_tools.recordings import Recorded
from replay_tools.replay import Judged, Replay, explanations, region_of, told_as_sentence
from tests.replay.regions import NOW, POLICY, A, B, Regions, lost_update


def replayed(recording: Iterable[Recorded]) -> tuple[list[Judged], list[Image]]:
    """Return what is decided about each record, and the items in the end."""
    replay, table = bootstrap.replay(POLICY, A)
    return list(replay.judge_all(recording)), table.items()


def reasons(judged: Iterable[Judged]) -> list[list[str]]:
    """Return the kind and reason of each record's decisions."""
    return [[f"{told['decision']} {told['reason']}" for told in explanations(one, POLICY, A)] for one in judged]


def test_each_record_is_judged_in_turn() -> None:
    """What the worker leaves out at first sight is told too, and the table holds the repair in the end."""
    judged, items = replayed(lost_update().recording(A))
    assert reasons(judged) == [["noop created"], ["noop included"], ["repair overwritten"]]
    assert [one.place for one in judged] == ["line 1", "line 2", "line 3"]
    assert [(item["Balance"], item["Note"]) for item in items] == [({"N": "111"}, {"S": "a"})]


def test_a_repair_that_the_recording_does_not_know_of_lasts() -> None:
    """What was repaired is joined into what the recording shows next: no later record forgets it."""
    regions = lost_update()
    regions.write(A, "k3", Add={"Balance": 1000}, Set={"Note": "later"})
    judged, items = replayed(regions.recording(A))
    assert reasons(judged)[2:] == [["repair overwritten"], ["noop included"]]
    assert [(item["Balance"], item["Note"]) for item in items] == [({"N": "1111"}, {"S": "later"})]


def test_a_repair_that_the_recording_shows_is_not_repeated() -> None:
    """With the worker's own repair in the recording, its record lost nothing, and changes nothing."""
    regions = lost_update()
    repaired = replayed(regions.recording(A))[1][0]
    regions.put(A, repaired)
    judged, items = replayed(regions.recording(A))
    assert reasons(judged)[2:] == [["repair overwritten"], ["noop included"]]
    assert items == [repaired]


def test_a_record_that_comes_twice_changes_nothing_more() -> None:
    """A recording of a redelivery ends as one without: the repair is the same bytes again."""
    recording = lost_update().recording(A)
    judged, items = replayed([*recording, recording[2]])
    assert reasons(judged)[2:] == [["repair overwritten"], ["repair overwritten"]]
    assert items == replayed(recording)[1]


def test_a_removed_item_takes_its_repair_along() -> None:
    """After a REMOVE nothing stands there, whatever was repaired before."""
    regions = lost_update()
    regions.remove(A)
    judged, items = replayed(regions.recording(A))
    assert reasons(judged)[3] == ["noop hard_delete"]
    assert items == []


@pytest.mark.parametrize(
    ("request_a", "request_b", "decisions"),
    [
        ({"Delete": True}, {"Add": {"Balance": 7}}, ["repair overwritten"]),
        ({"Add": {"Balance": 7}}, {"Delete": True}, ["noop lost_to_delete"]),
        ({"Set": {"Owner": "a"}}, {"Set": {"Owner": "b"}}, ["repair overwritten", "escalate manual"]),
    ],
)
def test_one_record_may_call_for_several_decisions(
    request_a: dict[str, Any], request_b: dict[str, Any], decisions: list[str]
) -> None:
    """A repair may leave a question to a person; a delete that comes back, or stands, leaves none."""
    regions = Regions()
    regions.write(A, "k0", Set={"Owner": "nobody"})
    regions.replicate(A, B)
    regions.write(A, "k1", **request_a)
    regions.write(B, "k2", **request_b)
    regions.replicate(B, A)
    judged, _ = replayed(regions.recording(A))
    assert reasons(judged)[2] == decisions
    assert judged[2].is_settled == ("escalate manual" not in decisions)


def test_a_foreign_write_is_adopted() -> None:
    """The table holds the changed value, stamped."""
    regions = lost_update()
    regions.put(A, {**regions.image(A), "Note": {"S": "by hand"}})
    judged, items = replayed(regions.recording(A))
    assert reasons(judged)[3] == ["repair foreign"]
    assert [(item["Balance"], item["Note"]) for item in items] == [({"N": "111"}, {"S": "by hand"})]


def test_a_record_that_is_none_is_escalated() -> None:
    """A broken record is judged like any other, and says what it lacks."""
    judged, items = replayed([Recorded("line 1", {"eventName": "MODIFY", "dynamodb": {"SequenceNumber": "9"}})])
    assert reasons(judged) == [["escalate broken_record"]]
    assert isinstance(judged[0].decisions[0], Escalate)
    assert (judged[0].record.sequence_number, judged[0].is_settled, items) == ("9", False, [])


def test_malformed_bookkeeping_is_escalated_after_a_repair() -> None:
    """What cannot be joined with an earlier repair is for a person; the recording's image stands."""
    regions = lost_update()
    spoilt = {**regions.image(A), CAUSALITY: {"S": "junk"}}
    regions.put(A, spoilt)
    judged, items = replayed(regions.recording(A))
    assert reasons(judged)[3] == ["escalate malformed"]
    assert items == [spoilt]


def test_another_tables_recording_is_refused() -> None:
    """Records of another key schema are a wrong policy, not poison."""
    raw = {"eventName": "INSERT", "dynamodb": {"Keys": {"Other": {"S": "x"}}, "NewImage": {"Other": {"S": "x"}}}}
    with pytest.raises(ConfigurationError, match="the records' key is"):
        replayed([Recorded("line 1", raw)])


class Refusing:
    """A poison queue that is down."""

    def send(self, message: PoisonMessage) -> None:
        """Refuse."""
        raise TransientError("the queue refuses")


def replay_on(table: MemoryTable, queue: object) -> Replay:
    """Return a replay with --apply, so to speak."""
    effects = Effects(table, queue, POLICY, A, pause=lambda _: None, attempts=2, reserve_ms=0)  # type: ignore[arg-type]
    return Replay(POLICY, effects, lambda: NOW)


def test_a_real_table_is_repaired_and_then_found_repaired() -> None:
    """With a real table the repair is made once; the next replay finds it."""
    regions, table = lost_update(), MemoryTable()
    table.put({"Id": {"S": "x"}}, regions.image(A))
    first, second = (list(replay_on(table, Refusing()).judge_all(regions.recording(A))) for _ in range(2))
    assert isinstance(first[2].decisions[0], Repair)
    assert second[2].decisions == (Noop(Fine.ALREADY_REPAIRED),)
    assert table.items()[0]["Balance"] == {"N": "111"}


def test_what_could_not_be_done_is_not_settled() -> None:
    """A queue that refuses leaves the record to another try, and the sentence says so."""
    regions = Regions()
    regions.put(A, {"Id": {"S": "x"}, CAUSALITY: {"S": "junk"}})
    regions.put(A, {"Id": {"S": "x"}, CAUSALITY: {"S": "jnk"}})
    judged = list(replay_on(MemoryTable(), Refusing()).judge_all(regions.recording(A)))
    assert not judged[1].is_settled
    (told,) = explanations(judged[1], POLICY, A)
    assert told_as_sentence(told) == "The record is to be tried again: the queue refuses."


def test_the_region_is_the_records_own_unless_the_policy_knows_it_not() -> None:
    """A Region that the policy lacks has to be named."""
    recording = lost_update().recording(B)
    assert region_of(recording[0], POLICY) == B
    with pytest.raises(ConfigurationError, match="line 7: its Region None is not among the policy's"):
        region_of(Recorded("line 7", {}), POLICY)


def test_the_imagined_table_forgets_what_was_not_shown_for_longest(monkeypatch: pytest.MonkeyPatch) -> None:
    """Memory is bounded; a forgotten item comes back with its next record."""
    monkeypatch.setattr(recorded_table, "MAX_ITEMS", 2)
    table = RecordedTable(POLICY, A)
    for key in ("x", "y", "x", "z"):
        regions = Regions(key)
        regions.write(A, "k", Set={"Note": key})
        table.show(parse_record(regions.recording(A)[0].raw))
    assert [item["Id"] for item in table.items()] == [{"S": "x"}, {"S": "z"}]


def test_the_imagined_table_keeps_conditions() -> None:
    """One change that is stale stops the transaction that it is in."""
    table = RecordedTable(POLICY, A)
    keys: list[Image] = [{"Id": {"S": name}} for name in "xy"]
    creations = [change_between(key, None, {**key, "Note": {"S": "new"}}, ()) for key in keys]
    assert table.write(creations[0]) == Written()
    assert table.write(creations[0]) == Stale(creations[0].item)
    assert table.transact(creations, "t") == StaleItems({0: creations[0].item})
    assert table.transact(creations[1:], "t") == Written()
    assert table.items() == [creation.item for creation in creations]
