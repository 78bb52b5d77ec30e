"""A busy table in two Regions, with ledgers: most writes replicate, every hundredth meets a write of the other Region.

us-east-1   write ......... [overwritten] winner  repair
eu-west-1        copy  write .................... copy
"""

import json
from base64 import urlsafe_b64encode
from collections.abc import Iterator
from hashlib import blake2b
from pathlib import Path
from typing import Any

A, B = "us-east-1", "eu-west-1"
CODES = {A: "01", B: "02"}
START_MS = 1_700_000_000_000
CONFLICT_EVERY = 50  # a conflict has several records: about one in a hundred is an overwritten write
WORDS = 12

Image = dict[str, Any]


class Busy:
    """Two replicas and their streams."""

    def __init__(self, items: int, spacing_ms: int) -> None:
        """Begin with nothing; a write comes every `spacing_ms`."""
        self.streams: dict[str, list[dict[str, Any]]] = {A: [], B: []}
        self._replicas: dict[str, dict[str, Image]] = {A: {}, B: {}}
        self._items = items
        self._spacing_ms = spacing_ms
        self._steps = self._writes = 0

    def play(self, records: int) -> None:
        """Write until both streams together hold so many records."""
        while sum(map(len, self.streams.values())) < records:
            self._step()

    def _step(self) -> None:
        self._steps += 1
        key = f"customer-{self._steps * 7919 % self._items:05d}"
        here, there = (A, B) if self._steps % 3 else (B, A)
        at_ms = START_MS + self._steps * self._spacing_ms
        if self._steps % CONFLICT_EVERY == 0 and key in self._replicas[A]:
            self._conflict(key, here, there, at_ms)
        else:
            self._put(here, self._next(key, here, at_ms), at_ms)
            self._put(there, self._replicas[here][key], at_ms + 700)

    def _conflict(self, key: str, here: str, there: str, at_ms: int) -> None:
        lost = self._next(key, here, at_ms)
        winner = self._next(key, there, at_ms + 5)
        self._put(here, lost, at_ms)
        self._put(there, winner, at_ms + 5)
        self._put(here, winner, at_ms + 800)
        repaired = _with_writes(winner, _writes(winner) | _writes(lost))
        self._put(here, repaired, at_ms + 1_300)
        self._put(there, repaired, at_ms + 2_000)

    def _next(self, key: str, region: str, at_ms: int) -> Image:
        """Return what a write in a Region makes of the item there."""
        self._writes += 1
        old = self._replicas[region].get(key, {})
        identity = urlsafe_b64encode(blake2b(str(self._writes).encode(), digest_size=12).digest()).decode()
        tail = int.from_bytes(blake2b(str(self._writes).encode(), digest_size=12).digest(), "big") % 10**6
        stamp = f"{at_ms}0000{CODES[region]}{tail:06d}"
        attribute = f"Field{self._writes % WORDS:02d}"
        image = {
            **{f"Field{word:02d}": {"S": "lorem ipsum dolor " * 3} for word in range(WORDS)},
            **old,
            "Id": {"S": key},
            attribute: {"S": f"value {self._writes} " * 4},
            "IdempotencyKey": {"S": str(self._writes)},
            "LastUpdatedRegion": {"S": region},
            "Timestamp": {"N": str(at_ms)},
        }
        return _with_writes(image, _writes(old) | {identity: {"NS": [stamp]}}, stamp)

    def _put(self, region: str, image: Image, at_ms: int) -> None:
        key = image["Id"]["S"]
        old = self._replicas[region].get(key)
        self._replicas[region][key] = image
        stream = self.streams[region]
        body = {
            "ApproximateCreationDateTime": at_ms // 1000,
            "Keys": {"Id": image["Id"]},
            "NewImage": image,
            "SequenceNumber": f"{len(stream) + 1:021d}",
            "StreamViewType": "NEW_AND_OLD_IMAGES",
            **({"OldImage": old} if old else {}),
        }
        stream.append(
            {
                "eventName": "MODIFY" if old else "INSERT",
                "eventSource": "aws:dynamodb",
                "awsRegion": region,
                "dynamodb": body,
            }
        )


def _writes(image: Image) -> dict[str, Any]:
    writes: dict[str, Any] = image["Causality"]["M"]["Writes"]["M"] if image else {}
    return writes


def _with_writes(image: Image, writes: dict[str, Any], stamp: str = "") -> Image:
    newest = stamp or image["Causality"]["M"]["Stamp"]["N"]
    ledger = {"Stamp": {"N": newest}, "Writes": {"M": writes}}
    return {**image, "Causality": {"M": ledger}, "Version": {"N": str(len(writes))}}


def write_busy(folder: Path, records: int, *, items: int = 50, spacing_ms: int = 40) -> Iterator[str]:
    """Write both Regions' recordings; yield them as the command takes them."""
    busy = Busy(items, spacing_ms)
    busy.play(records)
    for region, stream in busy.streams.items():
        path = folder / f"{region}.ndjson"
        path.write_text("".join(json.dumps(raw) + "\n" for raw in sorted(stream, key=_time)))
        yield f"{region}={path}"


def _time(raw: dict[str, Any]) -> int:
    at: int = raw["dynamodb"]["ApproximateCreationDateTime"]
    return at
