"""A queue in memory as SQS is one: hidden messages, receipts, receive counts, dead letters, and an end of age."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import count
from typing import Any

from reconciler.errors import TransientError
from reconciler.poison import PoisonMessage, bodies
from reconciler.redrive_run import Received
from tests.worker.replicas import Clock

MAX_RECEIVES = 5  # as in infra/worker.yaml
RETENTION_MS = 14 * 86_400_000
Step = Callable[[str], None]


def nothing_happens(step: str) -> None:
    """Let every step be made."""


@dataclass
class Held:
    """What the queue knows of a message."""

    message: Received
    visible_at_ms: int = 0


@dataclass
class Queue:
    """Messages by id; `step` is told before and after each effect, and may end it all."""

    clock: Clock
    step: Step = nothing_happens
    held: dict[str, Held] = field(default_factory=dict)
    dead: list[Received] = field(default_factory=list)
    numbers: Any = field(default_factory=lambda: count(1))

    def put(self, *texts: str, **attributes: str) -> None:
        """Let bodies stand in the queue."""
        named = {name: {"DataType": "String", "StringValue": value} for name, value in attributes.items()}
        for text in texts:
            self._store(text, named)

    def poison(self, message: PoisonMessage, **limits: int) -> None:
        """Let a message of the worker's stand in the queue."""
        self.put(*bodies(message, **limits), reason=message.reason, id=message.id)

    def contents(self) -> list[tuple[str, Mapping[str, Any]]]:
        """Return each body with its attributes, in an order that does not depend on when they were sent."""
        held = [each.message for each in self.held.values()]
        return sorted([(message.body, message.attributes) for message in held], key=str)

    def receive(self, most: int, hold_s: int) -> list[Received]:
        """Return visible messages; set aside what was received too often, forget what is too old."""
        self.step("receive")
        found: list[Received] = []
        for identity, each in list(self.held.items()):
            if each.message.sent_ms + RETENTION_MS <= self.clock():
                del self.held[identity]
            elif each.visible_at_ms <= self.clock() and len(found) < most:
                if each.message.receives >= MAX_RECEIVES:
                    self.dead.append(self.held.pop(identity).message)
                    continue
                receives = each.message.receives + 1
                each.message = replace(each.message, receives=receives, receipt=f"{identity}/{receives}")
                each.visible_at_ms = self.clock() + 1000 * hold_s
                found.append(each.message)
        return found

    def delete(self, messages: Sequence[Received]) -> None:
        """Delete messages by their newest receipts."""
        self.step("delete")
        for message in messages:
            if message.message_id in self.held and self.held[message.message_id].message.receipt == message.receipt:
                del self.held[message.message_id]
        self.step("deleted")

    def send(self, message: Received) -> None:
        """Send the same body with the same attributes."""
        self.step("send")
        self._store(message.body, message.attributes)
        self.step("sent")

    def release(self, messages: Sequence[Received]) -> None:
        """Show messages again."""
        self.step("release")
        for message in messages:
            if message.message_id in self.held:
                self.held[message.message_id].visible_at_ms = self.clock()
        self.step("released")

    def _store(self, body: str, attributes: Mapping[str, Any]) -> None:
        identity = f"m{next(self.numbers)}"
        self.held[identity] = Held(Received(identity, "", body, attributes, 0, self.clock()))


def refusing(*names: str) -> Step:
    """Refuse the steps of these names."""

    def step(name: str) -> None:
        if name in names:
            raise TransientError(f"{name} is refused")

    return step
