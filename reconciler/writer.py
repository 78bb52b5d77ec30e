"""The writer: a request becomes one conditional write, idempotent in every Region.

    read -> duplicate? deleted? version conflict? -> apply (join the request's delta) -> fold -> conditional write
                  ^                                                                        |
                  +---------------- current item, where the condition failed --------------+

The ledger is the idempotency record: it is written with the data, replicates with it, and merges with it.
"""

from base64 import urlsafe_b64encode
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from hashlib import blake2b
from typing import Any

from reconciler.apply import Execution, apply, changes_nothing, fold_when_due
from reconciler.change import Change, change_between
from reconciler.codec import decode, encode
from reconciler.errors import CausalityFullError, ContentionError, ItemError, RequestError
from reconciler.item import Item
from reconciler.ledger import Ledger
from reconciler.plain import adopt, is_plain, read_plain
from reconciler.policy import CAUSALITY, IDEMPOTENCY_KEY, TIMESTAMP, VERSION, Policy, Recreate
from reconciler.ports import Clock, Meter, Pause, Table, Written
from reconciler.requests import WriteEvent, parse_request, parse_shared
from reconciler.size import value_bytes
from reconciler.stamps import ID_BYTES, client_stamp, ms_of, next_stamp, write_id
from reconciler.wire import Image, canonical_text, plain_image

Result = dict[str, Any]
Request = Mapping[str, Any] | WriteEvent
MAX_TRANSACTION_ITEMS = 100


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
    """What one attempt would write, or why it writes nothing."""

    found: Found
    status: str
    item: Item
    change: Change | None = None
    execution: Execution | None = None

    def is_in(self, current: Item) -> bool:
        """Say whether this very attempt was executed after all, though its answer did not arrive."""
        return self.execution is not None and self.execution.stamp in current.ledger.writes.get(
            self.execution.id, frozenset()
        )


class Writer:
    """Executes requests on one Region's replica."""

    def __init__(  # noqa: PLR0913 - a composition root names each
        self,
        table: Table,
        region: str,
        policy: Policy,
        *,
        clock: Clock,
        new_key: Callable[[], str],
        pause: Pause,
        meter: Meter,
        attempts: int = 10,
    ) -> None:
        """Write to `table`, the replica in `region`; `new_key` makes a key for a request without one."""
        self._table = table
        self._region = region
        self._region_code = policy.region_code(region)
        self._policy = policy
        self._clock = clock
        self._new_key = new_key
        self._pause = pause
        self._meter = meter
        self._attempts = attempts

    def process_event(self, event: Request) -> Result:
        """Execute one request, at most once for its key.

        Returns ``{"status", "version", "token", "item", "idempotency_key"}``; status is applied, duplicate, superseded,
        version_conflict or deleted. Raises RequestError naming the field (nothing was changed), ItemError where the
        stored item does not fit the policy, TransientError where a retry with the same key may succeed.
        """
        request = self._accepted(parse_request(event, self._policy))
        found, previous = self._read(request), None
        for number in range(1, self._attempts + 1):
            attempt = self._attempt(request, found, previous)
            if attempt.change is None:
                return _result(attempt, request)
            outcome = self._table.write(attempt.change)
            if isinstance(outcome, Written):
                return _result(attempt, request)
            found, previous = self._found(request, outcome.current), attempt
            self._pause(number)
        raise ContentionError(f"lost {self._attempts} races for one item; retry with the same key")

    def process_transaction(
        self, events: Sequence[Request], idempotency_key: str | None = None, timestamp: int | None = None
    ) -> Result:
        """Execute requests on several items of this Region, all or none, at most once for the key.

        Returns ``{"status", "idempotency_key", "results": [as process_event, in order]}``.
        """
        requests = self._transaction(events, idempotency_key, timestamp)
        founds, previous = [self._read(request) for request in requests], None
        for number in range(1, self._attempts + 1):
            attempts = self._attempt_all(requests, founds, previous)
            changes = [attempt.change for attempt in attempts if attempt.change]
            if len(changes) < len(attempts):
                return _results(attempts, requests)
            outcome = self._table.transact(changes, _token_of(attempts[0], number))
            if isinstance(outcome, Written):
                return _results(attempts, requests)
            for position, current in outcome.currents.items():
                founds[position] = self._found(requests[position], current)
            previous = attempts
            self._pause(number)
        raise ContentionError(f"lost {self._attempts} races for a transaction's items; retry with the same key")

    def _transaction(
        self, events: Sequence[Request], idempotency_key: str | None, timestamp: int | None
    ) -> list[WriteEvent]:
        """Return the requests with the transaction's key and time; an event with its own, or an item twice, is an error."""
        if not isinstance(events, Sequence) or isinstance(events, str | bytes):
            raise RequestError("Events", f"is {type(events).__name__}; a list of requests was expected")
        if not 1 <= len(events) <= MAX_TRANSACTION_ITEMS:
            raise RequestError("Events", f"has {len(events)} requests; 1 to {MAX_TRANSACTION_ITEMS} were expected")
        shared = self._accepted(parse_shared(idempotency_key, timestamp))
        requests, keys = [], set()
        for position, event in enumerate(events):
            request = self._event_of_transaction(position, event)
            key = canonical_text({"M": request.key})
            if key in keys:
                raise RequestError(f"Events[{position}]", "names an item that another event names")
            keys.add(key)
            requests.append(
                replace(request, idempotency_key=shared.idempotency_key, timestamp_ms=shared.timestamp_ms)
            )
        return requests

    def _event_of_transaction(self, position: int, event: Request) -> WriteEvent:
        try:
            request = parse_request(event, self._policy)
        except RequestError as error:
            raise RequestError(f"Events[{position}].{error.field}", error.problem) from None
        for name, own in ((IDEMPOTENCY_KEY, request.idempotency_key), (TIMESTAMP, request.timestamp_ms)):
            if own is not None:
                raise RequestError(f"Events[{position}].{name}", "belongs to the transaction")
        return request

    def _accepted(self, request: WriteEvent) -> WriteEvent:
        """Return the request with a key, once its time is found not to lie ahead of this Region's clock."""
        ahead = (request.timestamp_ms or 0) - self._clock()
        if ahead > self._policy.max_clock_skew_ms:
            limit = self._policy.max_clock_skew_ms
            raise RequestError(TIMESTAMP, f"is {ahead} ms ahead of this Region's clock; at most {limit} are accepted")
        return request if request.idempotency_key else replace(request, idempotency_key=self._new_key())

    def _read(self, request: WriteEvent) -> Found:
        return self._found(request, self._table.read(request.key))

    def _found(self, request: WriteEvent, image: Image | None) -> Found:
        if image is None:
            return Found(None, Item(request.key))
        item = adopt(read_plain(image), self._policy) if is_plain(image) else decode(image, self._policy)
        ahead = ms_of(item.newest_stamp) - self._clock()
        if ahead > self._policy.max_clock_skew_ms:
            self._meter.add("skewed_items")
            self._meter.add("skew_ms", ahead)
        return Found(image, item)

    def _attempt(self, request: WriteEvent, found: Found, previous: Attempt | None) -> Attempt:
        """Return what to write, or why nothing is to be written."""
        if previous and previous.is_in(found.item):
            return Attempt(found, previous.status, found.item)
        refusal = self._refusal(request, found)
        if refusal:
            return Attempt(found, refusal, found.item)
        return self._prepared(request, found, self._execution(request, [found]))

    def _attempt_all(
        self, requests: Sequence[WriteEvent], founds: Sequence[Found], previous: Sequence[Attempt] | None
    ) -> list[Attempt]:
        """Return what to write to each item; with any refusal, nothing is to be written to any."""
        if previous and any(attempt.is_in(found.item) for attempt, found in zip(previous, founds, strict=True)):
            return [Attempt(found, attempt.status, found.item) for attempt, found in zip(previous, founds, strict=True)]
        refusals = [self._refusal(request, found) for request, found in zip(requests, founds, strict=True)]
        for status in ("duplicate", "deleted", "version_conflict"):
            if status in refusals:
                return [
                    Attempt(found, status if refusal == status else "not_applied", found.item)
                    for found, refusal in zip(founds, refusals, strict=True)
                ]
        execution = self._execution(requests[0], founds)
        return [self._prepared(request, found, execution) for request, found in zip(requests, founds, strict=True)]

    def _refusal(self, request: WriteEvent, found: Found) -> str | None:
        """Test, in this order: duplicate, deleted, version conflict."""
        item = found.item
        if _has(item, request.idempotency_key or ""):
            return "duplicate"
        if item.ledger.is_tombstone and self._policy.recreate is Recreate.REFUSE:
            return "deleted"
        return None if _expectations_hold(request, found) else "version_conflict"

    def _execution(self, request: WriteEvent, founds: Sequence[Found]) -> Execution:
        key = request.idempotency_key or ""
        identity = write_id(key)
        newest = max(found.item.newest_stamp for found in founds)
        stamp = next_stamp(self._clock(), newest, self._region_code, identity)
        value_stamp = stamp if request.timestamp_ms is None else client_stamp(request.timestamp_ms, identity)
        return Execution(identity, stamp, value_stamp, key, self._region)

    def _prepared(self, request: WriteEvent, found: Found, execution: Execution) -> Attempt:
        executed = apply(found.item, request, execution, self._policy)
        status = "superseded" if not request.deletes and changes_nothing(found.item, executed) else "applied"
        item = fold_when_due(executed, self._clock(), self._policy)
        image = encode_for(item, self._policy)
        change = change_between(request.key, found.image, image, _witnesses(found.image))
        return Attempt(found, status, item, change, execution)


def encode_for(item: Item, policy: Policy) -> Image:
    """Return the image to write; what DynamoDB could not hold is the request's fault, a full ledger is the moment's."""
    try:
        image = encode(item, policy)
    except ItemError as error:
        raise RequestError(error.attribute, error.problem) from None
    size = value_bytes(image[CAUSALITY])
    if size > policy.max_causality_bytes:
        raise CausalityFullError(
            f"Causality would have {size} bytes, more than max_causality_bytes {policy.max_causality_bytes}: "
            "too many writes of one item within min_window; slow down and retry"
        )
    return image


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
    writes = sorted((identity, sorted(stamps)) for identity, stamps in ledger.writes.items())
    content = repr((int(ledger.life), ledger.folded, writes))
    return urlsafe_b64encode(blake2b(content.encode(), digest_size=ID_BYTES).digest()).decode()


def _token_of(attempt: Attempt, number: int) -> str:
    """Return the request token of a transaction's attempt: the same only for the same content."""
    stamp = attempt.execution.stamp if attempt.execution else 0
    return blake2b(f"{attempt.execution and attempt.execution.id} {stamp} {number}".encode(), digest_size=16).hexdigest()


def _result(attempt: Attempt, request: WriteEvent) -> Result:
    image = attempt.change.item if attempt.change else attempt.found.image
    ledger = attempt.item.ledger
    return {
        "status": attempt.status,
        "version": ledger.version,
        "token": None if image is None else token_of(ledger),
        "item": None if image is None else plain_image(image),
        "idempotency_key": request.idempotency_key,
    }


def _results(attempts: Sequence[Attempt], requests: Sequence[WriteEvent]) -> Result:
    statuses = {attempt.status for attempt in attempts}
    decisive = ("duplicate", "deleted", "version_conflict", "applied", "superseded")
    return {
        "status": next(status for status in decisive if status in statuses),
        "idempotency_key": requests[0].idempotency_key,
        "results": [_result(attempt, request) for attempt, request in zip(attempts, requests, strict=True)],
    }
