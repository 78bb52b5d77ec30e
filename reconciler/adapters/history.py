"""The conflict history: a table per Region with both sides of every conflict and what became of them, for 30 days.

    ItemKey (partition key, S)   the item's key as canonical JSON, or its digest where that is too long for a key
    Entry (sort key, S)          time of the loss # event id: in order, and once for a record that is delivered again
    ConflictId (S)               the same in every Region; logs and events name it: fit for an index
    Loser, Winner, Merged        the three images as DynamoDB JSON; left out where there is none
    ExpiresAt (N)                seconds: the table's time to live

Large images are compressed (``Encoding: "zlib"``).
Where all three pass DynamoDB's 400 KB even so, the merged one, which the item's own table has, is left to its digest
first, then the winner, then the loser, and ``Omitted`` names them.
"""

import zlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from reconciler.conflict import Conflict, bounded, stable_hash
from reconciler.conflict_event import iso_time
from reconciler.policy import DAY
from reconciler.wire import canonical_image, stable_json

MAX_ENTRIES = 25  # https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_BatchWriteItem.html
MAX_KEY_BYTES = 2048
COMPRESS_ABOVE = 16 << 10
MAX_IMAGES_BYTES = 380 << 10  # an item holds 400 KB; the rest is for names and ids
TTL_MS = 30 * DAY
LEVEL, ENCODING = 6, "zlib"
LEFT_OUT_FIRST = ("Merged", "Winner", "Loser")

Entry = Mapping[str, Any]
BatchWriteItem = Callable[..., Mapping[str, Any]]
"""``batch_write_item`` of a boto3 client."""


class HistoryTable:
    """A sink that puts conflicts into one table, by 25."""

    name = "history"

    def __init__(self, batch_write_item: BatchWriteItem, table: str) -> None:
        """Put into `table`, by a low-level client's call."""
        self._batch_write_item = batch_write_item
        self._table = table

    def entry_of(self, conflict: Conflict, *, repaired: bool, now_ms: int) -> Entry:
        """Return the conflict as an item that DynamoDB holds."""
        names: dict[str, Sequence[str] | int] = {
            **bounded("LostWrites", conflict.writes, "More"),
            **bounded("Overwritten", conflict.overwritten, "More"),
            **bounded("Lost", conflict.lost, "More"),
        }
        return {
            "ItemKey": {"S": _item_key(conflict)},
            "Entry": {"S": f"{iso_time(conflict.at_ms) or ''}#{conflict.event_id}"},
            "ConflictId": {"S": conflict.id},
            "EventId": {"S": conflict.event_id},
            "KeyDigest": {"S": conflict.key_digest},
            "Table": {"S": conflict.table},
            "Region": {"S": conflict.region},
            "SequenceNumber": {"S": conflict.sequence_number},
            "Kind": {"S": conflict.kind.value},
            "Mode": {"S": conflict.mode.value},
            "Repaired": {"BOOL": repaired},
            "RecordedAt": {"N": str(now_ms)},
            "ExpiresAt": {"N": str((now_ms + TTL_MS) // 1000)},
            **{name: _listed(listed) for name, listed in names.items()},
            **_images(conflict),
        }

    def batches(self, entries: Sequence[Entry]) -> Iterable[list[Entry]]:
        """Yield the items by 25."""
        for start in range(0, len(entries), MAX_ENTRIES):
            yield list(entries[start : start + MAX_ENTRIES])

    def send(self, batch: list[Entry]) -> list[Entry]:
        """Put one batch; return the items that DynamoDB left unprocessed."""
        answer = self._batch_write_item(
            RequestItems={self._table: [{"PutRequest": {"Item": entry}} for entry in batch]}
        )
        return [request["PutRequest"]["Item"] for request in answer["UnprocessedItems"].get(self._table, [])]


def _item_key(conflict: Conflict) -> str:
    text = stable_json(canonical_image(conflict.key))
    return text if len(text.encode()) <= MAX_KEY_BYTES else conflict.key_digest


def _listed(names: Sequence[str] | int) -> Mapping[str, Any]:
    return {"N": str(names)} if isinstance(names, int) else {"L": [{"S": name} for name in names]}


def _images(conflict: Conflict) -> Mapping[str, Any]:
    """Return what an item holds of the images: text, compressed text, or the digests of those that are left out."""
    all_three = {"Loser": conflict.loser, "Winner": conflict.winner, "Merged": conflict.merged}
    images = {name: image for name, image in all_three.items() if image is not None}
    texts = {name: stable_json(image) for name, image in images.items()}
    if sum(map(len, texts.values())) <= COMPRESS_ABOVE:
        return {name: {"S": text} for name, text in texts.items()}
    packed = {name: zlib.compress(text.encode(), LEVEL) for name, text in texts.items()}
    omitted = _omitted({name: len(content) for name, content in packed.items()})
    return {
        "Encoding": {"S": ENCODING},
        **{name: {"B": content} for name, content in packed.items() if name not in omitted},
        **({"Omitted": _listed(omitted)} if omitted else {}),
        **{f"{name}Digest": {"S": stable_hash(images[name])} for name in omitted},
    }


def _omitted(sizes: Mapping[str, int]) -> list[str]:
    """Name the images that have to be left out, so that the others fit."""
    omitted: list[str] = []
    total = sum(sizes.values())
    for name in LEFT_OUT_FIRST:
        if total > MAX_IMAGES_BYTES and name in sizes:
            omitted.append(name)
            total -= sizes[name]
    return omitted
