"""Our signatures are botocore's, byte by byte."""

from datetime import UTC, datetime
from unittest.mock import patch

import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials as BotocoreCredentials
from hypothesis import given
from hypothesis import strategies as st

from reconciler.adapters.sigv4 import Credentials, Signer

KEYS = Credentials("AKIDEXAMPLE", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY", None)
SECONDS = 1_700_000_000.5
HEADERS = {"accept-encoding": "identity", "content-type": "application/x-amz-json-1.0", "x-amz-target": "T.GetItem"}
URLS = (
    "https://dynamodb.eu-west-1.amazonaws.com/",
    "https://dynamodb.eu-west-1.amazonaws.com:443",
    "http://127.0.0.1:8000",
    "http://localhost:80/",
    "http://[::1]:8000/",
    "https://Example.COM/some/path~x/$1/",
)


def botocores(url, region, body, keys, seconds):
    """Return what botocore signs of the same request."""
    request = AWSRequest("POST", url, HEADERS, body)
    theirs = BotocoreCredentials(keys.access_key, keys.secret_key, keys.token)
    with patch("botocore.auth.get_current_datetime", lambda: datetime.fromtimestamp(int(seconds), UTC)):
        SigV4Auth(theirs, "dynamodb", region).add_auth(request)
    return {name.lower(): value for name, value in request.headers.items()}


@pytest.mark.parametrize("url", URLS)
@pytest.mark.parametrize("token", [None, "a/session+token=="])
def test_a_request_is_signed_as_botocore_signs_it(url, token):
    """Every header is the same: the time, the session's token, and the signature."""
    keys = Credentials(KEYS.access_key, KEYS.secret_key, token)
    signed = Signer(url, "eu-west-1").signed(HEADERS, b"{}", keys, SECONDS)
    assert signed == botocores(url, "eu-west-1", b"{}", keys, SECONDS)
    assert ("x-amz-security-token" in signed) is (token is not None)


WORDS = st.text(st.characters(min_codepoint=33, max_codepoint=126), min_size=1)


@given(WORDS, WORDS, st.none() | WORDS, st.binary(), st.floats(1e9, 4e9))
def test_whoever_calls_and_whatever_is_sent_is_signed_as_botocore_signs_it(access_key, secret, token, body, seconds):
    """Keys, tokens, bodies and times make no difference."""
    keys = Credentials(access_key, secret, token)
    signed = Signer(URLS[0], "us-east-1").signed(HEADERS, body, keys, seconds)
    assert signed == botocores(URLS[0], "us-east-1", body, keys, seconds)


def test_one_signer_signs_for_other_days_and_other_keys():
    """What is kept for the next request is not used for another day, nor for another key."""
    signer = Signer(URLS[0], "us-east-1")
    for secret, seconds in (("one", SECONDS), ("one", SECONDS + 86_400), ("two", SECONDS), ("one", SECONDS)):
        keys = Credentials("id", secret, None)
        assert signer.signed(HEADERS, b"x", keys, seconds) == botocores(URLS[0], "us-east-1", b"x", keys, seconds)


def test_a_secret_is_not_shown():
    """Whoever prints credentials prints who, not what."""
    shown = repr(Credentials("AKIDEXAMPLE", "the secret", "the token"))
    assert "AKIDEXAMPLE" in shown
    assert "the " not in shown
