"""A mini-language for short histories of one item in a few Regions, straight on the algebra.

    A: Data=v Balance+5 Tags+{a,b} Tags-{c} ~Note #k1   a request: Set, Add, AddToSet, RemoveFromSet, Remove; # its key
    A: Data=v #k2 @-50                                  @ the client's own time, in milliseconds after START_MS
    A: delete #k3
    A>B                                                 B joins A's item into its own, as a repair does
    A>>B                                                A's item replaces B's: replication, B forgets its own writes
    A folds 1                                           all but the newest execution become anonymous
    wait 500                                            milliseconds pass; each step takes STEP_MS of them

A request whose key is in the Region's ledger is a duplicate and does nothing, as for the writer.
Values that read as numbers are numbers.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import Any

from reconciler.apply import Execution, apply, fold_when_due
from reconciler.codec import decode, encode, leaves
from reconciler.item import Item, fold_item
from reconciler.join import join
from reconciler.policy import AttributePolicy, Kind, Policy, Region
from reconciler.requests import parse_request
from reconciler.stamps import client_stamp, next_stamp, write_id
from reconciler.wire import Image, plain

START_MS = 1_700_000_000_000
STEP_MS = 10
KEY: Image = {"Id": {"S": "x"}}


def longest(left: Any, right: Any) -> Any:
    """Return the longer value: a custom policy's function that keeps the laws."""
    return max(left, right, key=lambda value: (len(str(value)), str(value)))


POLICY = Policy(
    "Table",
    "Id",
    (Region("A"), Region("B"), Region("C")),
    attributes={
        "Balance": AttributePolicy(Kind.COUNTER),
        "Tags": AttributePolicy(Kind.SET),
        "Limit": AttributePolicy(Kind.MAX),
        "Floor": AttributePolicy(Kind.MIN),
        "Seen": AttributePolicy(Kind.UNION),
        "Status": AttributePolicy(Kind.RANK, order=({"S": "pending"}, {"S": "active"}, {"S": "closed"})),
        "Owner": AttributePolicy(Kind.MANUAL),
        "Note": AttributePolicy(Kind.CUSTOM, function=longest, function_name="histories:longest"),
        "Profile": AttributePolicy(
            Kind.MAP,
            members={
                "Count": AttributePolicy(Kind.COUNTER),
                "Tags": AttributePolicy(Kind.SET),
                "Sub": AttributePolicy(Kind.MAP),
            },
        ),
    },
)
"""Every one of the ten policies; what is not named is `latest`."""


@dataclass
class Table:
    """One item in every Region, and the clock that they share."""

    policy: Policy = POLICY
    now_ms: int = START_MS
    items: dict[str, Item] = field(default_factory=dict)
    states: list[Item] = field(default_factory=list)
    """Every state that a Region's item has been in."""

    def item(self, region: str) -> Item:
        """Return a Region's item; the empty one where it has none."""
        return self.items.get(region, Item(KEY))

    def image(self, region: str) -> Image:
        """Return the item as it is stored in a Region."""
        return encode(self.item(region), self.policy)

    def at(self, region: str, path: str) -> Any:
        """Return what a reader finds at a path; None where nothing is."""
        found = leaves(self.item(region)).get(path)
        return None if found is None else plain(found)

    def everywhere(self, path: str) -> Any:
        """Return what a reader finds at a path in every Region, once all of them hold the same bytes."""
        images = [self.image(region) for region in self.items]
        assert all(image == images[0] for image in images), "the Regions differ"
        return self.at(next(iter(self.items)), path)

    def execute(self, region: str, request: Mapping[str, Any]) -> None:
        """Execute a request in one Region, as the writer does: once for its key, folding when due."""
        item = self.item(region)
        identity = write_id(request["IdempotencyKey"])
        if identity in item.ledger.writes:
            return
        event = parse_request({"Id": "x", **request}, self.policy)
        stamp = next_stamp(self.now_ms, item.newest_stamp, self.policy.region_code(region), identity)
        value_stamp = stamp if event.timestamp_ms is None else client_stamp(event.timestamp_ms, identity)
        execution = Execution(identity, stamp, value_stamp, request["IdempotencyKey"], region)
        self._hold(region, fold_when_due(apply(item, event, execution, self.policy), self.now_ms, self.policy))

    def repair(self, source: str, target: str) -> None:
        """Join the source's item into the target's."""
        if source in self.items:
            held = self.items.get(target)
            lost = self.items[source]
            self._hold(target, lost if held is None else join(lost, held, self.policy))

    def replicate(self, source: str, target: str) -> None:
        """Put the source's item over the target's."""
        if source in self.items:
            self._hold(target, self.items[source])

    def fold(self, region: str, kept: int = 0) -> None:
        """Make all but the newest executions of one Region's item anonymous."""
        stamps = sorted(self.item(region).ledger.stamps())
        if len(stamps) > kept:
            self._hold(region, fold_item(self.items[region], stamps[len(stamps) - kept - 1]))

    def _hold(self, region: str, item: Item) -> None:
        self.items[region] = decode(encode(item, self.policy), self.policy)
        self.states.append(item)
        self.now_ms += STEP_MS


_REQUEST = re.compile(r"(\w): (.+)")
_FOLD = re.compile(r"(\w) folds(?: (\d+))?")
_SETS = re.compile(r"([\w/]+)=(.+)")
_ADDS = re.compile(r"([\w/]+)([+-][\d.]+)")
_ELEMENTS = re.compile(r"([\w/]+)([+-])\{(.+)\}")


def history(text: str, policy: Policy = POLICY, **bounds: Any) -> Table:
    """Return the Regions after these steps, written between bars."""
    table = Table(replace(policy, **bounds))
    for step in text.split("|"):
        take(table, step.strip())
    return table


def take(table: Table, step: str) -> None:
    """Take one step."""
    if fold := _FOLD.fullmatch(step):
        table.fold(fold[1], int(fold[2] or 0))
    elif step.startswith("wait "):
        table.now_ms += int(step.removeprefix("wait "))
    elif ">>" in step:
        table.replicate(*step.split(">>"))
    elif ">" in step:
        table.repair(*step.split(">"))
    else:
        region, words = _REQUEST.fullmatch(step).groups()  # type: ignore[union-attr]
        table.execute(region, request_of(words.split()))


def request_of(words: Iterable[str]) -> dict[str, Any]:
    """Return the request that these words ask for."""
    request: dict[str, Any] = {}
    for word in words:
        if word == "delete":
            request["Delete"] = True
        elif word[0] == "#":
            request["IdempotencyKey"] = word[1:]
        elif word[0] == "@":
            request["Timestamp"] = START_MS + int(word[1:])
        elif word[0] == "~":
            request.setdefault("Remove", []).append(word[1:])
        else:
            operation, name, value = _change(word)
            request.setdefault(operation, {})[name] = value
    return request


def _change(word: str) -> tuple[str, str, Any]:
    if match := _ELEMENTS.fullmatch(word):
        operation = "AddToSet" if match[2] == "+" else "RemoveFromSet"
        return operation, match[1], [_scalar(each) for each in match[3].split(",")]
    if match := _ADDS.fullmatch(word):
        return "Add", match[1], Decimal(match[2])
    if match := _SETS.fullmatch(word):
        return "Set", match[1], _scalar(match[2])
    raise ValueError(word)


def _scalar(text: str) -> str | Decimal:
    return Decimal(text) if re.fullmatch(r"-?[\d.]+", text) else text
