"""``python -m infra.diagrams [FOLDER]``: write every picture, by default where the README finds them."""

import sys
from pathlib import Path

from infra.diagrams import architecture, sequence

HERE = Path(__file__).parent


def main(folder: Path = HERE) -> None:
    """Write both pictures, as PNG and SVG."""
    architecture.write(folder)
    sequence.write(folder)


if __name__ == "__main__":
    main(*map(Path, sys.argv[1:2]))
