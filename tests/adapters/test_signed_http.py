"""One call: sent, repeated where that may help, checked, and its outcome told apart."""

import json
import logging
import traceback
from base64 import b64encode
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from email.utils import format_datetime
from threading import Barrier
from types import MappingProxyType
from typing import Any

import pytest

from reconciler.adapters.connections import Connections, Endpoint
from reconciler.adapters.replica import Replica
from reconciler.adapters.signed_http import SignedHttp
from reconciler.adapters.sigv4 import Credentials, Signer
from reconciler.change import change_between
from reconciler.errors import (
    ConfigurationError,
    ItemError,
    KeySchemaError,
    ReconcilerError,
    TooLargeError,
    TransientError,
)
from reconciler.ports import Stale, StaleItems, Written
from reconciler.wire import Image
from tests.adapters.loopback import GIVE_UP_SECONDS, Last, Loopback, Request, error, loopback, reset, whole

NOW = 1_700_000_000.0
SECRET, TOKEN, VALUE = "wJalrXUtnFEMI", "session-token", "xyzzy"
KEY: Image = {"Id": {"S": "a"}}
OLD: Image = {**KEY, "Data": {"S": "old"}}
NEW: Image = {**KEY, "Data": {"S": "new"}}
CREATION = change_between(KEY, None, NEW, ())
UPDATE = change_between(KEY, OLD, NEW, ["Data"])


@pytest.fixture
def server() -> Iterator[Loopback]:
    """A server that answers as it is told."""
    with loopback() as running:
        yield running


@pytest.fixture
def pauses() -> list[int]:
    """After which attempts there was a pause."""
    return []


@pytest.fixture
def http(server: Loopback, pauses: list[int]) -> Iterator[SignedHttp]:
    """Calls with three attempts, which recorded pauses stand between."""
    connections = Connections(Endpoint(server.url, ""), connect_seconds=5, read_seconds=0.5, idle=8)
    yield SignedHttp(
        connections.post,
        Signer(server.url, "eu-west-1"),
        lambda: Credentials("AKID", SECRET, TOKEN),
        "T",
        attempts=3,
        pause=pauses.append,
        seconds=lambda: NOW,
    )
    connections.close()


@pytest.fixture
def table(http: SignedHttp) -> Replica:
    """The table behind the calls."""
    return Replica(http, "T")


# Requests


def test_a_call_is_dynamodbs_own_protocol(server: Loopback, http: SignedHttp) -> None:
    """JSON 1.0, the action as the target, signed; compact, and without any conversion."""
    server.replies.append(whole({"Item": {"Data": {"B": "AP8="}}}))
    assert http("GetItem", {"Key": KEY, "TableName": "T"}) == (None, {"Item": {"Data": {"B": "AP8="}}})
    (request,) = server.requests
    assert request.body == b'{"Key":{"Id":{"S":"a"}},"TableName":"T"}'
    assert request.headers["content-type"] == "application/x-amz-json-1.0"
    assert request.headers["x-amz-target"] == "DynamoDB_20120810.GetItem"
    assert request.headers["x-amz-security-token"] == TOKEN
    assert request.headers["x-amz-date"] == "20231114T221320Z"
    assert request.headers["authorization"].startswith("AWS4-HMAC-SHA256 Credential=AKID/20231114/eu-west-1/dynamodb/")


def test_binary_is_base64_on_the_wire(server: Loopback, http: SignedHttp) -> None:
    """Whether it came as text or as bytes; and any mapping is an object."""
    http("PutItem", {"Item": MappingProxyType({"A": {"B": b"\0\xff"}, "C": {"BS": [b"\1"]}, "D": {"B": "AP8="}})})
    expected = {"A": {"B": "AP8="}, "C": {"BS": [b64encode(b"\1").decode()]}, "D": {"B": "AP8="}}
    assert server.requests[0].json == {"Item": expected}


@pytest.mark.parametrize("value", [{"S": object()}, {"N": float("nan")}, {"SS": {"a"}}], ids=["object", "nan", "set"])
def test_what_json_cannot_hold_is_not_sent(server: Loopback, table: Replica, value: dict[str, Any]) -> None:
    """The item is at fault, and its value is not told."""
    with pytest.raises(ItemError, match="PutItem on T: a value is none that DynamoDB knows"):
        table.write(change_between(KEY, None, {**KEY, "Data": value}, ()))
    assert server.requests == []


def test_reads_are_strong(server: Loopback, table: Replica) -> None:
    """A read asks this Region for the newest; an absent item is none."""
    assert table.read(KEY) is None
    assert server.requests[0].json == {"TableName": "T", "Key": KEY, "ConsistentRead": True}


# Outcomes


def test_a_failed_condition_is_an_outcome(server: Loopback, table: Replica) -> None:
    """What stands there now comes with the answer; nothing is sent again."""
    server.replies[:] = [error("ConditionalCheckFailedException", Item=NEW), error("ConditionalCheckFailedException")]
    assert table.write(UPDATE) == Stale(NEW)
    assert table.write(UPDATE) == Stale(None)
    assert len(server.requests) == 2


def test_failed_conditions_of_a_transaction_are_an_outcome(server: Loopback, table: Replica) -> None:
    """By position, and before any other reason."""
    reasons = [{"Code": "TransactionConflict"}, {"Code": "ConditionalCheckFailed", "Item": NEW}, {"Code": "None"}]
    server.replies.append(error("TransactionCanceledException", CancellationReasons=reasons))
    assert table.transact([CREATION, UPDATE, UPDATE], "token-1") == StaleItems({1: NEW})
    assert server.requests[0].json["ClientRequestToken"] == "token-1"
    assert [list(item) for item in server.requests[0].json["TransactItems"]] == [["Put"], ["Update"], ["Update"]]


def test_a_cancelled_transaction_is_a_fault_where_no_condition_failed(server: Loopback, table: Replica) -> None:
    """What no retry can mend goes before what one can."""
    reasons = [{"Code": "TransactionConflict"}, {"Code": "ValidationError", "Message": "[secret]"}]
    server.replies.append(error("TransactionCanceledException", CancellationReasons=reasons))
    with pytest.raises(ItemError, match=r"TransactWriteItems on T: ValidationError: \.\.\."):
        table.transact([CREATION, UPDATE], "token-1")


@pytest.mark.parametrize(
    ("code", "fault", "attempts"),
    [
        ("ProvisionedThroughputExceededException", TransientError, 3),
        ("ThrottlingException", TransientError, 3),
        ("RequestLimitExceeded", TransientError, 3),
        ("TransactionInProgressException", TransientError, 3),
        ("TransactionConflictException", TransientError, 1),
        ("IdempotentParameterMismatchException", TransientError, 1),
        ("ExpiredTokenException", TransientError, 1),
        ("SomethingNew", TransientError, 1),
        ("ResourceNotFoundException", ConfigurationError, 1),
        ("AccessDeniedException", ConfigurationError, 1),
        ("UnrecognizedClientException", ConfigurationError, 1),
        ("InvalidSignatureException", ConfigurationError, 1),
        ("ItemCollectionSizeLimitExceededException", TooLargeError, 1),
        ("SerializationException", ItemError, 1),
        ("ValidationException", ItemError, 1),
    ],
)
def test_an_error_becomes_a_fault_after_so_many_attempts(
    server: Loopback, table: Replica, code: str, fault: type[ReconcilerError], attempts: int
) -> None:
    """An edge learns whether to retry, a person which action failed on which table, and why."""
    server.always = lambda _: error(code)
    with pytest.raises(fault, match=f"UpdateItem on T: {code}: the reason") as caught:
        table.write(UPDATE)
    assert type(caught.value) is fault
    assert len(server.requests) == attempts


@pytest.mark.parametrize(
    ("answer", "problem"),
    [
        (whole({"__type": "InternalServerError", "Message": "sorry"}, 500), "InternalServerError: sorry"),
        (whole(b"<html>Bad gateway</html>", 502), "HTTP 502: "),
        (whole(b"", 503), "HTTP 503: "),
        (whole([], 500, X_Amzn_ErrorType="ServiceUnavailable:http://x"), "ServiceUnavailable: "),
        (whole({"a": 1}, X_Amz_Crc32="1"), "BrokenAnswerError: an answer does not have its checksum"),
        (whole(b'{"a": '), "BrokenAnswerError: an answer is not a JSON object"),
        (whole(b"\xff\xfe"), "BrokenAnswerError: an answer is not a JSON object"),
        (whole([]), "BrokenAnswerError: an answer is not a JSON object"),
        (Last(whole({"a": "long"})[:-3]), "BrokenAnswerError: the connection was closed inside an answer"),
        (Last(b""), "BrokenAnswerError: the connection was closed inside an answer"),
        (reset, "ConnectionResetError: "),
    ],
    ids=range(11),
)
def test_what_broke_is_sent_again_a_bounded_number_of_times(
    server: Loopback, table: Replica, pauses: list[int], answer: Any, problem: str
) -> None:
    """Twice it breaks, the third time it works; or it breaks three times and is a fault that may pass."""
    server.replies[:] = [answer, answer]
    assert table.write(UPDATE) == Written()
    assert pauses == [1, 2]
    server.replies[:] = [answer] * 3
    with pytest.raises(TransientError, match=f"^UpdateItem on T: {problem}"):
        table.write(UPDATE)
    assert pauses == [1, 2, 1, 2]
    assert len(server.requests) == 6


def test_a_stalled_answer_is_sent_again(server: Loopback, table: Replica) -> None:
    """The write may have been made: it is conditional, so its repetition finds itself in the table."""
    server.replies[:] = [server.stall, error("ConditionalCheckFailedException", Item=NEW)]
    assert table.write(UPDATE) == Stale(NEW)
    assert server.requests[0].body == server.requests[1].body


def test_a_request_that_is_no_longer_young_is_signed_anew(server: Loopback, http: SignedHttp) -> None:
    """Each attempt has its own time, and the caller of that moment."""
    moments, callers = iter([NOW, NOW + 60]), iter(["first", "second"])
    http._seconds = lambda: next(moments)  # noqa: SLF001 - the clock goes on
    http._credentials = lambda: Credentials(next(callers), SECRET, None)  # noqa: SLF001 - and they are refreshed
    server.replies.append(error("ThrottlingException"))
    http("GetItem", {})
    assert [request.headers["x-amz-date"] for request in server.requests] == ["20231114T221320Z", "20231114T221420Z"]
    assert ["=first/" in request.headers["authorization"] for request in server.requests] == [True, False]


@pytest.mark.parametrize("words", ["Signature expired: x is now earlier than y", "Signature not yet current: x"])
def test_a_wrong_clock_is_set_by_the_servers(server: Loopback, http: SignedHttp, words: str) -> None:
    """An hour off: the second attempt, and every later call, is signed at the server's time."""
    date = format_datetime(datetime.fromtimestamp(NOW - 3600, UTC), usegmt=True)
    refused = json.dumps({"__type": "x#InvalidSignatureException", "message": words}).encode()
    server.replies.append(whole(refused, 400, Date=date))
    http("GetItem", {})
    http("GetItem", {})
    times = [request.headers["x-amz-date"] for request in server.requests]
    assert times == ["20231114T221320Z", "20231114T211320Z", "20231114T211320Z"]


@pytest.mark.parametrize("headers", [{}, {"Date": "yesterday"}])
def test_a_clock_that_cannot_be_set_is_a_fault_that_may_pass(
    server: Loopback, http: SignedHttp, headers: dict[str, str]
) -> None:
    """The process may have slept between signing and sending."""
    refused = json.dumps({"__type": "InvalidSignatureException", "message": "Signature expired"}).encode()
    server.always = lambda _: whole(refused, 400, **headers)
    with pytest.raises(TransientError, match="Signature expired"):
        http("GetItem", {})
    assert {request.headers["x-amz-date"] for request in server.requests} == {"20231114T221320Z"}


def test_a_wrong_key_is_told_apart_by_its_message(server: Loopback, table: Replica) -> None:
    """As for boto3's clients: the same tables are asked."""
    server.replies.append(error("ValidationException", "The provided key element does not match the schema"))
    with pytest.raises(KeySchemaError):
        table.write(CREATION)


def test_no_secret_and_no_value_is_told(
    server: Loopback, table: Replica, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    """Neither faults nor tracebacks nor logs hold keys, tokens or what an item holds."""
    caplog.set_level(logging.DEBUG)
    server.always = lambda _: error("ValidationException", f"Input collection [{VALUE}] contains duplicates")
    with pytest.raises(ItemError) as caught:
        table.write(change_between(KEY, None, {**KEY, "Data": {"SS": [VALUE, VALUE]}}, ()))
    said = "".join(traceback.format_exception(caught.value)) + caplog.text + "".join(capfd.readouterr())
    assert not any(secret in said for secret in (SECRET, TOKEN, VALUE))


def test_lanes_share_the_calls(server: Loopback, http: SignedHttp) -> None:
    """Eight threads get their own answers, over at most eight connections."""
    server.always = lambda request: whole({"Item": request.json["Key"]})
    with ThreadPoolExecutor(8) as pool:
        keys = [{"Id": {"N": str(number)}} for number in range(200)]
        answers = list(pool.map(lambda key: http("GetItem", {"Key": key})[1]["Item"], keys))
    assert answers == keys
    assert server.connections <= 8


def test_a_retry_trusts_no_connection_that_was_idle(server: Loopback, http: SignedHttp) -> None:
    """After a pause of the process every idle connection may be dead: one broken attempt is enough to learn it."""
    together = Barrier(4, timeout=GIVE_UP_SECONDS)

    def meet(_: Request) -> bytes:
        together.wait()
        return whole({})

    server.replies[:] = [meet] * 4
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda _: http("GetItem", {}), range(4)))
    server.always = lambda request: whole({}) if server.connections > 4 else reset(request)
    http("GetItem", {})
    assert (server.connections, len(server.requests)) == (5, 6)
