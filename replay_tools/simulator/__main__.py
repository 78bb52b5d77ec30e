"""``python -m replay_tools.simulator``: the same as ``python -m replay_tools simulate``."""

from replay_tools.simulator.cli import simulate

if __name__ == "__main__":
    simulate()
