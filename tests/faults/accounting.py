"""Books: every write that a client was told is done is in the table, or in the poison queue with both images.

It never calls `join`. Each write leaves three traces that no other write leaves: its key in a set, its amount in a
counter, its text in a register.

    Tags      holds the keys of what the item includes: a key that was acknowledged and is missing is a lost write
    Balance   is the sum of these keys' amounts: more is a write that counted twice, less one that half survived
    Data      is the text of the write that `IdempotencyKey` names: else the register was torn
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from reconciler.poison import PoisonMessage
from reconciler.wire import Image, plain_image

DIVERGED = "diverged_beyond_horizon"


@dataclass(frozen=True, slots=True)
class Account:
    """Where the acknowledged writes are; `wrong` says, item by item, what no fault may lead to."""

    acknowledged: int
    in_table: int
    in_queue: int
    wrong: tuple[str, ...]


@dataclass
class Books:
    """What clients asked for, and what they were told is done."""

    amounts: dict[str, dict[str, int]] = field(default_factory=dict)
    acknowledged: dict[str, set[str]] = field(default_factory=dict)
    asked: int = 0

    def request(self, item: str, key: str, *, owned: bool = False, **more: Any) -> dict[str, Any]:
        """Return a request that leaves its traces, and remember that it was asked; `owned` needs a person, if lost."""
        amounts = self.amounts.setdefault(item, {})
        self.asked += 1
        amount = amounts.setdefault(key, self.asked)
        sets = {"Data": text_of(key), **({"Owner": key} if owned else {}), **more.pop("Set", {})}
        adds = {"Balance": amount}
        return {"Id": item, "IdempotencyKey": key, "Set": sets, "Add": adds, "AddToSet": {"Tags": [key]}, **more}

    def acknowledge(self, request: Mapping[str, Any], answer: Mapping[str, Any]) -> str:
        """Remember that the client was told; return what it was told."""
        status = str(answer["status"])
        if status in {"applied", "superseded", "duplicate"}:
            self.acknowledged.setdefault(request["Id"], set()).add(request["IdempotencyKey"])
        return status

    def account(self, replicas: Sequence[Iterable[Image]], messages: Iterable[PoisonMessage]) -> Account:
        """Say where everything is, once nothing moves any more."""
        tables = [{image["Id"]["S"]: image for image in images} for images in replicas]
        by_item: dict[str, list[PoisonMessage]] = {}
        for message in messages:
            by_item.setdefault(message.key.get("Id", {}).get("S", ""), []).append(message)
        in_table = in_queue = 0
        wrong = []
        for item, keys in self.acknowledged.items():
            images, sent = [table.get(item) for table in tables], by_item.get(item, [])
            if any(image != images[0] for image in images):
                wrong.append(f"{item}: the Regions differ")
            found = tags_of(images[0] or {})
            queued = keys_in_queue(sent) - found
            in_table, in_queue = in_table + len(keys & found), in_queue + len(keys & queued)
            wrong += [f"{item}: {key} is lost" for key in sorted(keys - found - queued)]
            wrong += self._torn(item, images[0] or {}, sent)
        return Account(sum(map(len, self.acknowledged.values())), in_table, in_queue, tuple(wrong))

    def _torn(self, item: str, image: Image, sent: Sequence[PoisonMessage]) -> list[str]:
        """Say where an item does not add up; one that has diverged is a person's to judge."""
        if any(message.reason == DIVERGED for message in sent):
            return []
        plain, amounts = plain_image(image), self.amounts[item]
        total = sum(amounts[key] for key in tags_of(image))
        wrong = []
        if plain.get("Balance", 0) != total:
            wrong.append(f"{item}: Balance is {plain.get('Balance')}, its writes come to {total}")
        if plain.get("Data") != text_of(plain.get("IdempotencyKey", "")):
            wrong.append(f"{item}: Data is not that of its newest write")
        return wrong


def text_of(key: str) -> str:
    """Return what a write puts into the register."""
    return f"data of {key}"


def tags_of(image: Image) -> set[str]:
    """Return the keys whose writes an image includes."""
    return set(image.get("Tags", {}).get("SS", ()))


def keys_in_queue(messages: Iterable[PoisonMessage]) -> set[str]:
    """Return the keys whose writes stand in either image of a message that has both."""
    found: set[str] = set()
    for message in messages:
        if message.old_image and message.new_image:
            found |= tags_of(message.old_image) | tags_of(message.new_image)
    return found
