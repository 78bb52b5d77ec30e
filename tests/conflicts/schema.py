"""What of an event does not fit the TMF688 schema, place by place."""

import json
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

from jsonschema import Draft202012Validator, FormatChecker

TMF688 = json.loads((Path(__file__).parent / "tmf688-event.json").read_text())
FORMATS = FormatChecker(())


@FORMATS.checks("date-time", ValueError)
def is_date_time(text: object) -> bool:
    """Say whether a text is a moment, with its offset from UTC."""
    return datetime.fromisoformat(str(text)).tzinfo is not None


VALIDATOR = Draft202012Validator(TMF688, format_checker=FORMATS)


def problems(document: object) -> Iterator[str]:
    """Yield each place that does not fit, and why."""
    for error in VALIDATOR.iter_errors(document):
        yield f"{error.json_path}: {error.validator}"
