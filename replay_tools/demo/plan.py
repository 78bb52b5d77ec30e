"""Plan: what the clients are going to send, drawn from a seed, so that the same seed sends the same requests.

Each write adds an amount to an account's `Balance` (a counter) and its own key to the account's `Tags` (a set):
whatever becomes of it can be counted afterwards, without asking anyone who took part.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from reconciler.policy import Region

Draw = Callable[[int], int]
"""Draws a whole number from 0 to below its argument."""

WRITES_PER_ACCOUNT = 8
MAX_AMOUNT = 9
# One write in so many is sent again, because its answer did not arrive: to the other Region, and to the same one.
FAIL_OVER_EVERY, RETRY_EVERY = 8, 16


@dataclass(frozen=True, slots=True)
class Write:
    """What one client wants done once, and the Regions that it asks, in turn: more than one where it tries again."""

    account: str
    key: str
    amount: int
    regions: tuple[Region, ...]

    @property
    def request(self) -> dict[str, Any]:
        """The request as the write function takes it."""
        return {
            "Id": self.account,
            "IdempotencyKey": self.key,
            "Set": {"Data": f"paid by {self.key}"},
            "Add": {"Balance": self.amount},
            "AddToSet": {"Tags": [self.key]},
        }


def draw_plan(draw: Draw, writes: int, regions: Sequence[Region]) -> list[Write]:
    """Return so many writes, of accounts few enough to be contended."""
    accounts = max(1, writes // WRITES_PER_ACCOUNT)
    return [_draw_write(draw, number, accounts, regions) for number in range(1, writes + 1)]


def _draw_write(draw: Draw, number: int, accounts: int, regions: Sequence[Region]) -> Write:
    account = f"account-{draw(accounts) + 1:02}"
    first = draw(len(regions))
    asked = [regions[first]]
    if draw(FAIL_OVER_EVERY) == 0:
        asked.append(regions[(first + 1) % len(regions)])
    elif draw(RETRY_EVERY) == 0:
        asked.append(regions[first])
    return Write(account, f"payment-{number:04}", draw(MAX_AMOUNT) + 1, tuple(asked))
