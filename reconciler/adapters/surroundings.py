"""Where one Region's DynamoDB answers and who calls it, as botocore would find out.

    all that counts is in the environment   read here         as in a Lambda function: botocore is not loaded
    anything else: profiles, roles, ...     asked of botocore  its own providers, which refresh what expires

Importing and starting botocore costs a function's start about 0.2 s of processor time.
"""

import os
import re
from base64 import b64encode
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit

import botocore  # the bare package, which loads nothing more

from reconciler.adapters.connections import Endpoint
from reconciler.adapters.sigv4 import Credentials
from reconciler.errors import ConfigurationError

if TYPE_CHECKING:
    from botocore.session import Session

CredentialSource = Callable[[], Credentials]
"""Returns who calls now; raises a ReconcilerError where nobody is known."""

KEY_ID, SECRET = "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"
# In botocore's order.
TOKENS = ("AWS_SECURITY_TOKEN", "AWS_SESSION_TOKEN")
URLS = ("AWS_ENDPOINT_URL_DYNAMODB", "AWS_ENDPOINT_URL")
CA_BUNDLES = ("AWS_CA_BUNDLE", "REQUESTS_CA_BUNDLE")
FILES = {"AWS_CONFIG_FILE": "~/.aws/config", "AWS_SHARED_CREDENTIALS_FILE": "~/.aws/credentials"}
# Any of these is botocore's to understand.
INVOLVED = (
    "AWS_CREDENTIAL_EXPIRATION",
    "AWS_DEFAULT_PROFILE",
    "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS",
    "AWS_PROFILE",
    "AWS_USE_DUALSTACK_ENDPOINT",
    "AWS_USE_FIPS_ENDPOINT",
)
# The Regions of AWS's own partition, as botocore's data has them.
COMMERCIAL = re.compile(r"(us|eu|ap|sa|ca|me|af|il|mx)-\w+-\d+")


def surroundings(region: str, environ: Mapping[str, str] | None = None) -> tuple[Endpoint, CredentialSource]:
    """Return the endpoint of a Region's DynamoDB and its caller; ConfigurationError where they are told wrongly."""
    environ = os.environ if environ is None else environ
    url = _url_told(region, environ)
    if url and _is_all_told(environ):
        keys = Credentials(environ[KEY_ID], environ[SECRET], next(filter(None, map(environ.get, TOKENS)), None))
        return _endpoint(url, _first(environ, CA_BUNDLES), environ), lambda: keys
    return _asked_of_botocore(region, environ)


def _is_all_told(environ: Mapping[str, str]) -> bool:
    if any(environ.get(name) for name in INVOLVED) or not (environ.get(KEY_ID) and environ.get(SECRET)):
        return False
    return not any(Path(environ.get(name, place)).expanduser().is_file() for name, place in FILES.items())


def _url_told(region: str, environ: Mapping[str, str]) -> str | None:
    default = f"https://dynamodb.{region}.amazonaws.com" if COMMERCIAL.fullmatch(region) else None
    return _first(environ, URLS) or default


def _first(environ: Mapping[str, str], names: tuple[str, ...]) -> str | None:
    return next(filter(None, map(environ.get, names)), None)


def _asked_of_botocore(region: str, environ: Mapping[str, str]) -> tuple[Endpoint, CredentialSource]:
    """Let botocore read its files and data; a client knows its endpoint, whatever variant was asked for."""
    from botocore.session import get_session  # noqa: PLC0415 - see above

    from reconciler.adapters.faults import faults  # noqa: PLC0415 - the same

    with faults("Resolving the endpoint", region):
        session = get_session()
        url = session.create_client("dynamodb", region_name=region).meta.endpoint_url
        bundle = session.get_config_variable("ca_bundle") or _first(environ, CA_BUNDLES)
    return _endpoint(url, bundle, environ), _refreshed(session)


def _refreshed(session: "Session") -> CredentialSource:
    from botocore.exceptions import NoCredentialsError  # noqa: PLC0415 - see above

    from reconciler.adapters.faults import faults  # noqa: PLC0415 - the same

    def current() -> Credentials:
        with faults("Finding credentials", "AWS"):
            found = session.get_credentials()
            if found is None:
                raise NoCredentialsError
            keys = found.get_frozen_credentials()
            return Credentials(keys.access_key or "", keys.secret_key or "", keys.token)

    return current


def _endpoint(url: str, ca_bundle: str | None, environ: Mapping[str, str]) -> Endpoint:
    parts = urlsplit(url)
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise ConfigurationError(f"the endpoint of DynamoDB is {url!r}; a URL with http or https was expected")
    if ca_bundle and not Path(ca_bundle).is_file():
        raise ConfigurationError(f"the file of trusted certificates {ca_bundle!r} (AWS_CA_BUNDLE) is missing")
    proxy, headers = _proxy_to(parts.netloc, environ) if parts.scheme == "https" else (None, None)
    return Endpoint(url if parts.path else f"{url}/", ca_bundle or botocores_bundle(), proxy, headers)


def botocores_bundle() -> str:
    """Return the file of certificates that comes with botocore."""
    return str(Path(botocore.__file__).with_name("cacert.pem"))


def _proxy_to(host: str, environ: Mapping[str, str]) -> tuple[str | None, Mapping[str, str] | None]:
    """Return the proxy that HTTPS_PROXY and NO_PROXY say, and what it is told of its user."""
    url = _first(environ, ("https_proxy", "HTTPS_PROXY"))
    if not url:
        return None, None
    from urllib.request import proxy_bypass  # noqa: PLC0415 - few have a proxy

    if proxy_bypass(host):
        return None, None
    url = url if "//" in url else f"http://{url}"
    if urlsplit(url).scheme != "http":
        raise ConfigurationError("HTTPS_PROXY names a proxy that is not spoken to by plain HTTP: that is not supported")
    user, password = urlsplit(url).username, urlsplit(url).password
    if user is None or password is None:
        return url, None
    words = b64encode(f"{unquote(user)}:{unquote(password)}".encode()).decode()
    return url, {"Proxy-Authorization": f"Basic {words}"}
