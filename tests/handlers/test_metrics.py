"""Metrics in CloudWatch's embedded format."""

import json

from handlers.metrics import Metrics


def lines(capsys):
    """Return what was written to standard output, a document a line."""
    return [json.loads(line) for line in capsys.readouterr().out.splitlines()]


def test_the_counts_of_a_batch_are_one_line(capsys):
    """Every named count is a metric of the table and the function."""
    Metrics("Space", "T", "stream").emit({"lost_writes": 2, "repaired": 1, "attempts": 3, "noop_included": 9})
    (line,) = lines(capsys)
    assert (line["Table"], line["Function"]) == ("T", "stream")
    assert (line["LostWritesFound"], line["Repairs"], line["RepairAttempts"]) == ([2.0], [1.0], [3.0])
    assert "noop_included" not in line
    assert line["_aws"]["CloudWatchMetrics"][0]["Namespace"] == "Space"


def test_escalations_are_counted_by_reason(capsys):
    """Each reason is a dimension of its own line."""
    Metrics("Space", "T", "stream").emit({"escalated_malformed": 1, "escalated_manual": 2})
    counted = {line["Reason"]: line["Escalations"] for line in lines(capsys)}
    assert counted == {"malformed": [1.0], "manual": [2.0]}


def test_skew_is_measured_in_milliseconds(capsys):
    """A clock's skew is a time, not a count."""
    Metrics("Space", "T", "write").emit({"skew_ms": 60_000})
    (line,) = lines(capsys)
    assert line["_aws"]["CloudWatchMetrics"][0]["Metrics"] == [{"Name": "ClockSkew", "Unit": "Milliseconds"}]


def test_nothing_to_count_is_nothing_to_write(capsys):
    """A quiet batch costs no line."""
    Metrics("Space", "T", "stream").emit({"noop_included": 5})
    assert lines(capsys) == []
