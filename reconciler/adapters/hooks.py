"""botocore's `before-send` hooks: who is asked of every request of botocore is asked of ours too.

moto's `mock_aws` answers from there, so that whoever tests with it need not know how requests are sent.
Nobody hooks himself in where botocore's handlers were never loaded, as in a Lambda function.
"""

import sys
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol

from reconciler.adapters.connections import HttpAnswer

EVENT = "before-send"
Hook = Callable[..., Any]


class Post(Protocol):
    """Sends one request."""

    def __call__(self, headers: Mapping[str, str], body: bytes, *, fresh: bool) -> HttpAnswer:
        """Return the answer; OSError or BrokenAnswerError where there is none."""
        ...


def hooked(post: Post, url: str) -> Post:
    """Return `post`, or, where there are hooks, one that asks them first and sends what none of them answers."""
    handlers = getattr(sys.modules.get("botocore.handlers"), "BUILTIN_HANDLERS", ())
    hooks = [handler for event, handler, *_ in handlers if event.partition(".")[0] == EVENT]

    def ask_first(headers: Mapping[str, str], body: bytes, *, fresh: bool) -> HttpAnswer:
        return _asked(hooks, url, headers, body) or post(headers, body, fresh=fresh)

    return ask_first if hooks else post


def _asked(hooks: Sequence[Hook], url: str, headers: Mapping[str, str], body: bytes) -> HttpAnswer | None:
    from botocore.awsrequest import AWSPreparedRequest  # noqa: PLC0415 - whoever hooks has loaded it
    from botocore.compat import HTTPHeaders  # noqa: PLC0415 - the same

    event = f"{EVENT}.dynamodb.{headers['x-amz-target'].rpartition('.')[2]}"
    request = AWSPreparedRequest("POST", url, HTTPHeaders.from_dict(headers), body, stream_output=False)
    for hook in hooks:
        answer = hook(event_name=event, request=request)
        if answer is not None:
            told = {name.lower(): str(value) for name, value in answer.headers.items()}
            return HttpAnswer(answer.status_code, told, answer.content)
    return None
