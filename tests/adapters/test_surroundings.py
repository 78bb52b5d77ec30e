"""What the environment says is understood as botocore understands it, and what it leaves open is asked of botocore."""

import os
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest
from botocore.session import Session

from reconciler.adapters.connections import Endpoint
from reconciler.adapters.sigv4 import Credentials
from reconciler.adapters.surroundings import botocores_bundle, surroundings
from reconciler.errors import ConfigurationError, TransientError

KEYS = {"AWS_ACCESS_KEY_ID": "AKID", "AWS_SECRET_ACCESS_KEY": "secret"}
TOKEN = {**KEYS, "AWS_SESSION_TOKEN": "token"}
REGION = "eu-west-1"


@pytest.fixture(autouse=True)
def world(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """A home without files of AWS, and an environment without a word of it."""
    for name in os.environ:
        if name.startswith("AWS_") or name == "REQUESTS_CA_BUNDLE" or name.lower().endswith("_proxy"):
            monkeypatch.delenv(name)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    return tmp_path


@pytest.fixture
def say(monkeypatch: pytest.MonkeyPatch) -> Callable[[Mapping[str, str]], None]:
    """Let the environment say something."""

    def setenv(environ: Mapping[str, str]) -> None:
        for name, value in environ.items():
            monkeypatch.setenv(name, value)

    return setenv


def botocores(region: str) -> tuple[str, tuple[str | None, ...]]:
    """Return the endpoint and the credentials that botocore finds."""
    session = Session()
    found = session.get_credentials()
    url = session.create_client("dynamodb", region_name=region).meta.endpoint_url
    return url, (found.access_key, found.secret_key, found.token) if found else ()


TOLD = [
    {},
    {"AWS_SESSION_TOKEN": "token"},
    {"AWS_SESSION_TOKEN": "token", "AWS_SECURITY_TOKEN": "older"},
    {"AWS_ENDPOINT_URL_DYNAMODB": "http://127.0.0.1:8000"},
    {"AWS_ENDPOINT_URL": "http://127.0.0.1:4566/"},
    {"AWS_ENDPOINT_URL": "http://all", "AWS_ENDPOINT_URL_DYNAMODB": "http://one/path"},
    {"AWS_ENDPOINT_URL": "http://all", "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS": "true"},
    {"AWS_USE_FIPS_ENDPOINT": "true"},
    {"AWS_USE_DUALSTACK_ENDPOINT": "true"},
    {"AWS_CREDENTIAL_EXPIRATION": "2999-01-01T00:00:00Z"},
]
ELSEWHERE = ["us-gov-west-1", "cn-north-1", "us-iso-east-1", "ap-southeast-7"]


@pytest.mark.parametrize(
    ("environ", "region"),
    [*((environ, REGION) for environ in TOLD), *(({}, region) for region in ELSEWHERE)],
    ids=lambda told: " ".join(told) if isinstance(told, dict) else told,
)
def test_endpoint_and_caller_are_those_that_botocore_finds(say, environ, region):
    """Whichever way they were found."""
    say({**KEYS, **environ})
    endpoint, caller = surroundings(region)
    keys = caller()
    url, found = botocores(region)
    assert endpoint.url.rstrip("/") == url.rstrip("/")
    assert (keys.access_key, keys.secret_key, keys.token) == found


def test_a_profile_is_botocores_to_read(say, world):
    """Files say who calls and where, as for every tool of AWS."""
    (world / ".aws").mkdir()
    (world / ".aws/credentials").write_text("[work]\naws_access_key_id = A\naws_secret_access_key = B\n")
    (world / ".aws/config").write_text("[profile work]\nendpoint_url = http://127.0.0.1:9\nca_bundle = /nowhere\n")
    say({"AWS_PROFILE": "work"})
    with pytest.raises(ConfigurationError, match="/nowhere"):
        surroundings(REGION)
    (world / ".aws/config").write_text("[profile work]\nendpoint_url = http://127.0.0.1:9\n")
    endpoint, caller = surroundings(REGION)
    assert endpoint == Endpoint("http://127.0.0.1:9/", botocores_bundle())
    assert caller() == Credentials("A", "B", None)


def test_a_file_of_aws_takes_part_though_nobody_names_it(say, world):
    """The default profile may say more than the environment does."""
    (world / ".aws").mkdir()
    (world / ".aws/config").write_text("[default]\nendpoint_url = http://127.0.0.1:9\n")
    say(KEYS)
    assert surroundings(REGION)[0].url == "http://127.0.0.1:9/"


def test_credentials_that_expire_are_refreshed(say, world):
    """A process that tells keys for a short time is asked again when they are used up."""
    script = world / "keys.py"
    script.write_text(
        "import json, pathlib, datetime as d\n"
        f"file = pathlib.Path({str(world / 'count')!r})\n"
        "number = int(file.read_text()) + 1 if file.exists() else 1\n"
        "file.write_text(str(number))\n"
        "expires = d.datetime.now(d.UTC) + d.timedelta(seconds=1 if number == 1 else 86400)\n"
        "print(json.dumps({'Version': 1, 'AccessKeyId': f'AKID{number}', 'SecretAccessKey': 's', 'SessionToken': 't',\n"
        "                  'Expiration': expires.isoformat()}))\n"
    )
    (world / ".aws").mkdir()
    (world / ".aws/config").write_text(f"[default]\ncredential_process = {sys.executable} {script}\n")
    _, caller = surroundings(REGION)
    assert caller() == Credentials("AKID2", "s", "t")
    assert caller() == Credentials("AKID2", "s", "t")
    assert (world / "count").read_text() == "2"


def test_without_credentials_the_call_says_so():
    """Nobody is known: that does not come by itself."""
    _, caller = surroundings(REGION)
    with pytest.raises(ConfigurationError, match="Finding credentials on AWS: Unable to locate credentials"):
        caller()


def test_credentials_that_cannot_be_had_now_may_come(world):
    """Whoever hands them out may be back soon."""
    (world / ".aws").mkdir()
    (world / ".aws/config").write_text("[default]\ncredential_process = false\n")
    with pytest.raises(TransientError, match="retrieving credentials from custom-process"):
        surroundings(REGION)


@pytest.mark.parametrize(
    ("environ", "problem"),
    [
        ({"AWS_ENDPOINT_URL": "localhost:8000"}, "localhost:8000"),
        ({"AWS_ENDPOINT_URL": "https://"}, "a URL with http or https was expected"),
        ({"AWS_ENDPOINT_URL": "ftp://x/"}, "a URL with http or https was expected"),
        ({"AWS_PROFILE": "nobody"}, "nobody"),
        ({"AWS_CA_BUNDLE": "/nowhere/ca.pem"}, "/nowhere/ca.pem"),
        ({"HTTPS_PROXY": "https://proxy"}, "plain HTTP"),
    ],
)
def test_what_is_told_wrongly_is_named(say, environ, problem):
    """One error at start, not one for every write."""
    say({**KEYS, **environ})
    with pytest.raises(ConfigurationError, match=problem):
        surroundings(REGION)


def test_no_such_region_is_a_wrong_deployment(say):
    """What does not even look like one is not tried."""
    say(KEYS)
    with pytest.raises(ConfigurationError, match="not a Region"):
        surroundings("not a Region")


@pytest.mark.parametrize("name", ["AWS_CA_BUNDLE", "REQUESTS_CA_BUNDLE"])
def test_a_bundle_of_certificates_may_be_named(say, world, name):
    """As for every tool of AWS."""
    bundle = world / "ca.pem"
    bundle.touch()
    say({**KEYS, name: str(bundle)})
    assert surroundings(REGION)[0].ca_bundle == str(bundle)


@pytest.mark.parametrize(
    ("environ", "proxy", "headers"),
    [
        ({}, None, None),
        ({"HTTPS_PROXY": "http://proxy:3128"}, "http://proxy:3128", None),
        ({"https_proxy": "proxy:3128"}, "http://proxy:3128", None),
        ({"HTTPS_PROXY": "http://me:a%20b@proxy"}, "http://me:a%20b@proxy", {"Proxy-Authorization": "Basic bWU6YSBi"}),
        ({"HTTPS_PROXY": "http://proxy", "NO_PROXY": ".amazonaws.com"}, None, None),
        ({"HTTPS_PROXY": "http://proxy", "AWS_ENDPOINT_URL": "http://127.0.0.1:8000"}, None, None),
        ({"HTTP_PROXY": "http://proxy"}, None, None),
    ],
)
def test_a_proxy_may_stand_between(say, environ, proxy, headers):
    """TLS goes through HTTPS_PROXY, but for the hosts of NO_PROXY; what is not encrypted goes through none."""
    say({**KEYS, **environ})
    endpoint, _ = surroundings(REGION)
    assert (endpoint.proxy, endpoint.proxy_headers) == (proxy, headers)


def test_in_a_lambda_function_neither_boto3_nor_botocores_session_is_loaded():
    """A start is as quick as it can be: what is not needed for a write is not there."""
    program = (
        "import os, sys; from reconciler.adapters.aws import dynamodb_table, poison_queue\n"
        "from reconciler.policy import default_policy\n"
        "dynamodb_table(default_policy('T'), 'eu-west-1'); poison_queue('http://x/q', 'eu-west-1')\n"
        "print(sorted({'boto3', 'botocore.session', 'botocore.exceptions', 'urllib3'} & set(sys.modules)))"
    )
    said = subprocess.run([sys.executable, "-c", program], env=TOKEN, capture_output=True, text=True, check=True)  # noqa: S603 - this very interpreter
    assert said.stdout.strip() == "[]"
