"""Growth: how processor time, memory and requests of this worker grow, one thing varied at a time.

Memory is the peak of what the worker allocates while it works, beside the event itself (tracemalloc, in a run of its
own that is not timed).
"""

from collections.abc import Callable, Sequence
from dataclasses import replace

from handlers.bootstrap import Handler, stream_handler
from tests.bench.curves import NO_CONFLICT, Growth, Line, Point
from tests.bench.meter import Batch, Meter
from tests.bench.records import SMALL, Record, Shape, conflicts, mixed, quiet, storm
from tests.bench.regions import policy_of, race, writes_until_quiet
from tests.bench.scale import Scale
from tests.bench.server import Server
from tests.bench.units import COUNTS, SIZES
from tests.bench.workers import this_worker

MOST_CONFLICTS = 1_000
PER_POINT = 20
LARGE = 7
"""So many records of the largest images make one event."""
RACES = 20

Records = Callable[[int], Sequence[Record]]


def growth(scale: Scale, server: Server) -> list[Growth]:
    """Return every curve."""
    meter, worker = Meter(server, scale.curve_repeats), this_worker()
    return [
        _by_batch(meter, worker, scale),
        _by_ledger(meter, worker, scale),
        _by_size(meter, worker, scale),
        _by_keys(meter, worker, scale),
        _by_share(meter, worker, scale),
        _by_regions(meter, scale),
    ]


def _whole(worker: Handler, sizes: Sequence[int], records: Records) -> dict[int, Batch]:
    """Return batches whose cost is that of the whole batch."""
    return {size: Batch(worker, records(size)) for size in sizes}


def _each(worker: Handler, sizes: Sequence[int], records: Records, count: int = PER_POINT) -> dict[int, Batch]:
    """Return batches whose cost is that of one record."""
    return {size: Batch(worker, records(size), count) for size in sizes}


def _by_batch(meter: Meter, worker: Handler, scale: Scale) -> Growth:
    few = [size for size in scale.batches if size <= MOST_CONFLICTS]
    rare = [size for size in scale.batches if size >= min(100, max(scale.batches))]
    return Growth(
        "Batch size",
        "records",
        COUNTS,
        "a batch",
        "Linear, once a batch is large enough to hide what every batch costs: a log line and a line of metrics; then a "
        "little more where the records no longer fit into the processor's caches. Of 1 KB each, an event's 6 MB hold "
        "some 1,400; ten thousand have to be small. Memory is what a batch's conflicts hold until they are told of.",
        meter.lines(
            {
                NO_CONFLICT: _whole(worker, scale.batches, quiet),
                "1 in 100 a conflict": _whole(worker, rare, lambda size: mixed(size, max(size // 100, 1))),
                "all conflicts": _whole(worker, few, conflicts),
            }
        ),
    )


def _by_ledger(meter: Meter, worker: Handler, scale: Scale) -> Growth:
    def of(kind: Callable[[int, Shape], list[Record]]) -> Records:
        return lambda size: kind(PER_POINT, replace(SMALL, ledger=size))

    return Growth(
        "Ledger length",
        "writes that the ledger names",
        COUNTS,
        "a record",
        "Linear in the ledger, plus what a record costs anyway: each write that the old image names is looked up in "
        "the new one. A repair also sends the ledger twice, as it was seen and as it shall be.",
        meter.lines(
            {
                NO_CONFLICT: _each(worker, scale.ledgers, of(quiet)),
                "conflict": _each(worker, scale.ledgers, of(conflicts)),
            }
        ),
    )


def _by_size(meter: Meter, worker: Handler, scale: Scale) -> Growth:
    def of(kind: Callable[[int, Shape], list[Record]], *, nested: bool = False) -> dict[int, Batch]:
        shapes = {size: replace(SMALL, size_bytes=size, nested=nested) for size in scale.sizes}
        return _each(worker, scale.sizes, lambda size: kind(LARGE, shapes[size]), LARGE)

    return Growth(
        "Image size",
        "size of each image",
        SIZES,
        "a record",
        "Without a conflict flat: only the ledgers are compared. A conflict is judged attribute by attribute: one long "
        "text is compared at once, thousands of small values one by one, hence linear.",
        meter.lines(
            {
                NO_CONFLICT: of(quiet, nested=True),
                "conflict, one text": of(conflicts),
                "conflict, small values": of(conflicts, nested=True),
            }
        ),
    )


def _by_keys(meter: Meter, worker: Handler, scale: Scale) -> Growth:
    count = 2 * max(scale.keys)
    return Growth(
        "Keys in a batch",
        f"keys of {count} records, half of them conflicts",
        COUNTS,
        "a batch",
        "Requests are one for each key, however many of its writes were lost, and soon they are what a batch costs. "
        "With few keys the ledgers are long, and every lost image is joined with all of its ledger: one key costs more "
        "than ten.",
        meter.lines({"half conflicts": _whole(worker, scale.keys, lambda keys: storm(count, keys))}),
    )


def _by_share(meter: Meter, worker: Handler, scale: Scale) -> Growth:
    count = max(scale.shares)
    return Growth(
        "Share of conflicts",
        f"conflicts among {count} records",
        COUNTS,
        "a batch",
        "Flat while the batch itself costs more than its conflicts, then linear: one request for each.",
        meter.lines({"mixed": _whole(worker, scale.shares, lambda share: mixed(count, share))}),
    )


def _by_regions(meter: Meter, scale: Scale) -> Growth:
    policies = {regions: policy_of(regions) for regions in scale.regions}
    batches = {
        regions: Batch(stream_handler(policy=policy), race(policy, RACES), RACES)
        for regions, policy in policies.items()
    }
    everywhere = (Point(regions, 0, 0, writes_until_quiet(policy)) for regions, policy in policies.items())
    return Growth(
        "Regions",
        "Regions that write one item at once",
        COUNTS,
        "an item",
        "In the Region that loses, a batch holds one lost write for each other Region, and one repair joins them all; "
        "each lost image is still read and told of. All Regions together make R (R - 1) / 2 writes until nobody has "
        "anything to do: each repairs its own loss, one repair wins, and those that lost repair again.",
        (
            *meter.lines({"in the Region that loses": batches}),
            Line("in all Regions, until quiet", tuple(everywhere)),
        ),
    )
