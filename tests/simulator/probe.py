"""``python -m tests.simulator.probe HISTORIES WORKLOAD...``: exit status 3 at the first history that goes wrong."""

import sys

from replay_tools.simulator.play import check
from replay_tools.simulator.workloads import WORKLOADS

FOUND = 3


def main(histories: int, names: list[str]) -> int:
    """Play histories of each workload in turn, until one goes wrong."""
    for seed in range(histories):
        for name in names:
            outcome = check(WORKLOADS[name], seed)
            if outcome.violations:
                print(f"workload {name}, seed {seed}: {outcome.violations[0]}")  # noqa: T201 - the test reads it
                return FOUND
    return 0


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]), sys.argv[2:]))
