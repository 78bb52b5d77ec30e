"""First event: a fresh interpreter imports one handler and gives it the event on its standard input.

    python -m tests.bench.first_event MODULE

Writes its times in milliseconds as the last line of standard error: standard output is the handler's.
"""

import json
import sys
from importlib import import_module
from time import perf_counter_ns, process_time_ns

NS_PER_MS = 1_000_000


def moment() -> tuple[int, int]:
    """Return processor time and wall time, in nanoseconds."""
    return process_time_ns(), perf_counter_ns()


def main(module: str) -> None:
    """Import the module, handle the event, and tell how long each took."""
    event = json.load(sys.stdin)
    start = moment()
    handler = import_module(module).lambda_handler
    imported = moment()
    answer = handler(event, None)
    done = moment()
    assert answer == {"batchItemFailures": []}
    times = {
        "import_processor_ms": (imported[0] - start[0]) / NS_PER_MS,
        "import_wall_ms": (imported[1] - start[1]) / NS_PER_MS,
        "processor_ms": (done[0] - start[0]) / NS_PER_MS,
        "wall_ms": (done[1] - start[1]) / NS_PER_MS,
    }
    sys.stderr.write(f"\n{json.dumps(times)}\n")


if __name__ == "__main__":
    main(sys.argv[1])
