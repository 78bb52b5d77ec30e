"""Attempts: what executing a request on an item, as it was found, would write; or why it writes nothing.

    found -> duplicate? deleted? version conflict? -> apply (join the request's delta) -> fold -> change

All of it is computed: nothing is read or written here.
"""

import json
from base64 import urlsafe_b64encode
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from hashlib import blake2b

from reconciler.apply import Execution, apply, changes_nothing, fold_when_due
from reconciler.causality import most_bytes
from reconciler.change import Change, change_between
from reconciler.codec import decode, encode
from reconciler.errors import CausalityFullError, ItemError, RequestError, TooLargeError
from reconciler.item import Item
from reconciler.ledger import Ledger
from reconciler.plain import adopt, is_plain, read_plain
from reconciler.policy import CAUSALITY, IDEMPOTENCY_KEY, TIMESTAMP, VERSION, Policy, Recreate
from reconciler.requests import WriteEvent
from reconciler.size import value_bytes
from reconciler.stamps import ID_BYTES, write_id
from reconciler.wire import Image

_LIMIT = "max_causality_bytes"
REFUSALS = ("duplicate", "deleted", "version_conflict")


@dataclass(frozen=True, slots=True)
class Found:
    """An item as it was found: its image (None: absent) and its state (empty: absent)."""

    image: Image | None
    item: Item

    @property
    def is_absent(self) -> bool:
        """Whether a reader would say that there is no such item."""
        return self.image is None or self.item.ledger.is_tombstone


@dataclass(frozen=True, slots=True)
class Attempt:
    """What one attempt would write, or (without a change) why it writes nothing."""

    found: Found
    status: str
    item: Item
    change: Change | None = None
    execution: Execution | None = None

    def is_in(self, current: Item) -> bool:
        """Say whether this very attempt was executed after all, though its answer did not arrive."""
        execution = self.execution
        return execution is not None and execution.stamp in current.ledger.writes.get(execution.id, frozenset())


def found_item(request: WriteEvent, image: Image | None, policy: Policy) -> Found:
    """Return the request's item as it was found; a plain one is adopted."""
    if image is None:
        return Found(None, Item(request.key))
    return Found(image, adopt(read_plain(image), policy) if is_plain(image) else decode(image, policy))


def refusal(request: WriteEvent, found: Found, policy: Policy) -> str | None:
    """Test, in this order: duplicate, deleted, version conflict."""
    if _has(found.item, request.idempotency_key or ""):
        return "duplicate"
    if found.item.ledger.is_tombstone and policy.recreate is Recreate.REFUSE:
        return "deleted"
    return None if _expectations_hold(request, found) else "version_conflict"


def refused(founds: Sequence[Found], refusals: Sequence[str | None]) -> list[Attempt]:
    """Return the attempts of a transaction of which one refusal, the first in order, is enough."""
    status = next(status for status in REFUSALS if status in refusals)
    return [
        Attempt(found, status if refusal == status else "not_applied", found.item)
        for found, refusal in zip(founds, refusals, strict=True)
    ]


def prepared(request: WriteEvent, found: Found, execution: Execution, policy: Policy, now_ms: int) -> Attempt:
    """Return what to write. RequestError where the outcome could not be held, CausalityFullError where not now."""
    try:
        executed = apply(found.item, request, execution, policy)
        item = fold_when_due(executed, now_ms, policy)
        image = encode(item, policy)
    except ItemError as error:
        raise RequestError(error.attribute, error.problem) from None
    _refuse_full(found.image, item, image, policy)
    status = "superseded" if not request.deletes and changes_nothing(found.item, executed) else "applied"
    change = change_between(request.key, found.image, image, _witnesses(found.image))
    return Attempt(found, status, item, change, execution)


def _refuse_full(before: Image | None, item: Item, image: Image, policy: Policy) -> None:
    """Refuse bookkeeping that passes its limit; what makes it smaller is never refused."""
    limit = policy.max_causality_bytes
    if most_bytes(item) <= limit:
        return
    size = value_bytes(image[CAUSALITY])
    if before is not None and size <= value_bytes(before.get(CAUSALITY, {})):
        return
    lasting = size - sum(value_bytes(image[CAUSALITY]["M"].get(name, {})) for name in ("Writes", "Deltas"))
    if lasting > limit:
        raise TooLargeError(
            CAUSALITY, f"would keep {lasting} bytes of set elements and removed attributes; {_LIMIT} is {limit}"
        )
    if size > limit:
        raise CausalityFullError(
            f"Causality would have {size} bytes, more than {_LIMIT} {limit}: "
            "too many writes of one item within min_window; slow down and retry"
        )


def _witnesses(image: Image | None) -> tuple[str, ...]:
    """Name what must not have changed since the item was read."""
    if image is None or not is_plain(image):
        return (CAUSALITY,)
    return (CAUSALITY, VERSION, TIMESTAMP, IDEMPOTENCY_KEY)


def _has(item: Item, idempotency_key: str) -> bool:
    """Say whether the item includes the key's write: named in the ledger, or folded and still the newest."""
    return write_id(idempotency_key) in item.ledger.writes or item.newest.idempotency_key == idempotency_key


def _expectations_hold(request: WriteEvent, found: Found) -> bool:
    version, token = request.expected_version, request.expected_token
    if token is not None and (found.image is None or token != token_of(found.item.ledger)):
        return False
    if version is None or (version == 0 and found.is_absent):
        return True
    return found.image is not None and version > 0 and version == found.item.ledger.version


def token_of(ledger: Ledger) -> str:
    """Return the token of an exact state: a hash of life, horizon, folded and writes."""
    writes = [(identity, *sorted(ledger.writes[identity])) for identity in sorted(ledger.writes)]
    content = repr((int(ledger.life), ledger.folded, writes))
    return urlsafe_b64encode(blake2b(content.encode(), digest_size=ID_BYTES).digest()).decode()


def transaction_token(changes: Iterable[Change]) -> str:
    """Return a token that only a call with the very same changes has: a repeated call is recognised, no other is."""
    content = [[change.key, change.expects, change.sets, change.removes, change.creates] for change in changes]
    text = json.dumps(content, sort_keys=True)
    return blake2b(text.encode(), digest_size=16).hexdigest()
