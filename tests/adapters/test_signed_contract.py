"""The contract suite once more, over the wire: what boto3's clients keep, DynamoDB's own protocol keeps too.

test -> Replica -> signed HTTP on loopback -> DynamoDB Local, or moto, which is asked in this process
"""

from collections.abc import Iterator
from itertools import count

import boto3
import pytest
from botocore.awsrequest import AWSPreparedRequest
from botocore.compat import HTTPHeaders
from moto import mock_aws
from moto.core.models import botocore_stubber

from reconciler.adapters import aws
from reconciler.adapters.aws import dynamodb_table
from reconciler.policy import default_policy
from reconciler.ports import Table
from tests.adapters import test_table_contract, test_table_refusals
from tests.adapters.engines import DIFFERENCES, NAME, REGION, create_table
from tests.adapters.loopback import Request, error, loopback, whole

_NUMBERS = count(1)
WITHOUT_BOTO3 = {"test_a_transaction_has_one_to_a_hundred_changes[moto-0]": "moto leaves it to boto3 to refuse none"}

# The suite's tests, collected here too, find this module's `table`.
globals().update(
    (name, value)
    for suite in (test_table_contract, test_table_refusals)
    for name, value in vars(suite).items()
    if name.startswith("test_")
)


def ask_moto(request: Request) -> bytes:
    """Let moto answer what came over the wire."""
    url = f"https://dynamodb.{REGION}.amazonaws.com/"
    prepared = AWSPreparedRequest("POST", url, HTTPHeaders.from_dict(request.headers), request.body, False)  # noqa: FBT003 - not streamed
    try:
        status, _, body = botocore_stubber.process_request(prepared) or (404, {}, b"")
    except Exception:  # noqa: BLE001 - moto leaves it to boto3 to refuse what has no type, and trips
        return error("SerializationException")
    return whole(body.encode() if isinstance(body, str) else body, status)


@pytest.fixture(params=["moto", pytest.param("dynamodb-local", marks=pytest.mark.dynamodb_local)])
def engine(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """Who answers, behind AWS_ENDPOINT_URL_DYNAMODB; a test is to fail where he is known to differ from DynamoDB."""
    test = request.node
    case = test.callspec.params.get("case", test.originalname)
    if reason := DIFFERENCES[request.param].get(case) or WITHOUT_BOTO3.get(test.name):
        request.applymarker(pytest.mark.xfail(reason=reason, strict=True))
    if request.param == "dynamodb-local":
        monkeypatch.setenv("AWS_ACCESS_KEY_ID", f"signed{next(_NUMBERS)}")
        monkeypatch.setenv("AWS_ENDPOINT_URL_DYNAMODB", request.getfixturevalue("dynamodb_local_endpoint"))
        create_table(boto3.Session().client("dynamodb", region_name=REGION))
        yield request.param
        return
    with mock_aws(), loopback() as server:
        create_table(boto3.client("dynamodb", region_name=REGION))
        monkeypatch.setenv("AWS_ENDPOINT_URL_DYNAMODB", server.url)
        server.always = ask_moto
        yield request.param


@pytest.fixture
def table(engine: str, monkeypatch: pytest.MonkeyPatch) -> Table:
    """An empty table that is spoken to directly, and has the time that its engine needs on a busy machine."""
    monkeypatch.setattr(aws, "READ_SECONDS", 60)
    return dynamodb_table(default_policy(NAME), REGION)


def test_the_suite_goes_over_the_wire(monkeypatch: pytest.MonkeyPatch) -> None:
    """With an endpoint of its own, no hook answers in the server's place."""
    with mock_aws(), loopback() as server:
        monkeypatch.setenv("AWS_ENDPOINT_URL_DYNAMODB", server.url)
        assert dynamodb_table(default_policy(NAME), REGION).read({"Id": {"S": "a"}}) is None
        assert [request.headers["x-amz-target"] for request in server.requests] == ["DynamoDB_20120810.GetItem"]
