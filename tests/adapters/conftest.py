"""A world of AWS on this machine: dummy credentials, no way out, and a table of each engine."""

from collections.abc import Iterator

import pytest

from reconciler.ports import Table
from tests.adapters.engines import DIFFERENCES, ENGINES

_PARAMS = [pytest.param(name, marks=pytest.mark.dynamodb_local if name == "dynamodb-local" else ()) for name in ENGINES]


@pytest.fixture(autouse=True)
def _credentials(monkeypatch: pytest.MonkeyPatch) -> None:
    """Keep real credentials, Regions and endpoints out of the tests."""
    for name in ("AWS_PROFILE", "AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_DYNAMODB", "AWS_ENDPOINT_URL_SQS"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "testing")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "testing")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    monkeypatch.setenv("AWS_ACCOUNT_ID_ENDPOINT_MODE", "disabled")


@pytest.fixture(params=_PARAMS)
def table(request: pytest.FixtureRequest) -> Iterator[Table]:
    """An empty table of each engine; a test is to fail where the engine is known to differ."""
    test = request.node
    case = test.callspec.params.get("case", test.originalname)
    if reason := DIFFERENCES[request.param].get(case):
        request.applymarker(pytest.mark.xfail(reason=reason, strict=True))
    with ENGINES[request.param](lambda: request.getfixturevalue("dynamodb_local_endpoint")) as table:
        yield table
