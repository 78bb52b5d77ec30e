"""Poison messages: what cannot be settled now, with everything needed to settle it later.

The images are always the record's own, and always whole. Small messages travel as one readable body; in a large one the
images are compressed, each by itself; where that is still too large for the queue, each travels in a body of its own:

    part 1/2   schema id reason ...   old_image
    part 2/2   schema id reason ...   new_image

(A compressed image that is too large alone, which none that DynamoDB holds is, is cut over several parts.)
The id is a hash of key, reason and both whole images, so that a record that is delivered again is recognised.
"""

import json
import zlib
from base64 import b64decode, b64encode
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from typing import Any

from reconciler.conflict import Mode
from reconciler.decisions import Trouble
from reconciler.policy import CAUSALITY
from reconciler.wire import Image, canonical_image

SCHEMA = "global-table-reconciler/poison/1"
MAX_BYTES = (
    1 << 20
)  # SQS: https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/quotas-messages.html
MARGIN_BYTES = 4 << 10  # for the attributes that a queue counts with the body
COMPRESS_ABOVE = 64 << 10
ENCODING = "zlib+base64"
LEVEL = 6
HEAD = ("reason", "detail", "region", "table", "key", "sequence_number")
CONTENT = ("old_image", "new_image", "record")


@dataclass(frozen=True, slots=True)
class PoisonMessage:
    """One stream record that a person, or a later policy, has to settle."""

    reason: str
    detail: str
    region: str
    table: str
    key: Image
    sequence_number: str
    old_image: Image | None
    new_image: Image | None
    record: Mapping[str, Any] | None = None
    """The whole record, only where its images cannot be read."""
    at_ms: int | None = None
    """When the stream record was made, rounded; None where it does not say."""

    @property
    def id(self) -> str:
        """The same for the same key, reason and images."""
        images = [_stable(image) for image in (self.key, self.old_image, self.new_image)]
        content = _json([self.reason, *images, self.record], ensure_ascii=False)
        return blake2b(content.encode("utf-8", "surrogatepass"), digest_size=16).hexdigest()

    @property
    def mode(self) -> Mode:
        """Whether ledgers stand behind it: a foreign write has none, whatever `Causality` it left standing."""
        images = [image for image in (self.old_image, self.new_image) if image is not None]
        has_ledgers = bool(images) and all(CAUSALITY in image for image in images)
        return Mode.EXACT if has_ledgers and self.reason != Trouble.FOREIGN.value else Mode.APPROXIMATE


def bodies(message: PoisonMessage, max_bytes: int = MAX_BYTES) -> list[str]:
    """Return the message as JSON bodies in ASCII, each within `max_bytes` less a margin; nothing is ever cut short."""
    head = {
        "schema": SCHEMA,
        "id": message.id,
        "part": "1/1",
        "mode": message.mode.value,
        **{name: getattr(message, name) for name in HEAD},
        **({} if message.at_ms is None else {"at_ms": message.at_ms}),
    }
    content = {name: value for name in CONTENT if (value := getattr(message, name)) is not None}
    body, limit = _json({**head, **content}), max_bytes - MARGIN_BYTES
    return [body] if len(body) <= min(COMPRESS_ABOVE, limit) else _compressed(head, content, limit)


def parse(parts: Sequence[str]) -> PoisonMessage:
    """Return the message of these bodies, in any order, even repeated; ValueError names the field that is wrong."""
    documents = _in_order([_document(part) for part in parts])
    content = {name: _joined(name, documents) for name in CONTENT}
    head = documents[0]
    try:
        message = PoisonMessage(**{name: head[name] for name in HEAD}, **content, at_ms=_milliseconds(head))
    except KeyError as error:
        raise ValueError(f"{error.args[0]}: is missing") from None
    if message.id != head.get("id"):
        raise ValueError("id: is not that of the content")
    return message


def _json(value: Any, *, ensure_ascii: bool = True) -> str:  # noqa: ANN401 - whatever the record held
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=ensure_ascii)


def _stable(image: Image | None) -> Image | None:
    """Return the image's one form where it can be read, else the image as it came."""
    try:
        return image and canonical_image(image)
    except (AttributeError, TypeError, ValueError):
        return image


def _compressed(head: Mapping[str, Any], content: Mapping[str, Any], limit: int) -> list[str]:
    encoded_head = {**head, "encoding": ENCODING}
    encoded = {name: _encode(value) for name, value in content.items()}
    whole = _json({**encoded_head, **encoded})
    if len(whole) <= limit or not encoded:  # a head that is too large by itself is the queue's to refuse
        return [whole]
    room = max(limit - len(_json(encoded_head)) - len(_json(dict.fromkeys(CONTENT, ""))), MARGIN_BYTES)
    pieces = [(name, piece) for name, text in encoded.items() for piece in _cut(text, room)]
    return [
        _json({**encoded_head, "part": f"{number}/{len(pieces)}", name: piece})
        for number, (name, piece) in enumerate(pieces, 1)
    ]


def _cut(text: str, size: int) -> Iterator[str]:
    for start in range(0, len(text), size):
        yield text[start : start + size]


def _encode(value: Any) -> str:  # noqa: ANN401 - whatever the record held
    content = _json(value, ensure_ascii=False).encode("utf-8", "surrogatepass")
    return b64encode(zlib.compress(content, LEVEL)).decode()


def _decode(name: str, pieces: Sequence[str]) -> Any:  # noqa: ANN401 - whatever the record held
    try:
        content = zlib.decompress(b64decode("".join(pieces), validate=True))
        return json.loads(content.decode("utf-8", "surrogatepass"))
    except (TypeError, ValueError, zlib.error):
        raise ValueError(f"{name}: its compression is damaged") from None


def _document(part: str) -> dict[str, Any]:
    try:
        document = json.loads(part)
    except ValueError:
        raise ValueError("body: is not JSON") from None
    if not isinstance(document, dict):
        raise ValueError("body: is not a JSON object")  # noqa: TRY004 - one error type for whatever is wrong
    if document.get("schema") != SCHEMA:
        raise ValueError(f"schema: is {document.get('schema')!r}; {SCHEMA!r} was expected")
    if document.get("encoding", ENCODING) != ENCODING:
        raise ValueError(f"encoding: is {document['encoding']!r}; {ENCODING!r} was expected")
    return document


def _in_order(documents: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return one message's parts in their order; ValueError where one is missing or another message's."""
    if len({document.get("id") for document in documents}) != 1:
        raise ValueError("id: all parts of exactly one message were expected")
    by_part = {str(document.get("part")): document for document in documents}
    expected = [f"{number}/{len(by_part)}" for number in range(1, len(by_part) + 1)]
    if by_part.keys() != set(expected):
        raise ValueError(f"part: {sorted(by_part)} came; every part of one message was expected")
    return [by_part[part] for part in expected]


def _milliseconds(head: Mapping[str, Any]) -> int | None:
    time = head.get("at_ms")
    if time is not None and type(time) is not int:
        raise ValueError("at_ms: is no whole number of milliseconds")
    return time


def _joined(name: str, documents: Sequence[Mapping[str, Any]]) -> Any:  # noqa: ANN401 - whatever the record held
    pieces = [document[name] for document in documents if name in document]
    if not pieces:
        return None
    return _decode(name, pieces) if "encoding" in documents[0] else pieces[0]
