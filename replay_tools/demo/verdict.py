"""Verdict: what the tables hold at the end, held against what the clients were told.

    Tags      each write added its own key: a key that is not there is a lost write
    Balance   the sum of the amounts: too little is lost money, too much was counted twice

Only answers and items are asked; neither the worker, nor its ledger, nor `join` has a say.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from reconciler.policy import Region
from reconciler.wire import Image, canonical_text
from replay_tools.demo.plan import Write

Items = Mapping[str, Image]
"""One Region's items by Id."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What became of the acknowledged writes, by the worst Region."""

    lost: frozenset[str]
    """The keys of acknowledged writes that at least one Region does not show."""
    balance_missing: int
    balance_excess: int
    differing: tuple[str, ...]
    """The Ids of items that are not the same in every Region."""


def judge(acknowledged: Iterable[Write], regions: Mapping[Region, Items]) -> Verdict:
    """Hold every Region's items against the acknowledged writes."""
    by_account: defaultdict[str, dict[str, int]] = defaultdict(dict)
    for write in acknowledged:
        by_account[write.account][write.key] = write.amount
    balances = [_balance_errors(by_account, items) for items in regions.values()]
    return Verdict(
        lost=frozenset().union(*(_lost(by_account, items) for items in regions.values())),
        balance_missing=max(sum(error for error in errors if error > 0) for errors in balances),
        balance_excess=max(-sum(error for error in errors if error < 0) for errors in balances),
        differing=_differing(list(regions.values())),
    )


def _lost(by_account: Mapping[str, Mapping[str, int]], items: Items) -> set[str]:
    return {key for account, amounts in by_account.items() for key in amounts.keys() - _tags(items.get(account, {}))}


def _tags(item: Image) -> set[str]:
    return set(item.get("Tags", {}).get("SS", ()))


def _balance_errors(by_account: Mapping[str, Mapping[str, int]], items: Items) -> list[int]:
    return [
        sum(amounts.values()) - int(items.get(account, {}).get("Balance", {"N": "0"})["N"])
        for account, amounts in by_account.items()
    ]


def _differing(replicas: list[Items]) -> tuple[str, ...]:
    ids = sorted(set().union(*replicas))
    return tuple(name for name in ids if len({canonical_text({"M": items.get(name, {})}) for items in replicas}) > 1)
