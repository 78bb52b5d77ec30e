"""DynamoDB's own protocol: typed JSON in signed HTTP, without boto3's layers, which cost ten times as much.

    parameters -> JSON -> signed -> one exchange -> checked (CRC-32) -> JSON -> answer, refusal or fault
                             ^                          |
                             +---- a bounded number of times, with jitter, where trying again may help

The core's wire values are this protocol's already: nothing is converted on either way.
https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Programming.LowLevelAPI.html
"""

import json
from base64 import b64encode
from collections.abc import Callable, Mapping
from email.utils import parsedate_to_datetime
from typing import Any
from zlib import crc32

from reconciler.adapters.connections import BrokenAnswerError, HttpAnswer
from reconciler.adapters.fault_codes import fault_of_code, is_out_of_time, item_error
from reconciler.adapters.hooks import Post
from reconciler.adapters.replica import REFUSALS, Answer
from reconciler.adapters.sigv4 import Signer
from reconciler.adapters.surroundings import CredentialSource
from reconciler.errors import TransientError
from reconciler.ports import Pause

HEADERS = {"accept-encoding": "identity", "content-type": "application/x-amz-json-1.0"}
TARGET = "DynamoDB_20120810"
OK, SERVER_ERROR = 200, 500
# Beside every answer of 500 and above, and every exchange that broke.
PASSING = frozenset(
    {
        "LimitExceededException",
        "PriorRequestNotComplete",
        "ProvisionedThroughputExceededException",
        "RequestLimitExceeded",
        "RequestTimeout",
        "RequestTimeoutException",
        "ThrottledException",
        "Throttling",
        "ThrottlingException",
        "TooManyRequestsException",
        "TransactionInProgressException",
    }
)


class SignedHttp:
    """Carries requests to one table; threads may share it."""

    def __init__(  # noqa: PLR0913 - a composition root names each
        self,
        post: Post,
        signer: Signer,
        credentials: CredentialSource,
        resource: str,
        *,
        attempts: int,
        pause: Pause,
        seconds: Callable[[], float],
    ) -> None:
        """Send each request at most `attempts` times; `resource` is the table, `seconds` the clock, since 1970."""
        self._post = post
        self._signer = signer
        self._credentials = credentials
        self._resource = resource
        self._attempts = attempts
        self._pause = pause
        self._seconds = seconds
        self._behind_seconds = 0.0

    def __call__(self, action: str, parameters: Mapping[str, Any]) -> Answer:
        """Return the answer or the refusal; the last fault is raised."""
        where = f"{action} on {self._resource}"
        body = _encoded(parameters, where)
        number = 1
        while isinstance(outcome := self._attempt(action, body, where, fresh=number > 1), TransientError):
            if number >= self._attempts:
                raise outcome
            self._pause(number)
            number += 1
        return outcome

    def _attempt(self, action: str, body: bytes, where: str, *, fresh: bool) -> Answer | TransientError:
        """Return the outcome, which is a fault where trying again may help; any other fault is raised."""
        headers = {**HEADERS, "x-amz-target": f"{TARGET}.{action}"}
        now = self._seconds() + self._behind_seconds
        signed = self._signer.signed(headers, body, self._credentials(), now)
        try:
            answer = self._post(signed, body, fresh=fresh)
            content = _checked(answer)
        except (OSError, BrokenAnswerError) as error:
            fault = TransientError(f"{where}: {type(error).__name__}: {error}")
            fault.__cause__ = error
            return fault
        return (None, content) if answer.status == OK else self._refused(answer, content, where)

    def _refused(self, answer: HttpAnswer, content: Mapping[str, Any], where: str) -> Answer | TransientError:
        code = _code(answer, content)
        if code in REFUSALS:
            return code, content
        message = str(content.get("message") or content.get("Message") or "")
        fault = fault_of_code(code, message, where)
        is_late = is_out_of_time(message)
        if is_late:
            self._set_clock(answer)
        if isinstance(fault, TransientError) and (is_late or answer.status >= SERVER_ERROR or code in PASSING):
            return fault
        raise fault

    def _set_clock(self, answer: HttpAnswer) -> None:
        """Go by the server's clock from now on: it is the one that signatures are held against."""
        try:
            self._behind_seconds = parsedate_to_datetime(answer.headers["date"]).timestamp() - self._seconds()
        except (KeyError, ValueError):
            self._behind_seconds = 0.0


def _encoded(parameters: Mapping[str, Any], where: str) -> bytes:
    try:
        return _JSON.encode(parameters).encode()
    except (TypeError, ValueError):
        raise item_error(f"{where}: a value is none that DynamoDB knows") from None


def _as_json(value: object) -> object:
    """Return what JSON has no form for: binary, as base64, and mappings that are no dictionaries."""
    if isinstance(value, bytes):
        return b64encode(value).decode()
    if isinstance(value, Mapping):
        return dict(value)
    raise TypeError(type(value).__name__)


_JSON = json.JSONEncoder(default=_as_json, separators=(",", ":"), allow_nan=False)


def _checked(answer: HttpAnswer) -> Mapping[str, Any]:
    """Return what an answer holds; BrokenAnswerError where it is not what was sent.

    An error that is no JSON is a proxy's own, and holds nothing.
    """
    expected = answer.headers.get("x-amz-crc32")
    if expected is not None and expected != str(crc32(answer.body)):
        raise BrokenAnswerError("an answer does not have its checksum")
    try:
        content = json.loads(answer.body)
    except ValueError:
        content = None
    if isinstance(content, dict):
        return content
    if answer.status == OK:
        raise BrokenAnswerError("an answer is not a JSON object")
    return {}


def _code(answer: HttpAnswer, content: Mapping[str, Any]) -> str:
    name = str(content.get("__type") or answer.headers.get("x-amzn-errortype", "")).partition(":")[0]
    return name.rpartition("#")[2] or f"HTTP {answer.status}"
