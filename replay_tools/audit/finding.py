"""A lost write as a value: where it was made, what overwrote it, and how sure that is."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Literal

from reconciler.policy import BOOKKEEPING, EXPIRES_AT
from reconciler.wire import Image, plain_image, same

UNTOLD = BOOKKEEPING - {EXPIRES_AT}
"""What each write changes beside what it is about."""
Exactness = Literal["exact", "approximate"]


@dataclass(frozen=True, slots=True)
class LostWrite:
    """One write that last-writer-wins overwrote; `attributes` are those whose value the winner does not hold."""

    region: str
    key: Image
    sequence_number: str
    attributes: tuple[str, ...]
    exactness: Exactness
    why: str
    at_ms: int | None
    overwritten_in: str
    overwritten_by: str
    """Sequence number of the record in `overwritten_in` that shows it."""
    made_in: str | None

    def as_data(self) -> Mapping[str, Any]:
        """Return it as `--json` prints it; no value but the key's is in it."""
        return {
            "region": self.region,
            "key": plain_image(self.key),
            "sequence_number": self.sequence_number,
            "attributes": list(self.attributes),
            "exactness": self.exactness,
            "why": self.why,
            "at": iso_time(self.at_ms),
            "overwritten_by": {
                "region": self.overwritten_in,
                "sequence_number": self.overwritten_by,
                "made_in": self.made_in,
            },
        }


def iso_time(at_ms: int | None) -> str | None:
    """Return the moment in UTC, None where it is not known."""
    if at_ms is None:
        return None
    return datetime.fromtimestamp(at_ms / 1000, UTC).isoformat().replace("+00:00", "Z")


def lost_attributes(key: Image, base: Image | None, lost: Image | None, winner: Image | None) -> Iterator[str]:
    """Yield the attributes that the lost version changed and whose value the winner does not hold."""
    before, own, after = base or {}, lost or {}, winner or {}
    for name in sorted((before.keys() | own.keys()) - UNTOLD - key.keys()):
        is_changed = not same(before.get(name), own.get(name))
        if is_changed and not same(own.get(name), after.get(name)):
            yield name
