"""Scale: how much the bench does; the smallest only shows that everything runs."""

from dataclasses import dataclass

from tests.bench.records import KIB


@dataclass(frozen=True, slots=True)
class Scale:
    """How often each thing is measured, on how many records, and how far the curves go."""

    repeats: int
    starts: int
    curve_repeats: int
    quiet_records: int
    large_records: int
    conflicts: int
    storm: tuple[int, int]
    """Records, and the items that they are of."""
    samples: int
    """How many samples a profile is of."""
    writes: int
    written: tuple[int, ...]
    batches: tuple[int, ...]
    ledgers: tuple[int, ...]
    sizes: tuple[int, ...]
    keys: tuple[int, ...]
    shares: tuple[int, ...]
    """Conflicts, among as many records as the last says."""
    regions: tuple[int, ...]


FULL = Scale(
    repeats=11,
    starts=7,
    curve_repeats=5,
    quiet_records=1_000,
    large_records=25,  # of 100 KB: what an event may hold
    conflicts=100,
    storm=(400, 4),
    samples=1_500,
    writes=50,
    written=(1, 10, 100),
    batches=(1, 10, 100, 1_000, 10_000),
    ledgers=(1, 3, 10, 30, 100, 200),
    sizes=(KIB, 5 * KIB, 20 * KIB, 100 * KIB, 390 * KIB),
    keys=(1, 3, 10, 30, 100),
    shares=(1, 3, 10, 30, 100, 200),
    regions=(2, 3, 4, 5),
)
SMALLEST = Scale(
    repeats=1,
    starts=1,
    curve_repeats=1,
    quiet_records=2,
    large_records=1,
    conflicts=2,
    storm=(4, 1),
    samples=1,
    writes=2,
    written=(1, 2),
    batches=(1, 2),
    ledgers=(1, 2),
    sizes=(KIB, 2 * KIB),
    keys=(1, 2),
    shares=(1, 2),
    regions=(2, 3),
)
