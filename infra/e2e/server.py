"""The server: ministack on a free port of 127.0.0.1; stopped, with its functions, whatever happens.

    this process --- pipe ---> launcher.py --- pipes ---> the functions

Nothing is ever written to the first pipe. The kernel closes it with this process, however that dies.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.error import URLError
from urllib.request import urlopen

from replay_tools.child_server import START_SECONDS, ChildServer, StartError, child_server

ROOT = Path(__file__).parents[2]
PYTHON = ROOT / ".venv-e2e/bin/python"
LAUNCHER = Path(__file__).with_name("launcher.py")
SERVICES = "cloudformation,cloudwatch,dynamodb,dynamodbstreams,events,iam,lambda,logs,s3,sqs,sts,stepfunctions"
# The whole environment of server and functions, beside what each function is given: no profile, no real credentials.
ENVIRONMENT = {
    "AWS_ACCESS_KEY_ID": "testing",
    "AWS_SECRET_ACCESS_KEY": "testing",
    "AWS_CONFIG_FILE": os.devnull,
    "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
    "IOT_MTLS_ENABLED": "0",
    "MINISTACK_HOST": "127.0.0.1",
    "PATH": os.defpath,
    "PYTHONDONTWRITEBYTECODE": "1",
    "SERVICES": SERVICES,
    "SFTP_ENABLED": "0",
}


@contextmanager
def ministack() -> Iterator[str]:
    """Let a server live for a while; yield its endpoint. StartError where it is missing, or does not answer in time."""
    if not PYTHON.is_file():
        raise StartError(f"{PYTHON} is missing; make e2e makes it")
    with child_server("ministack", [str(PYTHON), "-I", str(LAUNCHER)], ENVIRONMENT) as server:
        endpoint = f"http://127.0.0.1:{server.port}"
        _await_answer(endpoint, server)
        yield endpoint


def _await_answer(endpoint: str, server: ChildServer) -> None:
    """Wait for the first answer: the port is open before, and whoever asks is served once the server is ready."""
    try:
        with urlopen(f"{endpoint}/_ministack/health", timeout=START_SECONDS) as answer:  # noqa: S310 - http on loopback
            answer.read()
    except (URLError, TimeoutError) as error:
        raise server.failure() from error
