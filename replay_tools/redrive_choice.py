"""A person's choice between a message's two images, as a request for the writer.

    old   the overwritten image        what differs between the two is set to its values, by one conditional write
    new   the image that won           the same
    join  what both become             no write of its own: the repair is the answer

A choice decides registers (`latest`, `manual`), which have one value; counters, sets and the rest join exactly, and a
choice that set them back would undo what others counted. What somebody has written since the two images is left alone.
The request's key is made of the message's id, so that the ledger counts the choice once, in whichever Region it is made
again; its stamp is above every stamp in the item, so that it wins, everywhere, over both values that it chose between.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from decimal import Decimal
from enum import Enum

from reconciler.attempt import Found, found_item, token_of
from reconciler.fitting import elements_of
from reconciler.poison import PoisonMessage
from reconciler.policy import REGISTERS, Kind, Policy, flatten
from reconciler.requests import WriteEvent
from reconciler.stamps import write_id
from reconciler.wire import Image, Value, canonical_image, same


class Take(Enum):
    """Which image a person takes."""

    OLD = "old"
    NEW = "new"
    JOIN = "join"


@dataclass(frozen=True, slots=True)
class Choice:
    """The request that makes a choice, and the attributes that it leaves as they are."""

    request: WriteEvent
    joined: tuple[str, ...] = ()
    """Which differ, but join by themselves."""
    since: tuple[str, ...] = ()
    """Which somebody has written since."""

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing to decide any more."""
        return not (self.request.sets or self.request.removes or self.request.adds or self.request.elements_added)

    @property
    def detail(self) -> str:
        """What is set and what is not, by name."""
        event = self.request
        named = sorted([*event.sets, *event.removes, *event.adds, *event.elements_added])
        parts = {"set": named, "as joined": self.joined, "written since, and left alone": self.since}
        return "; ".join(f"{what}: {', '.join(names)}" for what, names in parts.items() if names)


def differing(message: PoisonMessage, policy: Policy) -> dict[str, tuple[Value | None, Value | None]]:
    """Return the paths that differ, with both images' values; ItemError or ValueError where one cannot be read."""
    old, new = leaves(message.old_image, policy), leaves(message.new_image, policy)
    paths = sorted(old.keys() | new.keys())
    return {path: (old.get(path), new.get(path)) for path in paths if not same(old.get(path), new.get(path))}


def leaves(image: Image | None, policy: Policy) -> dict[str, Value]:
    """Return the user's attributes, and the members of its maps by path."""
    return dict(flatten(canonical_image(image or {}), policy))


def choice_of(message: PoisonMessage, take: Take, current: Image | None, policy: Policy) -> Choice:
    """Return what makes the taken image's registers stand, where the item still holds one of the two values."""
    request, found = _request(message, take, current, policy)
    now, pairs = leaves(found.image, policy), differing(message, policy)
    registers = {path: pair for path, pair in pairs.items() if policy.of(path).kind in REGISTERS}
    open_ones = {path: pair for path, pair in registers.items() if any(same(now.get(path), side) for side in pair)}
    taken = {path: pair[0] if take is Take.OLD else pair[1] for path, pair in open_ones.items()}
    return Choice(
        replace(
            request,
            sets={path: value for path, value in taken.items() if value is not None},
            removes=tuple(path for path, value in taken.items() if value is None),
        ),
        joined=tuple(pairs.keys() - registers.keys()),
        since=tuple(registers.keys() - open_ones.keys()),
    )


def revival_of(message: PoisonMessage, current: Image | None, policy: Policy) -> Choice:
    """Return what makes the overwritten image's content stand in a new life; empty where the item lives already."""
    request, found = _request(message, Take.OLD, current, policy)
    if not found.is_absent:
        return Choice(request)
    content = leaves(message.old_image, policy)
    counters = _of_kind(content, Kind.COUNTER, policy)
    sets = _of_kind(content, Kind.SET, policy)
    return Choice(
        replace(
            request,
            sets={path: value for path, value in content.items() if path not in counters and path not in sets},
            adds={path: Decimal(value["N"]) for path, value in counters.items()},
            elements_added={path: tuple(elements_of(value)) for path, value in sets.items()},
        )
    )


def is_made(choice: Choice, current: Image | None, policy: Policy) -> bool:
    """Say whether the item has the choice already: a run died between its write and the message's deletion."""
    found = found_item(choice.request, current, policy)
    return write_id(choice.request.idempotency_key or "") in found.item.ledger.writes


def _request(message: PoisonMessage, take: Take, current: Image | None, policy: Policy) -> tuple[WriteEvent, Found]:
    """Return the request without its content: it holds for the state that was read, and for no other."""
    key = policy.key_of(canonical_image(message.key))
    request = WriteEvent(key, f"redrive/{message.id}/{take.value}")
    found = found_item(request, current, policy)
    if found.image is None:
        return replace(request, expected_version=0), found
    return replace(request, expected_token=token_of(found.item.ledger)), found


def _of_kind(content: Mapping[str, Value], kind: Kind, policy: Policy) -> dict[str, Value]:
    return {path: value for path, value in content.items() if policy.of(path).kind is kind}
