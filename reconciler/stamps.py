"""Stamps: one total order over every execution of every write in every Region.

A stamp is hybrid logical time (Kulkarni et al. 2014, "Logical Physical Clocks") packed in one decimal of
25 digits, so that DynamoDB stores it as a number and a person can read it:

    1700000000123 0007 02 482913
    milliseconds  |    |  tail: of the write id and of all that the execution had seen, modulo 10^6
                  |    Region code: position, from 01, in the policy's list of Regions; 00 = a client's time
                  counter: orders executions within a millisecond; its overflow carries into the milliseconds

The tail is there because a Region that has forgotten its own write issues the same millisecond and counter again: to
another write, or to the same one, which then has seen other writes and may do something else.
"""

import re
from base64 import urlsafe_b64decode, urlsafe_b64encode
from functools import lru_cache
from hashlib import blake2b
from typing import NewType

from reconciler.errors import ItemError

Stamp = NewType("Stamp", int)
WriteId = NewType("WriteId", str)

NEVER = Stamp(0)
DIGITS = 25
MIN_MS, MAX_MS = 10**12, 10**13 - 1
TAIL = 10**6
TICK = 100 * TAIL  # one step of (milliseconds, counter)
TICKS_PER_MS = 10**4
LAST_TICK = (MAX_MS + 1) * TICKS_PER_MS - 1
EARLIEST = Stamp(MIN_MS * TICKS_PER_MS * TICK)
CODE, CLIENT_CODE = slice(17, 19), "00"  # the Region code in a stamp's text
ID_BYTES = 12
_ID = re.compile(r"[A-Za-z0-9_-]{16}")  # without padding, or two texts would be one number


@lru_cache(maxsize=4096)
def write_id(idempotency_key: str) -> WriteId:
    """Return the 96-bit BLAKE2b of the key, base64url: 16 characters."""
    key = idempotency_key.encode("utf-8", "surrogatepass")
    return WriteId(urlsafe_b64encode(blake2b(key, digest_size=ID_BYTES).digest()).decode())


@lru_cache(maxsize=4096)
def id_number(identity: WriteId) -> int:
    """Return the id as a big-endian number; ValueError where the text is no write id."""
    if not _ID.fullmatch(identity):
        raise ValueError(identity)
    return int.from_bytes(urlsafe_b64decode(identity), "big")


def client_stamp(ms: int, identity: WriteId) -> Stamp:
    """Return the value stamp of a client's own time: counter 0000, Region code 00."""
    return Stamp(ms * TICKS_PER_MS * TICK + id_number(identity) % TAIL)


def next_stamp(now_ms: int, newest: Stamp, region_code: int, identity: WriteId, seen: int = 0) -> Stamp:
    """Return a stamp above `newest`, at `now_ms` or as soon after it as order allows.

    `seen` is a number of all that the execution has seen (`Ledger.mark`): it sets apart two executions of one write
    that a Region made at the same tick, the second without knowing the first.
    ItemError where that would lie after 2286: 25 digits hold no later one, and a 26th would break the order as text.
    """
    ticks = max(now_ms * TICKS_PER_MS, newest // TICK + 1)
    if ticks > LAST_TICK:
        raise ItemError(
            "Causality", f"the newest stamp is the last that {DIGITS} digits hold, in 2286: none can follow"
        )
    return Stamp(ticks * TICK + region_code * TAIL + (id_number(identity) + seen) % TAIL)


def ms_of(stamp: Stamp) -> int:
    """Return the stamp's milliseconds since 1970."""
    return stamp // (TICKS_PER_MS * TICK)


def region_code_of(stamp: Stamp) -> int:
    """Return the stamp's Region code, 0 for a client's time."""
    return stamp // TAIL % 100


def tail_of(stamp: Stamp) -> int:
    """Return the last six digits: the write id modulo 10^6."""
    return stamp % TAIL


def parse_stamp(text: str) -> Stamp:
    """Read 25 plain digits, of September 2001 to 2286; ValueError for anything else."""
    if not is_stamp(text):
        raise ValueError(text)
    return Stamp(int(text))


def is_stamp(text: str) -> bool:
    """Say whether the text is 25 plain digits: two such texts compare as their numbers do."""
    return len(text) == DIGITS and text.isascii() and text.isdigit() and text[0] != "0"
