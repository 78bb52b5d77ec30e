"""Progress: how many records are read, on a terminal, once it takes longer than a person waits."""

import sys
from collections.abc import Iterable, Iterator

from rich.console import Console
from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from reconciler.ports import Clock
from replay_tools.recordings import Recorded

PATIENCE_MS = 2_000
EVERY = 100  # records between two looks at the clock


def with_progress(recording: Iterable[Recorded], name: str, clock: Clock) -> Iterator[Recorded]:
    """Yield the records; say on standard error, if that is a terminal, how far it is and how fast it goes."""
    start_ms = clock()
    columns = SpinnerColumn(), TextColumn("{task.description}"), TimeElapsedColumn()
    console = Console(stderr=True)
    progress = Progress(*columns, transient=True, disable=not sys.stderr.isatty(), console=console)
    task = progress.add_task(name)
    try:
        for count, recorded in enumerate(recording, 1):
            if count % EVERY == 0 and (spent_ms := clock() - start_ms) > PATIENCE_MS:
                progress.start()
                progress.update(task, description=f"{name}: {count:,} records, {count * 1000 // spent_ms:,} a second")
            yield recorded
    finally:
        progress.stop()
