"""A conflict: what last-writer-wins dropped, what it kept, and what they became."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum
from hashlib import blake2b
from typing import Any

from reconciler.stamps import WriteId
from reconciler.wire import Image, canonical_image, digest, stable_json

MAX_NAMES = 50  # in one list of a log line or event
MAX_NAME_CHARACTERS = 128  # with MAX_NAMES, so that an event without values always fits a bus's limit
_DIGEST_BYTES = 16


class Kind(Enum):
    """How a write was overwritten."""

    OVERWRITTEN = "overwritten"  # by a write of another Region that had not seen it
    LOST_TO_DELETE = "lost_to_delete"  # by a delete that had not seen it
    HARD_DELETE = "hard_delete"  # by a REMOVE that left no tombstone
    SWEPT = "swept"  # by TTL's sweep in another Region, meant for the tombstone before
    FOREIGN = "foreign"  # by a write that bypassed the writer


class Mode(Enum):
    """Whether a ledger proves the loss, or two plain images suggest it."""

    EXACT = "exact"
    APPROXIMATE = "approximate"


@dataclass(frozen=True, slots=True)
class Conflict:
    """One overwritten image. `lost` names the attributes whose overwritten value did not survive as it was."""

    kind: Kind
    mode: Mode
    region: str
    table: str
    key: Image
    sequence_number: str
    loser: Image
    winner: Image | None
    merged: Image | None
    writes: tuple[WriteId, ...]
    """The writes that the winner had never seen."""
    overwritten: tuple[str, ...]
    """Paths whose value differs between loser and winner."""
    lost: tuple[str, ...]
    """Paths whose value in the loser is not what the merged item holds."""

    at_ms: int | None = None
    """When the stream record was made, rounded; None where it does not say."""

    @property
    def id(self) -> str:
        """The same in every Region that meets the same lost writes of the same item.

        Where no ledger names lost writes, it is that of the two images.
        """
        proof = [*self.writes] if self.writes and self.mode is Mode.EXACT else [self.loser, self.winner]
        return stable_hash(self.table, self.key, *proof)

    @property
    def event_id(self) -> str:
        """The same for a record that is delivered again; another where the same write is lost again, elsewhere."""
        return stable_hash(self.table, self.key, self.loser, self.winner)

    @property
    def key_digest(self) -> str:
        """What logs and events show of the key."""
        return digest(self.key)


def bounded(name: str, names: Sequence[str], suffix: str = "_more") -> dict[str, Any]:
    """Return the names under `name`, cut where they are many or long; how many are left out stands under its suffix."""
    shown = [_cut(each) for each in names[:MAX_NAMES]]
    more = len(names) - len(shown)
    return {name: shown, f"{name}{suffix}": more} if more else {name: shown}


def _cut(name: str) -> str:
    return name if len(name) <= MAX_NAME_CHARACTERS else f"{name[: MAX_NAME_CHARACTERS - 1]}…"


def stable_hash(*parts: str | Image | None) -> str:
    """Return 128 bits of whatever the parts say, however it is spelt."""
    text = stable_json([_stable(part) for part in parts])
    return blake2b(text.encode("utf-8", "surrogatepass"), digest_size=_DIGEST_BYTES).hexdigest()


def _stable(part: str | Image | None) -> str | Image | None:
    """Return an image's one form where it can be read, else the part as it came."""
    if part is None or isinstance(part, str):
        return part
    try:
        return canonical_image(part)
    except (AttributeError, TypeError, ValueError):
        return part
