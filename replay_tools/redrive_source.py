"""Where poison messages come from: the queue itself, the queue without touching it, or a file of bodies.

    NDJSON                        one body a line, as the worker sent it
    ReceiveMessage's answer       {"Messages": [{"Body": ...}]}, as the AWS command line prints it
    a JSON list                   of bodies, or of the answer's messages

each plain or compressed.
"""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from reconciler.errors import ReconcilerError
from reconciler.redrive_bodies import Unread, read_body
from reconciler.redrive_run import Messages, Received
from replay_tools.inputs import name_of, opened

MAX_BYTES = 256 << 20  # of a file, which is read whole: its bodies are in memory for as long as the run


class BodiesError(ReconcilerError):
    """A file of bodies cannot be read; the message names the file, and the line where there is one."""


@dataclass(slots=True)
class Looking:
    """A queue that is only looked at: nothing is deleted or sent; `let_go` shows all again that was received."""

    queue: Messages
    _received: list[Received] = field(default_factory=list)

    def receive(self, most: int, hold_s: int) -> Sequence[Received]:
        """Return messages, hidden for a while from other readers."""
        received = self.queue.receive(most, hold_s)
        self._received.extend(received)
        return received

    def delete(self, messages: Sequence[Received]) -> None:
        """Leave the messages."""

    def send(self, message: Received) -> None:
        """Send nothing."""

    def release(self, messages: Sequence[Received]) -> None:
        """Wait for `let_go`: what a real run would have deleted is not among these."""

    def let_go(self) -> None:
        """Show everything again that was received; TransientError where the queue refuses: it shows itself later."""
        self.queue.release(self._received)


@dataclass(slots=True)
class Bodies:
    """A file's bodies as messages; the file stays as it is."""

    messages: list[Received]

    def receive(self, most: int, hold_s: int) -> Sequence[Received]:
        """Return the next messages, each once."""
        del hold_s  # nobody else reads them
        taken, self.messages = self.messages[:most], self.messages[most:]
        return taken

    def delete(self, messages: Sequence[Received]) -> None:
        """Leave the file as it is."""

    def send(self, message: Received) -> None:
        """Leave the file as it is."""

    def release(self, messages: Sequence[Received]) -> None:
        """Leave the file as it is."""


def read_bodies(path: str, now_ms: int) -> list[Received]:
    """Return the messages in a file, or on standard input; BodiesError where there are none, or nothing can be read."""
    name = name_of(path)
    messages = [*_messages(_text(path, name), name, now_ms)]
    unread = [found for message in messages if isinstance(found := read_body(message.body), Unread)]
    if unread and len(unread) == len(messages):
        raise BodiesError(f"{messages[0].message_id}: is no poison message: {unread[0].detail}")
    return messages


def _text(path: str, name: str) -> str:
    with opened(path) as file:
        content = file.read(MAX_BYTES + 1)
    if len(content) > MAX_BYTES:
        raise BodiesError(f"{name}: has more than {MAX_BYTES} bytes")
    try:
        return content.decode()
    except UnicodeDecodeError as error:
        raise BodiesError(f"{name}: is no text in UTF-8") from error


def _messages(text: str, name: str, now_ms: int) -> Iterator[Received]:
    try:
        document = json.loads(text)
    except (ValueError, RecursionError):
        document = None
    listed = document.get("Messages") if isinstance(document, dict) else document
    if isinstance(listed, list):
        for number, each in enumerate(listed, 1):
            yield _received(f"{name} (message {number})", each, now_ms)
        return
    lines = [text] if isinstance(document, dict) else text.split("\n")
    for number, line in enumerate(lines, 1):
        if line.strip():
            yield _message(f"{name}:{number}", line.strip(), now_ms)


def _received(place: str, each: Any, now_ms: int) -> Received:  # noqa: ANN401 - any JSON
    """Return one message of a list: a body, as text or as JSON, or what ReceiveMessage answers."""
    if not isinstance(each, dict) or "Body" not in each:
        return _message(place, each if isinstance(each, str) else json.dumps(each), now_ms)
    told = each.get("Attributes")
    sent = told.get("SentTimestamp") if isinstance(told, dict) else None
    is_time = isinstance(sent, str) and sent.isascii() and sent.isdigit()
    return _message(place, str(each["Body"]), int(sent) if is_time and isinstance(sent, str) else now_ms)


def _message(place: str, body: str, sent_ms: int) -> Received:
    return Received(place, "", body, {}, 0, sent_ms)
