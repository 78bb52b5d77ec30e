"""AWS Signature Version 4 of a POST without a query: what DynamoDB's JSON protocol needs, and no more.

    signing key   HMAC chain over date, Region, service     kept for the day
    signature     HMAC(signing key, time, scope, SHA-256 of the canonical request)

botocore's signer builds three e-mail messages a request, which costs more processor time than all else of a call
together; here the tests hold the two signers to the same bytes.
https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from hmac import digest
from time import gmtime, strftime
from urllib.parse import quote, urlsplit

ALGORITHM = "AWS4-HMAC-SHA256"
DEFAULT_PORTS = {"http": 80, "https": 443}


@dataclass(frozen=True, slots=True)
class Credentials:
    """Who signs; `token` is the session's, of credentials that expire."""

    access_key: str
    secret_key: str = field(repr=False)
    token: str | None = field(repr=False)


class Signer:
    """Signs requests to one endpoint."""

    def __init__(self, url: str, region: str, service: str = "dynamodb") -> None:
        """Sign for `url`, which ends before any query."""
        self.host = host_of(url)
        self._path = quote(urlsplit(url).path or "/", safe="/~")
        self._scope = f"{region}/{service}/aws4_request"
        self._key = ("", "", b"")

    def signed(self, headers: Mapping[str, str], body: bytes, by: Credentials, seconds: float) -> dict[str, str]:
        """Return the headers with the time (`seconds` since 1970), the token and the signature of them all and Host.

        `headers` are named in small letters; their values have no blanks at their ends and no two in a row.
        """
        now = strftime("%Y%m%dT%H%M%SZ", gmtime(seconds))
        dated = {**headers, "x-amz-date": now}
        if by.token:
            dated["x-amz-security-token"] = by.token
        signable = sorted({**dated, "host": self.host}.items())
        names = ";".join(name for name, _ in signable)
        lines = "".join(f"{name}:{value}\n" for name, value in signable)
        canonical = f"POST\n{self._path}\n\n{lines}\n{names}\n{sha256(body).hexdigest()}"
        scope = f"{now[:8]}/{self._scope}"
        text = f"{ALGORITHM}\n{now}\n{scope}\n{sha256(canonical.encode()).hexdigest()}"
        signature = digest(self._signing_key(now[:8], by.secret_key), text.encode(), "sha256").hex()
        credential = f"Credential={by.access_key}/{scope}"
        return {**dated, "authorization": f"{ALGORITHM} {credential}, SignedHeaders={names}, Signature={signature}"}

    def _signing_key(self, day: str, secret: str) -> bytes:
        known_day, known_secret, key = self._key  # one tuple: threads see all of it or none
        if (known_day, known_secret) != (day, secret):
            key = f"AWS4{secret}".encode()
            for part in (day, *self._scope.split("/")):
                key = digest(key, part.encode(), "sha256")
            self._key = (day, secret, key)
        return key


def host_of(url: str) -> str:
    """Return the Host that a URL means: without its port, where that is the scheme's own, and without user."""
    parts = urlsplit(url)
    host = parts.hostname or ""
    host = f"[{host}]" if ":" in host else host
    return host if parts.port in (None, DEFAULT_PORTS.get(parts.scheme)) else f"{host}:{parts.port}"
