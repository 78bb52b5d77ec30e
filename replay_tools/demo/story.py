# ruff: noqa: RUF001 - drawings and signs are meant
"""Story: one small conflict, played for real, told as values that a screen can draw.

    ana has 100. Her rent of 30 is paid in us-east-1; at the same moment her wage of 50 arrives in eu-west-1.

What is claimed of items, streams and decisions is taken from the tables, the streams and the worker as the story is
played; only what it means is told in fixed words.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from reconciler.causality import causality_of, decode_ledger
from reconciler.classify import classify
from reconciler.decisions import Escalate, Noop, Repair
from reconciler.explain import explain, sentence
from reconciler.policy import Region
from reconciler.records import RawRecord, parse_record
from reconciler.stamps import WriteId, write_id
from reconciler.wire import Image, plain
from replay_tools.demo.steps import Asked, Decided, Drawing, Items, Rows, Step, Streamed, Told
from replay_tools.demo.world import World

ITEM = "ana"
SHOWN = ("Balance", "Tags", "Address", "Version")
KEYS = ("open", "rent", "wage", "coffee")
INCLUDES = "Includes"
MAX_ROUNDS = 20

OPEN = {"Add": {"Balance": 100}, "AddToSet": {"Tags": ["gold"]}, "Set": {"Address": "1 Oak St"}}
RENT = {"Add": {"Balance": -30}, "AddToSet": {"Tags": ["rent-paid"]}, "Set": {"Address": "5 Elm Rd"}}
WAGE = {"Add": {"Balance": 50}, "AddToSet": {"Tags": ["employed"]}, "Set": {"Address": "7 Rue Neuve"}}
COFFEE = {"Add": {"Balance": -10}}
RIGHT_BALANCE = 100 - 30 + 50 - 10


class Story:
    """Plays the conflict in a world of two Regions, step by step."""

    def __init__(self, world: World) -> None:
        """Begin with empty tables."""
        self._world = world
        self._here, self._there = world.policy.regions
        self._keys: Mapping[WriteId, str] = {write_id(key): key for key in KEYS}

    def steps(self) -> Iterator[Step]:
        """Play on, one step at a time."""
        yield self._start()
        yield self._write_at_once()
        yield self._replicate()
        yield self._repair()
        yield self._converge()
        yield self._retry_elsewhere()
        yield self._count_once()
        yield self._end()

    def _start(self) -> Step:
        asked = self._ask(self._here, "open", OPEN)
        self._replicate_and_work()
        told = Told(
            "A Global Table keeps a whole copy of every item, a replica, in each Region. Clients write to the nearest "
            "one; within about a second their writes are copied to the other."
        )
        return Step("One account, two replicas", (told, asked, self._items()))

    def _write_at_once(self) -> Step:
        self._world.replicator.cut(self._here, self._there)
        here = self._ask(self._here, "rent", RENT)
        self._world.replicator.settle()
        there = self._ask(self._there, "wage", WAGE)
        self._world.replicator.settle()
        told = Told(
            "The rent is paid in one Region, the wage arrives in the other, before either has heard of the other. "
            "Both clients are told that their write is made, and in its own Region it is."
        )
        return Step("Two Regions write the item at the same time", (told, here, there, self._items()))

    def _replicate(self) -> Step:
        self._world.replicator.heal(self._here, self._there)
        self._world.replicator.settle()
        drawing = Drawing(
            (
                "us-east-1   100 ── rent ──▶ 70 ───╮     ╭──▶ 150   70 is replaced",
                "                                   ╲   ╱",
                "                                     ╳",
                "                                   ╱   ╲",
                "eu-west-1   100 ── wage ──▶ 150 ──╯     ╰──✗       70 is too late",
            )
        )
        told = Told(
            "Each Region sends the other its whole item, and the later write wins. Ana should have 100 - 30 + 50, "
            "which is 120; both Regions now say 150. The rent is lost, everywhere: no error, no log, no metric."
        )
        return Step("Replication: the last writer wins", (drawing, told, self._items(lost_in=self._regions)))

    def _repair(self) -> Step:
        evidence = self._streamed(self._here)[-1:]
        here, there = self._work(self._here)[-1:], self._work(self._there)[-1:]
        before = Told(
            "One trace is left: the stream of us-east-1, the Region that lost, shows what was replaced, and by what. "
            "Every item names the writes that it includes. The old image includes the rent, the new one has never "
            "heard of it: so the rent is lost."
        )
        after = Told(
            "The worker in us-east-1 joins both, with one conditional write: amounts are added up, tags united; of two "
            "addresses the later one stays, for that is what the policy says of an address."
        )
        items = self._items(lost_in=(self._there,), repaired_in=(self._here,))
        return Step("The worker finds the loss, and repairs it", (before, *evidence, *here, after, items, *there))

    def _converge(self) -> Step:
        self._world.replicator.settle()
        decided = [block for region in self._regions for block in self._work(region)[-1:]]
        drawing = Drawing(
            (
                "us-east-1   70 ──▶ 150 ── repair ──▶ 120 ──╮",
                "                                           ╰───────╮",
                "eu-west-1   150 ─────────────────────────────────▶ 120",
            )
        )
        told = Told(
            "The repair is a write like any other, and is replicated like one. Both workers see it on their streams: "
            "it includes all that it replaced, so there is nothing more to do."
        )
        return Step(
            "The repair reaches the other Region", (drawing, told, *decided, self._items(repaired_in=(self._there,)))
        )

    def _retry_elsewhere(self) -> Step:
        self._world.replicator.cut(self._here, self._there)
        here = self._ask(self._here, "coffee", COFFEE)
        self._world.replicator.settle()
        there = self._ask(self._there, "coffee", COFFEE)
        self._world.replicator.settle()
        told = Told(
            "Ana pays 10 for a coffee, but the answer never arrives. So her client turns to eu-west-1 and sends the "
            "same request again, with the same idempotency key. That Region has not heard of it yet, and executes it "
            "too. Now it must not count twice."
        )
        return Step("One idempotency key, used twice", (told, here, there, self._items()))

    def _count_once(self) -> Step:
        self._world.replicator.heal(self._here, self._there)
        self._world.replicator.settle()
        decided = self._work(self._here)[-1:]
        self._replicate_and_work()
        again = self._ask(self._here, "coffee", COFFEE)
        drawing = Drawing(
            (
                "us-east-1   120 ── coffee ──▶ 110 ──▶ 110 ── repair ──▶ 110   coffee ×2",
                "eu-west-1   120 ── coffee ──▶ 110 ────────────────────▶ 110",
            )
        )
        told = Told(
            "Last writer wins keeps one of the two executions, and the worker joins them: two executions, one key. An "
            "amount belongs to its key, so it is taken off once. Version counts executions. Sent a third time, the "
            "request is known to be a duplicate, and nothing is written."
        )
        return Step("It counts once", (drawing, told, *decided, again, self._items()))

    def _end(self) -> Step:
        drawing = Drawing(("100 open   - 30 rent   + 50 wage   - 10 coffee   =   110",))
        told = Told(
            "Both Regions hold the same item, and it includes every write that a client was told of, once. "
            "Without the workers the rent would be missing, and nobody would know."
        )
        return Step("The end", (drawing, self._items(repaired_in=self._regions), told))

    @property
    def is_well(self) -> bool:
        """Whether both Regions hold the same item, with the right balance."""
        here, there = (self._world.items(region)[ITEM] for region in self._regions)
        return here == there and here["Balance"] == {"N": str(RIGHT_BALANCE)}

    # What happens

    @property
    def _regions(self) -> tuple[Region, Region]:
        return self._here, self._there

    def _ask(self, region: Region, key: str, wishes: Mapping[str, Any]) -> Asked:
        answer = self._world.writers[region]({"Id": ITEM, "IdempotencyKey": key, **wishes}, None)
        return Asked(region, key, _in_words(wishes), answer["status"])

    def _replicate_and_work(self) -> None:
        for _ in range(MAX_ROUNDS):
            if not self._world.pump():
                return

    def _work(self, region: Region) -> list[Decided]:
        """Let a Region's worker take what its stream shows, and say what it made of each record."""
        trigger, found = self._world.triggers[region], self._world.found
        records, known = trigger.waiting, len(found.conflicts)
        trigger.fire()
        repairs = {conflict.sequence_number: Repair(conflict) for conflict in found.conflicts[known:]}
        return [self._decided(record, repairs, region) for record in records]

    def _decided(self, raw: RawRecord, repairs: Mapping[str, Repair], region: Region) -> Decided:
        record, policy = parse_record(raw), self._world.policy
        verdict = repairs.get(record.sequence_number) or classify(record, policy, 0)
        if not isinstance(verdict, Noop | Repair | Escalate):
            return Decided(region, "none", "The worker did nothing about this record.")
        told = explain(verdict, record, policy, region)
        return Decided(region, told["decision"], sentence(told))

    # What is to be seen

    def _streamed(self, region: Region) -> list[Streamed]:
        records = [parse_record(raw) for raw in self._world.triggers[region].waiting]
        return [
            Streamed(region, record.operation, self._rows(record.old or {}), self._rows(record.new or {}))
            for record in records
        ]

    def _items(self, lost_in: tuple[Region, ...] = (), repaired_in: tuple[Region, ...] = ()) -> Items:
        rows = {region: self._rows(self._world.items(region)[ITEM]) for region in self._regions}
        return Items(rows, lost_in, repaired_in)

    def _rows(self, image: Image) -> Rows:
        rows = {name: _shown(plain(image[name])) for name in SHOWN if name in image}
        return {**rows, INCLUDES: self._writes_in(image)} if "Causality" in image else rows

    def _writes_in(self, image: Image) -> str:
        writes = decode_ledger(causality_of(image), self._world.policy).writes
        order = sorted(writes, key=lambda identity: KEYS.index(self._keys[identity]))
        return ", ".join(_named(self._keys[identity], len(writes[identity])) for identity in order)


def _named(key: str, executions: int) -> str:
    return key if executions == 1 else f"{key} ×{executions}"


def _in_words(wishes: Mapping[str, Any]) -> str:
    amounts = [f"{name} {amount:+}" for name, amount in wishes.get("Add", {}).items()]
    tags = [f"{name} + {', '.join(elements)}" for name, elements in wishes.get("AddToSet", {}).items()]
    values = [f"{name} = {value}" for name, value in wishes.get("Set", {}).items()]
    return ", ".join(amounts + tags + values)


def _shown(value: Any) -> str:  # noqa: ANN401 - any attribute's value
    return ", ".join(sorted(value)) if isinstance(value, set) else str(value)
