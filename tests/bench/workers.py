"""The two workers, put together as they are deployed, in one environment."""

import os
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stdout
from importlib import import_module, reload
from pathlib import Path
from types import ModuleType
from unittest.mock import patch

from handlers.bootstrap import Handler, stream_handler
from tests.bench.records import HERE, POLICY, POLICY_FILE
from tests.bench.server import Server


def environment(server: Server) -> dict[str, str]:
    """Return the environment of a Lambda function, with the server in place of AWS."""
    return {
        "TABLE_NAME": POLICY.name,
        "POLICY_FILE": str(POLICY_FILE),
        "POISON_QUEUE_URL": f"{server.endpoint}/queue/poison",
        "AWS_REGION": HERE,
        "AWS_DEFAULT_REGION": HERE,
        "AWS_ENDPOINT_URL_DYNAMODB": server.endpoint,
        "AWS_ENDPOINT_URL_SQS": server.endpoint,
        "AWS_ACCESS_KEY_ID": "AKIAEXAMPLE",
        "AWS_SECRET_ACCESS_KEY": "example",
        "AWS_EC2_METADATA_DISABLED": "true",
    }


@contextmanager
def deployed(server: Server) -> Iterator[None]:
    """Set the environment, and let what the functions print go nowhere."""
    with patch.dict(os.environ, environment(server)), Path(os.devnull).open("w") as nowhere, redirect_stdout(nowhere):
        yield


def this_worker() -> Handler:
    """Return this project's stream function, its log lines and metrics included."""
    return stream_handler()


def plain_worker() -> ModuleType:
    """Return the plain worker's module, made anew in the environment of now."""
    return reload(import_module("tests.bench.plain_worker"))
