"""A conflict: what last-writer-wins dropped, what it kept, and what they became."""

from dataclasses import dataclass
from enum import Enum
from hashlib import blake2b

from reconciler.stamps import WriteId
from reconciler.wire import Image, canonical_text


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

    @property
    def id(self) -> str:
        """The same in every Region that meets the same lost writes of the same item."""
        witness = " ".join(self.writes) or canonical_text({"M": self.loser})
        content = f"{canonical_text({'M': self.key})} {witness}"
        return blake2b(content.encode("utf-8", "surrogatepass"), digest_size=16).hexdigest()
