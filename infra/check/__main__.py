"""``python -m infra.check [TEMPLATE...]``: one line for each finding, ``file:line: rule: reason``."""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from infra.check.rules import findings
from infra.check.source import TemplateError
from infra.check.stack import Stack

INFRA = Path(__file__).parents[1]
SOUND, FAULTY, UNREADABLE = 0, 1, 2


def main(arguments: Sequence[str] | None = None) -> int:
    """Print what is wrong with the templates; return 0 if nothing is, 1 if something is, 2 if a file is no template."""
    parser = argparse.ArgumentParser(prog="python -m infra.check", description=__doc__)
    parser.add_argument("templates", nargs="*", type=Path, metavar="TEMPLATE", help="default: every infra/*.yaml")
    templates: list[Path] = parser.parse_args(arguments).templates
    return max(map(_check, templates or _all_templates()), default=SOUND)


def _all_templates() -> list[Path]:
    """Return the project's templates, as they are called from where the command runs."""
    here = Path.cwd()
    return sorted(path.relative_to(here) if path.is_relative_to(here) else path for path in INFRA.glob("*.yaml"))


def _check(path: Path) -> int:
    try:
        found = list(findings(Stack.read(path)))
    except TemplateError as error:
        print(error, file=sys.stderr)  # noqa: T201 - a command prints
        return UNREADABLE
    for finding in found:
        print(f"{path}:{finding.line}: {finding.rule}: {finding.why}")  # noqa: T201 - the same
    return FAULTY if found else SOUND


if __name__ == "__main__":
    sys.exit(main())
