"""What offline reading costs: ``python -m tests.bench.offline [--records 1000000]``.

Two Regions' recordings of one table are made, 1.4 KB a record, 1 % of the writes overwritten; then, in one run, the
time of parsing these files with orjson, line by line, and of `audit`, and their ratio. No test asserts a time.
"""

import argparse
import resource
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory
from typing import Any

import orjson

from replay_tools.audit.audit import audit

REGIONS = "us-east-1", "eu-west-1"
TEXT_BYTES = 38
"""Of each of twelve texts: a record of two images then has about 1.3 KB."""
BEGINS = 1_700_000_000


def image(key: str, version: int, text: str) -> dict[str, Any]:
    """Return an item of some 550 bytes."""
    texts = {f"Attribute{number}": {"S": f"{text}{number}".ljust(TEXT_BYTES, ".")} for number in range(8)}
    return {"Id": {"S": key}, "Rev": {"N": str(version)}, **texts, "Price": {"N": f"{version}.99"}}


def record(key: str, old: Any, new: Any, number: int) -> bytes:
    """Return one line of a recording."""
    body = {
        "ApproximateCreationDateTime": BEGINS + number // 500,
        "Keys": {"Id": {"S": key}},
        "OldImage": old,
        "NewImage": new,
        "SequenceNumber": f"{number:021}",
        "SizeBytes": 1_000,
        "StreamViewType": "NEW_AND_OLD_IMAGES",
    }
    whole = {"eventID": f"{number:032x}", "eventName": "MODIFY", "eventVersion": "1.1", "eventSource": "aws:dynamodb"}
    return orjson.dumps({**whole, "dynamodb": body}) + b"\n"


def rounds(records: int) -> Iterator[tuple[bytes, bytes, bool]]:
    """Yield what each Region's stream shows of one write, and whether it lost another."""
    random, number = Random(1), 0  # noqa: S311 - seeded
    while number < records // 2:
        key, number = f"customer-{random.randrange(records)}", number + 1
        version = random.randrange(1_000)
        base, winner = image(key, version, "base"), image(key, version + 1, f"winner {number} ")
        if number % 100:
            yield record(key, base, winner, number), record(key, base, winner, number), False
            continue
        lost = image(key, version + 1, f"lost {number} ")
        both = record(key, base, lost, number) + record(key, lost, winner, number + 1)
        yield record(key, base, winner, number), both, True


def make(folder: Path, records: int) -> tuple[list[Path], int]:
    """Write the two recordings; return them, and how many writes are lost."""
    paths = [folder / f"{region}.ndjson" for region in REGIONS]
    lost = 0
    with paths[0].open("wb") as left, paths[1].open("wb") as right:
        for one, other, is_lost in rounds(records):
            left.write(one)
            right.write(other)
            lost += is_lost
    return paths, lost


def parse_all(paths: list[Path]) -> int:
    """Parse every line with orjson, and nothing else."""
    count = 0
    for path in paths:
        with path.open("rb") as file:
            for line in file:
                orjson.loads(line)
                count += 1
    return count


def processor_time() -> float:
    """Return the seconds that this process and its children have worked."""
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(each.ru_utime + each.ru_stime for each in used)


def main() -> None:
    """Measure, and print one line each."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--records", type=int, default=1_000_000)
    records = parser.parse_args().records
    with TemporaryDirectory() as name:
        paths, lost = make(Path(name), records)
        size = sum(path.stat().st_size for path in paths)
        began, worked = time.perf_counter(), processor_time()
        count = parse_all(paths)
        parsing, parsing_work = time.perf_counter() - began, processor_time() - worked
        began, worked = time.perf_counter(), processor_time()
        found = sum(1 for _ in audit(list(zip(REGIONS, map(str, paths), strict=True))))
        auditing, auditing_work = time.perf_counter() - began, processor_time() - worked
    peak = max(resource.getrusage(who).ru_maxrss for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)) / 1024
    sys.stdout.write(
        f"{count} records of {size / count:.0f} bytes, {lost} writes lost\n"
        f"orjson alone   {parsing:6.2f} s  {parsing / count * 1e6:5.1f} us a record\n"
        f"audit          {auditing:6.2f} s  {auditing / count * 1e6:5.1f} us a record, {found} found\n"
        f"ratio          {auditing / parsing:6.2f}, of processor time {auditing_work / parsing_work:.2f}; "
        f"peak memory of a process {peak:.0f} MB\n"
    )


if __name__ == "__main__":
    main()
