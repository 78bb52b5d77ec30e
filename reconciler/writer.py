"""The writer: a request becomes one conditional write, idempotent in every Region.

    read -> attempt: refused, or a change -> conditional write
               ^                                  |
               +---- current item, where the condition failed

The ledger is the idempotency record: it is written with the data, replicates with it, and merges with it.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

from reconciler.apply import Execution
from reconciler.attempt import Attempt, Found, found_item, prepared, refusal, refused, token_of, transaction_token
from reconciler.errors import ContentionError, KeySchemaError, RequestError, TransientError
from reconciler.policy import TIMESTAMP, Policy, type_letter
from reconciler.ports import Clock, Meter, Pause, Table, Written
from reconciler.requests import WriteEvent, parse_request, parse_shared, parse_within
from reconciler.stamps import client_stamp, ms_of, next_stamp, write_id
from reconciler.wire import Image, canonical_text, plain_image

Result = dict[str, Any]
Request = Mapping[str, Any] | WriteEvent
# https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_TransactWriteItems.html
MAX_TRANSACTION_ITEMS = 100


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
        stored item does not fit the policy or the new one would be too large, TransientError where a retry with the
        same key may succeed: its `idempotency_key`, which may have been made here.
        """
        request = self._accepted(parse_request(event, self._policy))
        with _explained(request):
            return self._execute(request)

    def _execute(self, request: WriteEvent) -> Result:
        found, previous = self._read(request), None
        for number in range(1, self._attempts + 1):
            attempt = self._attempt(request, found, previous)
            if attempt.change is None:
                return _result(attempt, request)
            outcome = self._table.write(attempt.change)
            if isinstance(outcome, Written):
                return _result(attempt, request)
            found, previous = self._found(request, outcome.current), attempt
            self._pause_after(number)
        raise ContentionError(f"lost {self._attempts} races for one item; retry with the same key")

    def process_transaction(
        self, events: Sequence[Request], idempotency_key: str | None = None, timestamp: int | None = None
    ) -> Result:
        """Execute requests on several items of this Region, all or none, at most once for the key.

        Returns ``{"status", "idempotency_key", "results": [as process_event, in order]}``; where one item refuses,
        the others' status is not_applied.
        """
        requests = self._transaction(events, idempotency_key, timestamp)
        with _explained(requests[0]):
            return self._execute_all(requests)

    def _execute_all(self, requests: Sequence[WriteEvent]) -> Result:
        founds, previous = [self._read(request) for request in requests], None
        for number in range(1, self._attempts + 1):
            attempts = self._attempt_all(requests, founds, previous)
            changes = [attempt.change for attempt in attempts if attempt.change]
            if not changes:
                return _results(attempts, requests)
            outcome = self._table.transact(changes, transaction_token(changes))
            if isinstance(outcome, Written):
                return _results(attempts, requests)
            for position, current in outcome.currents.items():
                founds[position] = self._found(requests[position], current)
            previous = attempts
            self._pause_after(number)
        raise ContentionError(f"lost {self._attempts} races for a transaction's items; retry with the same key")

    def _transaction(self, events: object, idempotency_key: object, timestamp: object) -> list[WriteEvent]:
        """Return the requests, with the transaction's key and time; none may have its own, and no two one item."""
        if not isinstance(events, list | tuple):
            raise RequestError("Events", f"is {type(events).__name__}; a list of requests was expected")
        if not 1 <= len(events) <= MAX_TRANSACTION_ITEMS:
            raise RequestError("Events", f"has {len(events)} requests; 1 to {MAX_TRANSACTION_ITEMS} were expected")
        shared = self._accepted(parse_shared(idempotency_key, timestamp))
        requests = [
            parse_within(f"Events[{position}]", event, self._policy, "transaction")
            for position, event in enumerate(events)
        ]
        _refuse_item_twice(requests)
        return [
            replace(request, idempotency_key=shared.idempotency_key, timestamp_ms=shared.timestamp_ms)
            for request in requests
        ]

    def _accepted(self, request: WriteEvent) -> WriteEvent:
        """Return the request with a key, once its time is found not to lie ahead of this Region's clock."""
        ahead, limit = (request.timestamp_ms or 0) - self._clock(), self._policy.max_clock_skew_ms
        if ahead > limit:
            raise RequestError(TIMESTAMP, f"is {ahead} ms ahead of this Region's clock; at most {limit} are accepted")
        return request if request.idempotency_key else replace(request, idempotency_key=self._new_key())

    def _read(self, request: WriteEvent) -> Found:
        return self._found(request, self._table.read(request.key))

    def _found(self, request: WriteEvent, image: Image | None) -> Found:
        result = found_item(request, image, self._policy)
        ahead = ms_of(result.item.newest_stamp) - self._clock()
        if ahead > self._policy.max_clock_skew_ms:
            self._meter.add("skewed_items")
            self._meter.add("skew_ms", ahead)
        return result

    def _attempt(self, request: WriteEvent, found: Found, previous: Attempt | None) -> Attempt:
        """Return what to write, or why nothing is to be written."""
        if previous and previous.is_in(found.item):
            return Attempt(found, previous.status, found.item)
        status = refusal(request, found, self._policy)
        if status:
            return Attempt(found, status, found.item)
        return self._prepared(request, found, self._execution(request, [found]))

    def _attempt_all(
        self, requests: Sequence[WriteEvent], founds: Sequence[Found], previous: Sequence[Attempt] | None
    ) -> list[Attempt]:
        """Return what to write to each item; with any refusal, nothing is to be written to any."""
        tried = list(zip(previous, founds, strict=True)) if previous else []
        if any(attempt.is_in(found.item) for attempt, found in tried):
            return [Attempt(found, attempt.status, found.item) for attempt, found in tried]
        refusals = [refusal(request, found, self._policy) for request, found in zip(requests, founds, strict=True)]
        if any(refusals):
            return refused(founds, refusals)
        execution = self._execution(requests[0], founds)
        return [self._prepared(request, found, execution) for request, found in zip(requests, founds, strict=True)]

    def _prepared(self, request: WriteEvent, found: Found, execution: Execution) -> Attempt:
        return prepared(request, found, execution, self._policy, self._clock())

    def _execution(self, request: WriteEvent, founds: Sequence[Found]) -> Execution:
        key = request.idempotency_key or ""
        identity = write_id(key)
        newest = max(found.item.newest_stamp for found in founds)
        seen = sum(found.item.ledger.mark for found in founds)
        stamp = next_stamp(self._clock(), newest, self._region_code, identity, seen)
        value_stamp = stamp if request.timestamp_ms is None else client_stamp(request.timestamp_ms, identity)
        return Execution(identity, stamp, value_stamp, key, self._region)

    def _pause_after(self, number: int) -> None:
        if number < self._attempts:
            self._pause(number)


def _refuse_item_twice(requests: Sequence[WriteEvent]) -> None:
    keys = set()
    for position, request in enumerate(requests):
        key = canonical_text({"M": request.key})
        if key in keys:
            raise RequestError(f"Events[{position}]", "names an item that another event names")
        keys.add(key)


@contextmanager
def _explained(request: WriteEvent) -> Iterator[None]:
    """Say of a fault what the client needs: the key to try again with, or that the item's own key is wrong."""
    try:
        yield
    except TransientError as error:
        error.idempotency_key = request.idempotency_key  # the write may have been executed already
        raise
    except KeySchemaError:
        given = ", ".join(f"{name} as {type_letter(value)}" for name, value in request.key.items())
        raise RequestError(next(iter(request.key)), f"is not the table's key; it was given {given}") from None


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
