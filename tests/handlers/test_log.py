"""The log: stable event names, digests of keys, never a value."""

import json
from dataclasses import replace

import pytest

from reconciler.adapters.log import LogRecorder, json_logger
from reconciler.conflict import MAX_NAME_CHARACTERS, MAX_NAMES, Conflict, Kind, Mode
from reconciler.errors import TransientError
from reconciler.poison import PoisonMessage
from reconciler.stamps import WriteId

SECRET = "do-not-log-me"  # noqa: S105 - the very thing that must not appear
KEY = {"Id": {"S": SECRET}}
IMAGE = {**KEY, "Data": {"S": SECRET}}
CONFLICT = Conflict(
    Kind.OVERWRITTEN, Mode.EXACT, "us-east-1", "T", KEY, "7", IMAGE, IMAGE, IMAGE, (WriteId("w1"),), ("Data",), ()
)
MESSAGE = PoisonMessage("malformed", "Causality: is not a map", "us-east-1", "T", KEY, "8", IMAGE, IMAGE)


@pytest.fixture
def recorder():
    """A recorder whose lines go to standard output."""
    return LogRecorder(json_logger("INFO", region="us-east-1", table="T"))


def line(capsys):
    """Return the one line that was written."""
    text = capsys.readouterr().out
    assert SECRET not in text
    (document,) = [json.loads(each) for each in text.splitlines()]
    return document


@pytest.mark.parametrize(("repaired", "event"), [(True, "conflict_repaired"), (False, "conflict_recorded")])
def test_a_conflict_is_one_line(recorder, capsys, repaired, event):
    """It names the lost writes and attributes, and says whether the decision was exact."""
    recorder.conflict(CONFLICT, repaired=repaired)
    written = line(capsys)
    assert (written["event"], written["mode"], written["region"]) == (event, "exact", "us-east-1")
    assert (written["lost_writes"], written["overwritten"], written["sequence_number"]) == (["w1"], ["Data"], "7")


def test_a_line_names_no_more_than_it_may(recorder, capsys):
    """Of many attributes the first are named, long names are cut, and how many more there are is said."""
    names = tuple(f"{number:03}{'x' * 300}" for number in range(MAX_NAMES + 7))
    recorder.conflict(replace(CONFLICT, overwritten=names, lost=names[:2], writes=names), repaired=True)
    written = line(capsys)
    assert (len(written["overwritten"]), written["overwritten_more"], written["lost_writes_more"]) == (MAX_NAMES, 7, 7)
    assert (written["overwritten"][0], "lost_more" in written) == (f"000{'x' * (MAX_NAME_CHARACTERS - 4)}…", False)


def test_a_fault_of_many_records_is_a_short_line(recorder, capsys):
    """The first sequence numbers are named."""
    recorder.failed([str(number) for number in range(10_000)], TransientError("throttled"))
    written = line(capsys)
    assert (written["sequence_numbers"][0], written["sequence_numbers_more"]) == ("0", 10_000 - MAX_NAMES)


def test_a_poison_message_is_one_line(recorder, capsys):
    """It can be found in the queue by its id."""
    recorder.poisoned(MESSAGE)
    written = line(capsys)
    assert (written["event"], written["reason"], written["message_id"]) == ("record_poisoned", "malformed", MESSAGE.id)
    assert written["mode"] == "approximate"


def test_a_fault_of_our_own_is_told_in_its_words(recorder, capsys):
    """The reconciler's faults hold no values."""
    recorder.failed(["7"], TransientError("throttled"))
    written = line(capsys)
    assert (written["event"], written["fault"], written["detail"]) == ("records_failed", "TransientError", "throttled")


def test_an_unexpected_fault_is_told_by_its_place(recorder, capsys):
    """Its own words might hold a value of the item."""
    with pytest.raises(KeyError) as caught:
        {}[SECRET]
    recorder.failed(["7"], caught.value)
    assert "test_log.py" in line(capsys)["detail"]


def test_a_fault_that_was_never_raised_has_no_place(recorder, capsys):
    """A fault without a traceback is still a line."""
    recorder.failed(["7"], KeyError(SECRET))
    assert line(capsys)["detail"] == "unknown place"


def test_a_batch_is_one_line(recorder, capsys):
    """Counts stand beside the number of records and failures."""
    recorder.batch(3, 1, {"repaired": 2})
    written = line(capsys)
    assert (written["event"], written["records"], written["failures"], written["repaired"]) == (
        "batch_processed",
        3,
        1,
        2,
    )


def test_a_batch_says_how_many_decisions_were_exact_and_approximate(recorder, capsys):
    """Also where there were none."""
    recorder.batch(3, 0, {"approximate": 2})
    written = line(capsys)
    assert (written["exact"], written["approximate"]) == (0, 2)


def test_the_level_is_kept(capsys):
    """What is below the level is not written."""
    LogRecorder(json_logger("ERROR")).batch(1, 0, {})
    assert capsys.readouterr().out == ""
