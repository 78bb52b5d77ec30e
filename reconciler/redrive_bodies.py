"""What stands in the poison queue: the worker's messages, whole or in parts, failed requests, and what nobody knows."""

import json
import re
from dataclasses import dataclass
from typing import Any

from reconciler import failed_request, poison
from reconciler.failed_request import FailedRequest, parse_failed_request

_PART = re.compile(r"([1-9]\d{0,2})/([1-9]\d{0,2})", re.ASCII)


@dataclass(frozen=True, slots=True)
class Part:
    """One body of one of the worker's messages; nearly always the only one."""

    whole: str
    """What all parts of one message have in common; another message has another, though it has the same id."""
    number: int
    of: int


@dataclass(frozen=True, slots=True)
class Unread:
    """A body that this version cannot read: it stays as it is. `why` in a word."""

    why: str
    detail: str


def read_body(body: str) -> Part | FailedRequest | Unread:
    """Say what a body is; `poison.parse` then makes one message of all its parts."""
    try:
        document = json.loads(body)
        if not isinstance(document, dict):
            return Unread("unreadable", "body: is not a JSON object")
        match document.get("schema"):
            case poison.SCHEMA:
                return _part(document)
            case failed_request.SCHEMA:
                return parse_failed_request(body)
            case unknown:
                return Unread("unknown_schema", f"schema: is {_told(unknown)}")
    except RecursionError:
        return Unread("unreadable", "body: is nested too deeply")
    except ValueError as error:
        return Unread("unreadable", "body: is not JSON" if isinstance(error, json.JSONDecodeError) else str(error))


def _part(document: dict[str, Any]) -> Part:
    identity, part = document.get("id"), _PART.fullmatch(str(document.get("part")))
    if not isinstance(identity, str) or part is None:
        raise ValueError("id: or part: is missing or no text of its kind")
    number, of = map(int, part.groups())
    if number > of:
        raise ValueError(f"part: is {number} of {of}")
    encoding = document.get("encoding", poison.ENCODING)
    if encoding != poison.ENCODING:
        raise ValueError(f"encoding: is {_told(encoding)}; {poison.ENCODING!r} was expected")
    head = {name: value for name, value in document.items() if name not in {"part", *poison.CONTENT}}
    return Part(json.dumps(head, sort_keys=True), number, of)


def _told(foreign: object) -> str:
    """Return what may stand in a log of what somebody else wrote: its type, and the length of a text."""
    if isinstance(foreign, str):
        return f"text of {len(foreign)} characters"
    return "'None'" if foreign is None else type(foreign).__name__
