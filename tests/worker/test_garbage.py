"""Garbage: whatever comes on the stream or in a request, nothing is lost and no strange error is raised."""

from collections.abc import Callable
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from reconciler.errors import ConfigurationError, ItemError, RequestError, TransientError
from reconciler.included import sift
from reconciler.poison import PoisonMessage
from reconciler.records import parse_record, sequence_number_of
from reconciler.worker import BatchReport
from tests.worker.replicas import UNHURRIED, B, Replica, image_of, plain_item, raw_record

SCALARS = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5)
JSON = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3)
)

BASE = image_of({"IdempotencyKey": "k0", "Set": {"Data": 1, "Profile/Name": "a"}, "Add": {"Balance": 1}})
IMAGES = [
    BASE,
    image_of({"IdempotencyKey": "k1", "Add": {"Balance": 1}, "AddToSet": {"Tags": ["t"]}}, on=BASE),
    image_of({"IdempotencyKey": "k2", "Set": {"Owner": "o"}}, on=BASE, region=B),
    image_of({"IdempotencyKey": "k3", "Delete": True}, on=BASE),
    plain_item(1, 1_700_000_000_000, Data="v", Tags={"t"}),
]
NAMES = st.sampled_from(
    """
    Keys OldImage NewImage Causality M S N Writes Stamp Stamps Horizon Folded Deltas Dots Deleted
    Id Data Balance Tags Profile Version Timestamp IdempotencyKey ExpiresAt SequenceNumber
    """.split()  # noqa: SIM905 - twenty-five quoted names are harder to read
)


@st.composite
def damaged(draw: st.DrawFn, whole: Any) -> Any:
    """Return something with one of its parts, however deep, replaced by garbage, or left out."""
    if isinstance(whole, dict) and whole and draw(st.integers(0, 9)):
        name = draw(st.sampled_from(sorted(whole)))
        part = draw(damaged(whole[name]))
        return {key: value for key, value in {**whole, name: part}.items() if value is not None}
    if isinstance(whole, list) and whole and draw(st.booleans()):
        return [draw(damaged(whole[0])), *whole[1:]]
    return draw(
        JSON | st.dictionaries(NAMES, JSON, max_size=3) | st.sampled_from([None, {}, [], {"N": "x"}, {"M": {}}])
    )


@st.composite
def records(draw: st.DrawFn) -> Any:
    """Return a record, whole or damaged, of two images or of garbage."""
    old, new = draw(st.sampled_from(IMAGES)), draw(st.sampled_from(IMAGES))
    operation = draw(st.sampled_from(["INSERT", "MODIFY", "REMOVE"]))
    number = str(draw(st.integers(1, 9)))
    whole = raw_record(operation, old, new, number)
    return draw(st.just(whole) | damaged(whole) | damaged(whole) | JSON)


def accounted_for(record: Any, failures: tuple[str, ...], messages: list[PoisonMessage]) -> bool:
    """Say whether a record is done, poisoned or failed: a broken one is done only where it cannot show a loss."""
    try:
        parse_record(record)
    except ItemError:
        is_sure = sift([record], "9" * 25) == ([], 0)
        is_sent = any(repr(message.record) == repr(record) for message in messages)  # NaN equals nothing, not itself
        return is_sure or is_sent or sequence_number_of(record) in failures
    return True


def process(replica: Replica, batch: list[Any]) -> BatchReport | None:
    """Process a batch; None where it is refused as a whole, by an error of the project's own."""
    try:
        return replica.worker().process(batch, lambda: UNHURRIED)
    except (ConfigurationError, TransientError):
        return None


@settings(max_examples=100, suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(batch=st.lists(records(), max_size=4), current=st.sampled_from([None, *IMAGES]), refusing=st.booleans())
def test_no_record_is_lost_and_nothing_strange_is_raised(batch: list[Any], current: Any, *, refusing: bool) -> None:
    """Each record is done, poisoned or failed."""
    replica = Replica()
    replica.holds(current)
    replica.queue.refusing = refusing
    report = process(replica, batch)
    assert all(isinstance(fault, TransientError) for _, fault in replica.recorder.faults)
    if report is not None:
        assert set(report.failures) <= {sequence_number_of(record) for record in batch}
        assert not report.failures or refusing
        assert all(accounted_for(record, report.failures, replica.queue.messages) for record in batch)


@settings(max_examples=100, suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(batch=st.lists(records(), max_size=4), current=st.sampled_from([None, *IMAGES]))
def test_a_batch_of_garbage_again_changes_nothing(batch: list[Any], current: Any) -> None:
    """What it did is done; what it sent again has the ids that it had."""
    replica = Replica()
    replica.holds(current)
    if process(replica, batch) is None:
        return
    first, sent = replica.image, {message.id for message in replica.queue.messages}
    process(replica, batch)
    assert replica.image == first
    assert {message.id for message in replica.queue.messages} == sent


REQUEST = {
    "Id": "x",
    "IdempotencyKey": "k",
    "Timestamp": 1_700_000_000_000,
    "Set": {"Data": 1, "Profile/Name": "a", "Note": "n"},
    "Remove": ["Other", "Profile/Old"],
    "Add": {"Balance": 1, "Profile/Logins": 2},
    "AddToSet": {"Tags": ["a"], "Seen": [1]},
    "RemoveFromSet": {"Tags": ["b"]},
    "ExpectedVersion": 0,
    "ExpectedToken": "t",
}
ENVELOPE = {"eventId": "e", "eventTime": "2023-11-14T22:13:20Z", "event": {"Id": "x", "Data": 1}}
REQUESTS = st.sampled_from([REQUEST, ENVELOPE, {"Id": "x", "Delete": True}, {"Id": "x", "Data": 1}])


def refusal(call: Callable[[], object]) -> RequestError | None:
    """Return the error with which a request is refused; None where it is executed."""
    try:
        call()
    except RequestError as error:
        return error
    return None


@settings(max_examples=200, suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(request_=REQUESTS.flatmap(damaged) | JSON, current=st.sampled_from([None, *IMAGES]))
def test_a_request_is_executed_or_refused(request_: Any, current: Any) -> None:
    """A wrong one names its field, and nothing was changed."""
    replica = Replica()
    replica.holds(current)
    error = refusal(lambda: replica.writer().process_event(request_))
    if error:
        assert error.field
        assert replica.image == current


@settings(max_examples=100, suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(events=st.lists(REQUESTS.flatmap(damaged), max_size=3) | JSON, key=JSON, time=JSON)
def test_a_transaction_is_executed_or_refused(events: Any, key: Any, time: Any) -> None:
    """All of it, or nothing."""
    replica = Replica()
    error = refusal(lambda: replica.writer().process_transaction(events, key, time))
    assert error is None or error.field
    assert (replica.stream == []) is (error is not None)
