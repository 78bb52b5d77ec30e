"""``python -m replay_tools COMMAND``."""

from replay_tools.cli import main

if __name__ == "__main__":
    main(prog_name="python -m replay_tools")
