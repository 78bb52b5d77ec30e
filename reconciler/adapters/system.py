"""The system: its clock, its randomness, and waiting."""

import random
import secrets
import time

BASE_MS, CAP_MS = 20, 1_000


def clock_ms() -> int:
    """Return milliseconds since 1970."""
    return time.time_ns() // 1_000_000


def new_key() -> str:
    """Return an idempotency key that no one else has: 128 random bits."""
    return secrets.token_urlsafe(16)


def pause(attempt: int) -> None:
    """Wait before the attempt after this one: exponential, with full jitter, at most a second.

    https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter/
    """
    time.sleep(random.uniform(0, min(CAP_MS, BASE_MS << attempt)) / 1000)  # noqa: S311 - jitter is no secret
