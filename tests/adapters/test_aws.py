"""What stands in production: put together once, slow parts only at need, and open to whoever hooks botocore."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import boto3
import pytest
from moto import mock_aws

from reconciler.adapters import aws
from reconciler.adapters.aws import dynamodb_table, poison_queue
from reconciler.adapters.connections import HttpAnswer
from reconciler.adapters.hooks import hooked
from reconciler.change import change_between
from reconciler.errors import ConfigurationError, TransientError
from reconciler.poison import PoisonMessage
from reconciler.policy import default_policy
from reconciler.ports import Stale, Written
from reconciler.wire import Image
from tests.adapters.engines import NAME, REGION, create_table
from tests.adapters.loopback import loopback

KEY: Image = {"Id": {"S": "a"}, "At": {"B": "AA=="}}
ITEM: Image = {**KEY, "Data": {"BS": ["AP8="]}}
CREATION = change_between(KEY, None, ITEM, ())
MESSAGE = PoisonMessage("manual", "", REGION, NAME, KEY, "1", ITEM, None)

# The table


def test_moto_answers_what_does_not_pass_through_boto3() -> None:
    """A function is tested under `mock_aws` as ever; outside it, nothing is hooked."""
    table = dynamodb_table(default_policy(NAME), REGION)
    with mock_aws():
        create_table(boto3.client("dynamodb", region_name=REGION))
        assert table.write(CREATION) == Written()
        assert table.write(CREATION) == Stale(ITEM)
        assert table.read(KEY) == ITEM


def test_hooks_are_asked_in_turn_and_the_first_answer_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    """What nobody answers is sent; events of others are not for us."""
    asked: list[Any] = []

    def hook(event_name: str, request: Any, **_: object) -> None:
        asked.append((event_name, request.url, request.headers["X-Amz-Target"], request.body))

    handlers = [("before-send", hook), ("before-call", None), ("before-send.dynamodb", hook, 1)]
    monkeypatch.setattr("botocore.handlers.BUILTIN_HANDLERS", handlers)
    sent = HttpAnswer(200, {}, b"{}")
    post = hooked(lambda headers, body, *, fresh: sent, "http://x/")
    assert post({"x-amz-target": "D.GetItem"}, b"body", fresh=False) is sent
    assert asked == [("before-send.dynamodb.GetItem", "http://x/", "D.GetItem", b"body")] * 2


def test_without_hooks_nothing_stands_between(monkeypatch: pytest.MonkeyPatch) -> None:
    """In production the way is free."""
    monkeypatch.setattr("botocore.handlers.BUILTIN_HANDLERS", [])

    def post(headers: object, body: object, *, fresh: bool) -> HttpAnswer:
        raise NotImplementedError

    assert hooked(post, "http://x/") is post


def test_a_table_that_does_not_answer_is_given_up_in_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each attempt has its time-out, their number is bounded, and between them there is a pause with jitter."""
    pauses: list[int] = []
    monkeypatch.setattr(aws, "READ_SECONDS", 0.05)
    monkeypatch.setattr("reconciler.adapters.system.pause", pauses.append)
    with loopback() as server:
        monkeypatch.setenv("AWS_ENDPOINT_URL_DYNAMODB", server.url)
        server.always = server.stall
        with pytest.raises(TransientError, match=f"GetItem on {NAME}: TimeoutError: timed out"):
            dynamodb_table(default_policy(NAME), REGION).read(KEY)
        assert (len(server.requests), pauses) == (aws.ATTEMPTS, [1])


def test_certificates_that_cannot_be_read_are_a_wrong_deployment(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """The first event says so, and names the file."""
    bundle = tmp_path / "ca.pem"
    bundle.write_text("nothing")
    monkeypatch.setenv("AWS_CA_BUNDLE", str(bundle))
    with pytest.raises(ConfigurationError, match=r"trusted certificates in .*ca\.pem cannot be read"):
        dynamodb_table(default_policy(NAME), REGION)


# The queue


def test_the_queue_is_reached_for_when_the_first_message_is_sent(monkeypatch: pytest.MonkeyPatch) -> None:
    """Once, however many lanes send their first message at a time."""
    made: list[Any] = []
    sent: list[str] = []

    class Client:
        def send_message(self, **words: Any) -> None:
            sent.append(words["QueueUrl"])

    def make(*arguments: Any, **words: Any) -> Client:
        made.append((arguments, words))
        return Client()

    monkeypatch.setattr("boto3.client", make)
    queue = poison_queue("https://queue", REGION, 7)
    assert made == []
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(queue.send, [MESSAGE] * 4))
    assert sent == ["https://queue"] * 4
    ((arguments, words),) = made
    config = words["config"]
    assert (arguments, words["region_name"]) == (("sqs",), REGION)
    assert (config.connect_timeout, config.read_timeout, config.max_pool_connections) == (1, 1.5, 7)
    assert config.retries == {"mode": "standard", "total_max_attempts": 2}
