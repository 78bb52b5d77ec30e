"""The adapters of one Region, put together: bounded time-outs, retries, connections.

The table speaks DynamoDB's protocol itself; the queue, which is rarely needed, is reached by boto3, loaded when it is.
"""

import time
from threading import Lock

from reconciler.adapters import system
from reconciler.adapters.connections import Connections
from reconciler.adapters.hooks import hooked
from reconciler.adapters.replica import Replica
from reconciler.adapters.signed_http import SignedHttp
from reconciler.adapters.sigv4 import Signer
from reconciler.adapters.surroundings import surroundings
from reconciler.errors import ConfigurationError
from reconciler.poison import PoisonMessage
from reconciler.policy import Policy
from reconciler.ports import PoisonQueue

CONNECT_SECONDS, READ_SECONDS, ATTEMPTS = 1, 1.5, 2  # with its retry, a write takes at most some five seconds


def dynamodb_table(policy: Policy, region: str, connections: int = 10) -> Replica:
    """Return the policy's table in one Region; AWS_ENDPOINT_URL_DYNAMODB chooses another endpoint.

    Requests do not pass through boto3: what hooks into botocore's `before-send`, as moto's `mock_aws` does, sees them,
    and what wraps boto3's clients does not.
    """
    endpoint, credentials = surroundings(region)
    try:
        pool = Connections(endpoint, connect_seconds=CONNECT_SECONDS, read_seconds=READ_SECONDS, idle=connections)
    except OSError as error:
        raise ConfigurationError(f"the trusted certificates in {endpoint.ca_bundle} cannot be read: {error}") from error
    call = SignedHttp(
        hooked(pool.post, endpoint.url),
        Signer(endpoint.url, region),
        credentials,
        policy.name,
        attempts=ATTEMPTS,
        pause=system.pause,
        seconds=time.time,
    )
    return Replica(call, policy.name)


def poison_queue(url: str, region: str, connections: int = 10) -> PoisonQueue:
    """Return the poison queue in one Region; AWS_ENDPOINT_URL_SQS chooses another endpoint."""
    return _QueueAtNeed(url, region, connections)


class _QueueAtNeed:
    """The queue, reached for when the first message is sent: most functions never send one."""

    def __init__(self, url: str, region: str, connections: int) -> None:
        self._url, self._region, self._connections = url, region, connections
        self._lock = Lock()
        self._queue: PoisonQueue | None = None

    def send(self, message: PoisonMessage) -> None:
        """Store the message whole; TransientError where the queue refuses."""
        with self._lock:
            queue = self._queue = self._queue or _sqs_queue(self._url, self._region, self._connections)
        queue.send(message)


def _sqs_queue(url: str, region: str, connections: int) -> PoisonQueue:
    import boto3  # noqa: PLC0415 - loading it takes a fifth of a second
    from botocore.config import Config  # noqa: PLC0415 - the same

    from reconciler.adapters.sqs import SqsPoisonQueue  # noqa: PLC0415 - the same

    config = Config(
        connect_timeout=CONNECT_SECONDS,
        read_timeout=READ_SECONDS,
        retries={"mode": "standard", "total_max_attempts": ATTEMPTS},
        max_pool_connections=connections,
    )
    return SqsPoisonQueue(boto3.client("sqs", region_name=region, config=config), url)
