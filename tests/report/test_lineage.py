"""Which record is what: histories of two Regions, and the marks that come of them."""

import json
from pathlib import Path

import pytest

from replay_tools.recordings import RecordingError
from replay_tools.report.gather import policy_for
from replay_tools.report.losses import read_losses, tell_losses
from replay_tools.report.marks import Kind
from replay_tools.report.order import arrange
from tests.replay.regions import A, B, Regions, lost_update
from tests.report.histories import kinds, lanes_from, lanes_of, plain_record


def test_the_overwritten_write_is_marked_where_it_was_made() -> None:
    """Of two concurrent writes the loser's own record is the overwritten one, and points to nothing of its own."""
    ours, theirs = lanes_of(lost_update())
    assert kinds([ours, theirs]) == [["write", "overwritten", "replication"], ["replication", "write"]]
    assert ours[2].overwrote is ours[1]
    assert ours[2].source is theirs[1]
    assert theirs[0].source is ours[0]


def test_only_what_the_write_itself_had_set_is_lost() -> None:
    """The decision of the record that took it is told at the overwritten write."""
    ours, _ = lanes_of(lost_update())
    assert ours[1].lost == ("Balance", "Note")
    assert "was overwritten by another Region's version" in ours[1].says[0]
    assert ours[1].judged.decisions == (("repair", "overwritten"),)


def test_a_repair_joins_what_this_replica_had_forgotten() -> None:
    """The Region that lost a write and has it again has repaired; where the repair arrives it is a replication."""
    regions = lost_update()
    lost = regions.recording(A)[1].raw["dynamodb"]["NewImage"]["Causality"]["M"]["Writes"]["M"]
    winner = regions.image(A)
    ledger = winner["Causality"]["M"]
    joined = {**winner, "Causality": {"M": {**ledger, "Writes": {"M": {**ledger["Writes"]["M"], **lost}}}}}
    regions.put(A, joined)
    regions.replicate(A, B)
    assert kinds(lanes_of(regions)) == [
        ["write", "overwritten", "replication", "repair"],
        ["replication", "write", "replication"],
    ]


def test_a_request_executed_twice_is_a_duplicate() -> None:
    """What was overwritten is another execution of a write that stands: nothing is lost."""
    regions = Regions()
    regions.write(A, "k0", Add={"Balance": 1})
    regions.replicate(A, B)
    for region in (A, B):
        regions.write(region, "k1", Add={"Balance": 5})
    regions.replicate(B, A)
    assert kinds(lanes_of(regions)) == [["write", "duplicate", "replication"], ["replication", "write"]]


def test_a_record_that_the_recording_holds_twice_is_a_duplicate() -> None:
    """It is not drawn as a second write, and overwrites nothing again."""
    stream = [each.raw for each in lost_update().recording(A)]
    ours, _ = lanes_from({A: [*stream, stream[2]], B: []})
    assert [mark.kind for mark in ours] == [Kind.WRITE, Kind.OVERWRITTEN, Kind.REPLICATION, Kind.DUPLICATE]
    assert "holds it twice" in ours[3].says[0]


def test_a_removal_by_hand_needs_a_look() -> None:
    """Whoever bypasses the writer overwrites nothing, and is seen."""
    regions = Regions()
    regions.write(A, "k0", Add={"Balance": 1})
    regions.remove(A)
    assert kinds(lanes_of(regions))[0] == ["write", "attention"]


def test_what_took_a_write_that_was_made_before_the_recording_stands_for_it() -> None:
    """A recording that begins too late shows the loss at the record that proves it."""
    (late,) = [each.raw for each in lost_update().recording(A)][2:]
    ours, _ = lanes_from({A: [late], B: []})
    assert [(mark.kind, mark.lost) for mark in ours] == [(Kind.OVERWRITTEN, ("Balance", "Note"))]


# Without ledgers


def test_without_a_ledger_the_region_that_showed_a_version_first_has_written_it() -> None:
    """Times decide, and each time that a value comes back is a time of its own."""
    ours = [plain_record(A, 1, 10, None, "a"), plain_record(A, 2, 13, "a", "b"), plain_record(A, 3, 14, "b", "a")]
    theirs = [plain_record(B, 1, 11, None, "a"), plain_record(B, 2, 12, "a", "b"), plain_record(B, 3, 15, "b", "a")]
    lanes = lanes_from({A: ours, B: theirs})
    assert kinds(lanes) == [["write", "replication", "write"], ["replication", "write", "replication"]]
    assert lanes[1][2].source is lanes[0][2]


def test_without_a_ledger_and_at_one_rounded_time_the_first_named_region_counts_as_the_origin() -> None:
    """That is a guess, and the page says so."""
    lanes = lanes_from({A: [plain_record(A, 1, 10, None, "a")], B: [plain_record(B, 1, 10, None, "a")]})
    assert kinds(lanes) == [["write"], ["replication"]]


def loss(**changes: object) -> dict[str, object]:
    """Return a lost write as audit tells it."""
    return {
        "region": A,
        "key": {"Id": "x"},
        "sequence_number": "1",
        "attributes": ["v"],
        "exactness": "approximate",
        "why": "both started from nothing",
        "at": None,
        "overwritten_by": {"region": A, "sequence_number": "2", "made_in": B},
        **changes,
    }


def test_without_a_ledger_the_audit_says_what_was_overwritten(tmp_path: Path) -> None:
    """Its losses are marks like any other; those that no recording holds are counted."""
    lanes = lanes_from({A: [plain_record(A, 1, 10, None, "a"), plain_record(A, 2, 11, "a", "b")], B: []})
    told = [loss(), loss(sequence_number="8", overwritten_by={"region": A, "sequence_number": "9"})]
    path = tmp_path / "losses.ndjson"
    path.write_text("".join(json.dumps(each) + "\n" for each in told))
    assert tell_losses(read_losses(str(path)), lanes) == 1
    write, overwriter = lanes[0]
    assert (write.kind, write.lost, overwriter.overwrote) == (Kind.OVERWRITTEN, ("v",), write)
    assert write.says[0].startswith(f"Audit: overwritten in {A} by {B}'s version, taking v: both started from nothing")


@pytest.mark.parametrize(
    "line", ["{", "[]", "{}", "null", json.dumps(loss(region=1)), json.dumps(loss(attributes=None))]
)
def test_what_is_no_lost_write_is_named_by_its_line(tmp_path: Path, line: str) -> None:
    """One line says which file and which line."""
    path = tmp_path / "losses.ndjson"
    path.write_text(f"\n{line}\n")
    with pytest.raises(RecordingError, match=r"losses\.ndjson:2: is no lost write"):
        list(read_losses(str(path)))


def test_without_a_policy_the_records_name_the_key(tmp_path: Path) -> None:
    """Any table's recordings will do; one of nothing will not."""
    (path := tmp_path / "r").write_text(json.dumps(plain_record(A, 1, 10, None, "a")))
    assert policy_for({A: str(path), B: str(path)}).key_names == ("Id",)
    path.write_text("")
    with pytest.raises(RecordingError, match="no record in it has a key"):
        policy_for({A: str(path)})


# Order


def test_a_copy_is_drawn_after_its_original_however_times_are_rounded() -> None:
    """Within one rounded moment each Region keeps its order, and no line leads back in time."""
    marks, step_ms = arrange(lanes_of(lost_update()))
    assert step_ms == 1_000
    assert [mark.x_us for mark in marks] == [100_000, 300_000, 500_000, 700_000, 900_000]
    assert all(mark.source.x_us < mark.x_us for mark in marks if mark.source)
    assert [mark.seen.sequence_number for mark in marks if mark.lane == 0] == ["1", "2", "3"]


def test_exact_times_are_drawn_as_they_are() -> None:
    """Kinesis gives milliseconds: nothing is spread over a second then."""
    lanes = lanes_from({A: [plain_record(A, 1, 10.001, None, "a"), plain_record(A, 2, 10.007, "a", "b")], B: []})
    marks, step_ms = arrange(lanes)
    assert (step_ms, [mark.x_us for mark in marks]) == (1, [500, 6_500])
