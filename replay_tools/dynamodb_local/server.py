"""The server: DynamoDB Local on a free port of 127.0.0.1, telemetry off, in memory."""

from collections.abc import Iterator
from contextlib import contextmanager

from replay_tools.child_server import child_server
from replay_tools.dynamodb_local.jars import LAUNCHER, LIB, class_path, find_java


@contextmanager
def dynamodb_local() -> Iterator[str]:
    """Let a server live for a while; yield its endpoint.

    Each pair of access key and Region has a database of its own. MissingError where Java or the jars are missing,
    StartError where it does not answer within a minute.
    """
    command = [find_java(), f"-Djava.library.path={LIB}", "-cp", class_path(), str(LAUNCHER)]
    with child_server("DynamoDB Local", command) as server:
        yield f"http://127.0.0.1:{server.port}"
