"""Report: what many histories came to, in lines for a reader."""

from collections.abc import Iterator

from replay_tools.simulator.exhaustive import Found
from replay_tools.simulator.runner import Summary
from replay_tools.simulator.verdict import Wrong


def random_lines(summary: Summary, workloads: int) -> Iterator[str]:
    """Say what random histories came to."""
    counts = summary.counts
    yield _line("histories", counts["histories"], f"of {workloads} workloads, {counts['steps']:,} steps")
    yield _line("requests", counts["requests"], f"{counts['executions']:,} executions")
    yield _line("duplicates", counts["duplicates"], "answered as such")
    yield _line("conflicts", counts["conflicts"], f"repaired by {counts['repairs']:,} writes")
    yield _line(
        "escalated", counts["escalated"], f"messages; {counts['diverged']:,} items diverged, by windows too small"
    )
    yield _line("worker crashes", counts["crashes"])
    yield _line("plain table lost", counts["lost_without_worker"], "writes, by last writer wins alone")
    for wrong in Wrong:
        yield _line(wrong.value, counts[wrong.name], "histories")
    seconds = max(counts["cpu_ms"], 1) / 1_000
    yield _line("speed", round(counts["histories"] / seconds), "histories per second and core")


def interleavings_line(found: Found) -> str:
    """Say what every interleaving of one small history came to."""
    reduced = " (inert moves at once)" if found.small.reduced else ""
    return (
        f"  {found.small.name}: {found.tally.interleavings:,} interleavings{reduced}, {found.states:,} states, "
        f"at most {found.tally.repairs} repairs, {len(found.failures)} failures"
    )


def _line(name: str, count: int, rest: str = "") -> str:
    return f"{name:>18} {count:>12,} {rest}".rstrip()
