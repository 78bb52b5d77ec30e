"""What the contract cannot show: requests within DynamoDB's limits, faults, binary, and a resource's Table."""

import re
import traceback
from collections.abc import Iterator
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import boto3
import pytest
from boto3.dynamodb.types import Binary
from botocore.exceptions import (
    BotoCoreError,
    ConnectionClosedError,
    ConnectTimeoutError,
    CredentialRetrievalError,
    EndpointConnectionError,
    NoCredentialsError,
    PartialCredentialsError,
    ReadTimeoutError,
)
from botocore.stub import Stubber
from hypothesis import given
from moto import mock_aws

from reconciler.adapters.binary import from_boto, to_boto, to_boto_value
from reconciler.adapters.dynamodb import DynamoDBTable
from reconciler.adapters.expressions import request_for
from reconciler.change import Change, change_between
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
from tests.adapters.engines import NAME, REGION, create_table
from tests.adapters.strategies import images

if TYPE_CHECKING:
    from types_boto3_dynamodb.client import DynamoDBClient
    from types_boto3_dynamodb.service_resource import Table

KEY: Image = {"Id": {"S": "a"}, "At": {"B": "AA=="}}
OLD: Image = {**KEY, "Data": {"S": "old"}}
NEW: Image = {**KEY, "Data": {"S": "new"}}
CREATION = change_between(KEY, None, NEW, ())
UPDATE = change_between(KEY, OLD, NEW, ["Data"])
UNTYPED = change_between(KEY, None, {**KEY, "Data": {"N": ["secret"]}}, ())


@pytest.fixture
def client() -> "DynamoDBClient":
    """A client that reaches nothing."""
    return boto3.client("dynamodb", region_name=REGION)


@pytest.fixture
def stub(client: "DynamoDBClient") -> Iterator[Stubber]:
    """What the client is answered."""
    with Stubber(client) as stubber:
        yield stubber
        stubber.assert_no_pending_responses()


@pytest.fixture
def table(client: "DynamoDBClient") -> DynamoDBTable:
    """The table behind the client."""
    return DynamoDBTable(client, NAME)


# Requests


def test_reads_are_strong(table: DynamoDBTable, stub: Stubber) -> None:
    """A read asks this Region for the newest."""
    expected = {"TableName": NAME, "Key": {"Id": {"S": "a"}, "At": {"B": b"\0"}}, "ConsistentRead": True}
    stub.add_response("get_item", {"Item": {"Data": {"B": b"\xff"}}}, expected)
    assert table.read(KEY) == {"Data": {"B": "/w=="}}


def test_an_update_names_and_guards_only_what_it_touches(table: DynamoDBTable, stub: Stubber) -> None:
    """The whole request, once: placeholders everywhere, and the item shown where a condition fails."""
    seen: Image = {**OLD, "Gone": {"B": "AA=="}, "Kept": {"S": "x"}}
    target: Image = {**NEW, "Kept": {"S": "x"}}
    stub.add_response(
        "update_item",
        {},
        {
            "TableName": NAME,
            "Key": {"Id": {"S": "a"}, "At": {"B": b"\0"}},
            "UpdateExpression": "SET #n0=:v0 REMOVE #n1",
            "ConditionExpression": "attribute_exists(#n2) AND #n1=:v1 AND attribute_not_exists(#n3)",
            "ExpressionAttributeNames": {"#n0": "Data", "#n1": "Gone", "#n2": "Id", "#n3": "Other"},
            "ExpressionAttributeValues": {":v0": {"S": "new"}, ":v1": {"B": b"\0"}},
            "ReturnValuesOnConditionCheckFailure": "ALL_OLD",
        },
    )
    assert table.write(change_between(KEY, seen, target, ["Gone", "Other"])) == Written()


def test_a_transaction_carries_its_token(table: DynamoDBTable, stub: Stubber) -> None:
    """DynamoDB is told which calls are the same."""
    request = request_for(CREATION, NAME)[1]
    expected = {"TransactItems": [{"Put": request}], "ClientRequestToken": "token-1"}
    stub.add_response("transact_write_items", {}, expected)
    assert table.transact([CREATION], "token-1") == Written()


def wide(names: range, text: str) -> Image:
    """Return an item with an attribute for each number."""
    return {**KEY, **{f"A{number:03}": {"S": text} for number in names}}


def operators(expression: str) -> int:
    """Count as DynamoDB does."""
    return len(re.findall(r"=| AND |attribute_", expression))


@pytest.mark.parametrize(
    ("change", "action"),
    [
        (change_between(KEY, wide(range(100), "old"), wide(range(100), "new"), wide(range(100), "")), "Update"),
        (change_between(KEY, wide(range(100), "old"), KEY, wide(range(100), "")), "Update"),
        (change_between(KEY, wide(range(101), "old"), wide(range(101), "new"), ()), "Put"),
        (change_between(KEY, wide(range(101), "old"), KEY, ()), "Put"),
        (change_between(KEY, KEY, wide(range(999), "new"), wide(range(999), "")), "Put"),
        (change_between(KEY, wide(range(999), "old"), wide(range(999), "old"), wide(range(999), "")), "ConditionCheck"),
    ],
    ids=["100 sets", "100 removes", "101 sets", "101 removes", "999 absent", "999 expected"],
)
def test_expressions_stay_within_the_limits(change: Change, action: str) -> None:
    """No expression passes 4 KB or 300 operators, and no placeholder is unused."""
    built, request = request_for(change, NAME)
    assert built == action
    texts = [request[name] for name in ("UpdateExpression", "ConditionExpression") if name in request]
    assert max(map(len, texts)) <= 4096
    assert operators(request["ConditionExpression"]) <= 300
    used = set(re.findall(r"[#:]\w+", " ".join(texts)))
    assert used == {*request["ExpressionAttributeNames"], *request.get("ExpressionAttributeValues", {})}


def test_conditions_are_cut_from_the_end() -> None:
    """Causality stays first, then what the change touches, then what it only expects."""
    seen: Image = {**wide(range(200), "old"), "Causality": {"S": "1"}}
    target: Image = {**seen, **{f"Z{number:03}": {"S": "new"} for number in range(101)}}
    _, request = request_for(change_between(KEY, seen, target, ["A001", "Z000", "Causality"]), NAME)
    guarded = [name for name in request["ExpressionAttributeNames"].values() if name != "Id"]
    assert guarded[:4] == ["Causality", "Z000", "A001", "A000"]
    assert len(guarded) == 149


def test_a_replacement_keeps_the_attributes_of_an_old_global_table() -> None:
    """What a 2017 table left in an item is carried along, not wiped out."""
    seen: Image = {**wide(range(101), "old"), "aws:rep:updateregion": {"S": "us-east-1"}}
    _, request = request_for(change_between(KEY, seen, wide(range(101), "new"), ()), NAME)
    assert request["Item"]["aws:rep:updateregion"] == {"S": "us-east-1"}


# Binary


@given(images)
def test_binary_goes_both_ways_unchanged(image: Image) -> None:
    """What a client is given and gives back is the same item."""
    assert from_boto(to_boto(image)) == image


@pytest.mark.parametrize(
    "value",
    [{"S": "x"}, {"L": [{"M": {"a": {"NS": ["1"]}}}]}, {"M": {"a": {"L": []}, "b": {"NULL": True}}}, {"SS": ["AA=="]}],
    ids=str,
)
def test_a_value_without_binary_is_not_copied(value: dict[str, Any]) -> None:
    """The hot path passes on what it was given."""
    assert to_boto_value("Data", value) is value


def test_an_empty_map_of_dynamodb_local_is_one() -> None:
    """Its streams show an empty map without a type letter."""
    assert to_boto({"Data": {"L": [{}]}}) == {"Data": {"L": [{"M": {}}]}}


@pytest.mark.parametrize("value", ["text", {"B": "?"}, {"B": 1}, {"BS": None}, {"L": [3]}, {"M": []}], ids=str)
def test_what_is_no_wire_value_is_named(value: Any) -> None:
    """The attribute is in the message, the value is not."""
    with pytest.raises(ItemError, match=r"^Data: is not a value that DynamoDB knows$"):
        to_boto_value("Data", value)


# Faults


@pytest.mark.parametrize(
    ("code", "fault"),
    [
        ("ProvisionedThroughputExceededException", TransientError),
        ("ThrottlingException", TransientError),
        ("RequestLimitExceeded", TransientError),
        ("InternalServerError", TransientError),
        ("ServiceUnavailable", TransientError),
        ("TransactionConflictException", TransientError),
        ("ReplicatedWriteConflictException", TransientError),
        ("ExpiredTokenException", TransientError),
        ("RequestTimeout", TransientError),
        ("SomethingNew", TransientError),
        ("ResourceNotFoundException", ConfigurationError),
        ("AccessDeniedException", ConfigurationError),
        ("UnrecognizedClientException", ConfigurationError),
        ("InvalidSignatureException", ConfigurationError),
        ("ItemCollectionSizeLimitExceededException", TooLargeError),
        ("ValidationException", ItemError),
    ],
)
def test_an_error_of_dynamodb_becomes_a_fault_that_names_place_and_code(
    table: DynamoDBTable, stub: Stubber, code: str, fault: type[ReconcilerError]
) -> None:
    """An edge learns whether to retry, a person which action failed on which table, and why."""
    stub.add_client_error("update_item", code, "the reason")
    with pytest.raises(fault, match=f"UpdateItem on {NAME}: {code}: the reason") as caught:
        table.write(UPDATE)
    assert type(caught.value) is fault
    assert caught.value.retryable is (fault is TransientError)


@pytest.mark.parametrize(
    ("message", "fault"),
    [
        ("Item size has exceeded the maximum allowed size", TooLargeError),
        ("Item size to update has exceeded the maximum allowed size", TooLargeError),
        ("Nesting Levels have exceeded supported limits", TooLargeError),
        ("The provided key element does not match the schema", KeySchemaError),
        ("One or more parameter values were invalid: Missing the key Id in the item", KeySchemaError),
        ("One of the required keys was not given a value", KeySchemaError),
        (
            "One or more parameter values were invalid: Type mismatch for key Id expected: S actual: N",
            KeySchemaError,
        ),
        ("One or more parameter values were invalid: Type mismatch for Index Key K Expected: S Actual: N", ItemError),
    ],
)
def test_a_validation_error_is_told_apart_by_its_message(
    table: DynamoDBTable, stub: Stubber, message: str, fault: type[ReconcilerError]
) -> None:
    """Too large, a wrong key schema and a wrong item are different matters."""
    stub.add_client_error("put_item", "ValidationException", message)
    with pytest.raises(fault, match=re.escape(message)) as caught:
        table.write(CREATION)
    assert type(caught.value) is fault


@pytest.mark.parametrize(
    ("message", "shown"),
    [
        ("Input collection [secret, [secret]] contains duplicates", "Input collection ... contains duplicates"),
        ("cannot be converted to a numeric value: secret", "cannot be converted to a numeric value: ..."),
        ("Value secret at 'clientRequestToken' failed", "Value ... at 'clientRequestToken' failed"),
    ],
)
def test_no_value_of_an_item_is_told(table: DynamoDBTable, stub: Stubber, message: str, shown: str) -> None:
    """Neither the fault nor its traceback repeats what DynamoDB quotes of the item."""
    stub.add_client_error("put_item", "ValidationException", message)
    with pytest.raises(ItemError, match=re.escape(shown)) as caught:
        table.write(CREATION)
    assert "secret" not in "".join(traceback.format_exception(caught.value))


def test_a_value_that_boto3_refuses_is_not_told(table: DynamoDBTable) -> None:
    """boto3's own check quotes the value; the fault does not."""
    with pytest.raises(ItemError, match=f"PutItem on {NAME}") as caught:
        table.write(UNTYPED)
    assert "secret" not in "".join(traceback.format_exception(caught.value))


@pytest.mark.parametrize(
    ("error", "fault"),
    [
        (EndpointConnectionError(endpoint_url="https://x"), TransientError),
        (ConnectTimeoutError(endpoint_url="https://x"), TransientError),
        (ReadTimeoutError(endpoint_url="https://x"), TransientError),
        (ConnectionClosedError(endpoint_url="https://x"), TransientError),
        (CredentialRetrievalError(provider="x", error_msg="x"), TransientError),
        (NoCredentialsError(), ConfigurationError),
        (PartialCredentialsError(provider="x", cred_var="x"), ConfigurationError),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, BotoCoreError) else value.__name__,
)
def test_an_error_on_the_way_to_dynamodb_becomes_a_fault(
    client: "DynamoDBClient", table: DynamoDBTable, error: BotoCoreError, fault: type[ReconcilerError]
) -> None:
    """A network may recover; missing credentials do not come by themselves."""

    def fail(**_: object) -> None:
        raise error

    client.meta.events.register("before-call.dynamodb", fail)
    with pytest.raises(fault, match=f"GetItem on {NAME}: ") as caught:
        table.read(KEY)
    assert type(caught.value) is fault
    assert caught.value.__cause__ is error


def cancel(stub: Stubber, *reasons: dict[str, Any]) -> None:
    """Let the next transaction be cancelled for these reasons, one for each item."""
    stub.add_client_error(
        "transact_write_items",
        "TransactionCanceledException",
        modeled_fields={"CancellationReasons": list(reasons)} if reasons else None,
    )


NO_REASON = {"Code": "None"}
CONFLICT = {"Code": "TransactionConflict", "Message": "ongoing"}
INVALID = {"Code": "ValidationError", "Message": "Input collection [secret]"}


@pytest.mark.parametrize(
    ("reasons", "fault"),
    [
        ([CONFLICT, NO_REASON], TransientError),
        ([{"Code": "ThrottlingError"}, NO_REASON], TransientError),
        ([{"Code": "ProvisionedThroughputExceeded"}, CONFLICT], TransientError),
        ([CONFLICT, INVALID], ItemError),
        ([{"Code": "ItemCollectionSizeLimitExceeded"}, CONFLICT], TooLargeError),
        ([{**INVALID, "Message": "Item size to update has exceeded the maximum allowed size"}], TooLargeError),
        ([{**INVALID, "Message": "Type mismatch for key Id"}], KeySchemaError),
        ([NO_REASON], TransientError),
        ([], TransientError),
    ],
)
def test_a_cancelled_transaction_becomes_the_gravest_fault(
    table: DynamoDBTable, stub: Stubber, reasons: list[dict[str, Any]], fault: type[ReconcilerError]
) -> None:
    """What no retry can mend goes before what one can."""
    cancel(stub, *reasons)
    with pytest.raises(fault, match=f"TransactWriteItems on {NAME}") as caught:
        table.transact([CREATION, UPDATE], "token")
    assert type(caught.value) is fault
    assert "secret" not in "".join(traceback.format_exception(caught.value))


def test_a_failed_condition_goes_before_any_fault(table: DynamoDBTable, stub: Stubber) -> None:
    """What stands there now is news to the caller, who may then want something else."""
    cancel(stub, CONFLICT, {"Code": "ConditionalCheckFailed", "Item": {"Data": {"B": b"\0"}}}, INVALID)
    assert table.transact([CREATION, UPDATE, UPDATE], "token") == StaleItems({1: {"Data": {"B": "AA=="}}})


@pytest.mark.parametrize("code", ["TransactionInProgressException", "IdempotentParameterMismatchException"])
def test_a_token_in_use_is_worth_a_retry(table: DynamoDBTable, stub: Stubber, code: str) -> None:
    """The same call may still be under way, or a new attempt brings a new token."""
    stub.add_client_error("transact_write_items", code)
    with pytest.raises(TransientError, match=code):
        table.transact([CREATION], "token")


# A resource's Table


@pytest.fixture
def resource() -> Iterator["Table"]:
    """A boto3 Table, as an application has it."""
    with mock_aws():
        create_table(boto3.client("dynamodb", region_name=REGION))
        yield boto3.resource("dynamodb", region_name=REGION).Table(NAME)


def test_a_resources_table_can_be_read_and_written(resource: "Table") -> None:
    """A Table's client converts values by itself; the adapter goes round that."""
    table = DynamoDBTable.from_resource(resource)
    image: Image = {**OLD, "Binary": {"BS": ["AA=="]}, "Map": {"M": {"N": {"N": "1.5"}}}}
    assert table.write(change_between(KEY, None, image, ())) == Written()
    assert table.write(change_between(KEY, NEW, OLD, ["Data"])) == Stale(image)
    assert table.transact([change_between(KEY, NEW, OLD, ["Data"])], "token") == StaleItems({0: image})
    assert table.read(KEY) == image


def test_a_resources_table_stays_as_it_is(resource: "Table") -> None:
    """The application goes on with Python's own values."""
    table = DynamoDBTable.from_resource(resource)
    resource.put_item(Item={"Id": "a", "At": b"\0", "Count": Decimal("1.5"), "Binary": b"\xff"})
    assert table.read(KEY) == {**KEY, "Count": {"N": "1.5"}, "Binary": {"B": "/w=="}}
    found = resource.get_item(Key={"Id": "a", "At": b"\0"})["Item"]
    assert found == {"Id": "a", "At": Binary(b"\0"), "Count": Decimal("1.5"), "Binary": Binary(b"\xff")}


class _Reached(Exception):  # noqa: N818 - a stop on the way, not an error
    """A request is ready to be sent."""


def stopped(session: boto3.Session, endpoint: str) -> tuple["Table", list[Any]]:
    """Return a Table whose requests stop on their way out, and the list of them."""
    resource = session.resource("dynamodb", endpoint_url=endpoint).Table(NAME)
    sent: list[Any] = []

    def stop(request: Any, **_: object) -> None:
        sent.append(request)
        raise _Reached

    resource.meta.client.meta.events.register("before-send.dynamodb", stop)
    return resource, sent


def test_a_resources_endpoint_region_and_credentials_are_used() -> None:
    """The adapter goes where the Table goes, as whom the Table goes."""
    resource, sent = stopped(boto3.Session("AKIDSPECIAL", "secret", region_name="ap-south-1"), "http://localhost:1")
    with pytest.raises(_Reached):
        DynamoDBTable.from_resource(resource).read(KEY)
    assert sent[0].url == "http://localhost:1/"
    assert "AKIDSPECIAL/" in sent[0].headers["Authorization"].decode()
    assert "/ap-south-1/dynamodb/" in sent[0].headers["Authorization"].decode()


@pytest.mark.parametrize(
    "hook",
    [
        "copy_dynamodb_params",
        "TransformationInjector.inject_condition_expressions",
        "TransformationInjector.inject_attribute_value_input",
    ],
)
def test_no_hook_of_a_resource_runs_on_the_adapters_way(monkeypatch: pytest.MonkeyPatch, hook: str) -> None:
    """Requests are neither copied nor searched for Python values."""

    def run(*_: object, **__: object) -> None:
        raise AssertionError(hook)

    monkeypatch.setattr(f"boto3.dynamodb.transform.{hook}", run)
    resource, _ = stopped(boto3.Session(region_name=REGION), "http://localhost:1")
    with pytest.raises(_Reached):
        DynamoDBTable.from_resource(resource).read(KEY)
