"""Explanations: what a decision tells a machine, and a person who never saw a conflict."""

from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from reconciler.adapters.memory import MemoryMeter, MemoryTable
from reconciler.classify import Suspect, classify
from reconciler.conflict import Conflict, Kind, Mode
from reconciler.decisions import Decision, Escalate, Fine, Noop, Repair, Trouble
from reconciler.explain import explain, sentence
from reconciler.policy import CAUSALITY, AttributePolicy, OnHardDelete, Policy, Region
from reconciler.policy import Kind as Join
from reconciler.records import SequenceNumber, StreamRecord
from reconciler.settle import settle
from reconciler.stamps import WriteId
from reconciler.wire import Image
from reconciler.writer import Writer

POLICY = Policy(
    "Accounts",
    "Id",
    (Region("us-east-1"), Region("eu-west-1")),
    attributes={"Balance": AttributePolicy(Join.COUNTER), "Tags": AttributePolicy(Join.SET)},
)
NOW = 1_700_000_000_000
HOUR = 3_600_000
KEY: Image = {"Id": {"S": "acct-1"}}


class Regions:
    """Two replicas of one item, and what each of them forgets."""

    def __init__(self, now: int = NOW) -> None:
        """Start with the same item in both."""
        self.now = now
        self._tables = {region: MemoryTable() for region in POLICY.regions}
        self.write("us-east-1", "k0", Set={"Data": "v0"}, Add={"Balance": 1})
        self.replicate("us-east-1", "eu-west-1")

    def write(self, region: str, key: str, **request: Any) -> None:
        """Execute one request."""
        self.now += 1
        writer = Writer(
            self._tables[Region(region)],
            region,
            POLICY,
            clock=lambda: self.now,
            new_key=str,
            pause=lambda _attempt: None,
            meter=MemoryMeter(),
        )
        writer.process_event({"Id": "acct-1", "IdempotencyKey": key, **request})

    def image(self, region: str) -> Image | None:
        """Return what stands in a Region."""
        return self._tables[Region(region)].read(KEY)

    def replicate(self, winner: str, loser: str) -> StreamRecord:
        """Let the winner's image stand in the loser's Region, and return the loser's stream record."""
        old, new = self.image(loser), self.image(winner)
        assert new is not None
        self._tables[Region(loser)].put(KEY, new)
        return record(old, new)


def record(old: Image | None, new: Image | None, key: Image = KEY) -> StreamRecord:
    """Return a stream record of these images."""
    operation = "INSERT" if old is None else "REMOVE" if new is None else "MODIFY"
    return StreamRecord(operation, key, old, new, SequenceNumber("7"), NOW)


def decide(seen: StreamRecord, policy: Policy = POLICY) -> tuple[Decision, ...]:
    """Decide about a record as the worker does, where the table holds its new image."""
    verdict = classify(seen, policy, NOW)
    if isinstance(verdict, Suspect):
        return settle([verdict], seen.new, policy, "us-east-1").decisions
    return (verdict,)


def told(seen: StreamRecord, decision: Decision | None = None, policy: Policy = POLICY) -> dict[str, Any]:
    """Explain a decision, or the first that the record calls for."""
    return explain(decision or decide(seen, policy)[0], seen, policy, "us-east-1")


def lost_update() -> StreamRecord:
    """A: Balance+10 Tags+a Data=a1 | B: Balance+100 Tags+b Data=b1 | B>A."""
    regions = Regions()
    regions.write("us-east-1", "k1", Set={"Data": "a1", "Note": "hi"}, Add={"Balance": 10}, AddToSet={"Tags": ["a"]})
    regions.write("eu-west-1", "k2", Set={"Data": "b1"}, Add={"Balance": 100}, AddToSet={"Tags": ["b"]})
    return regions.replicate("eu-west-1", "us-east-1")


def test_a_repair_tells_what_each_attribute_became() -> None:
    """Each attribute is restored, merged or superseded, by its policy, from which value and over which."""
    data = told(lost_update())
    assert {name: data[name] for name in ("decision", "reason", "mode", "region", "key", "sequence_number")} == {
        "decision": "repair",
        "reason": "overwritten",
        "mode": "exact",
        "region": "us-east-1",
        "key": {"Id": "acct-1"},
        "sequence_number": "7",
    }
    assert len(data["writes"]) == 1
    assert data["attributes"] == [
        {
            "name": "Balance",
            "policy": "counter",
            "fate": "merged",
            "overwritten": Decimal(11),
            "winner": Decimal(101),
            "now": Decimal(111),
        },
        {"name": "Data", "policy": "latest", "fate": "superseded", "overwritten": "a1", "winner": "b1", "now": "b1"},
        {"name": "Note", "policy": "latest", "fate": "restored", "overwritten": "hi", "now": "hi"},
        {"name": "Tags", "policy": "set", "fate": "merged", "overwritten": {"a"}, "winner": {"b"}, "now": {"a", "b"}},
    ]


def test_a_repair_is_one_sentence() -> None:
    """A person reads where, what and by which rule, in the item's own values."""
    assert sentence(told(lost_update())) == (
        'In us-east-1, item "acct-1" was overwritten by another Region\'s version, which had not seen 1 write: '
        "both were joined, and now Balance is 111, from 11 and 101 (counter); "
        'Data is "b1", no longer "a1" (latest); Note is "hi" again (latest); '
        'Tags is {"a", "b"}, from {"a"} and {"b"} (set). (exact)'
    )


def test_an_included_noop_has_its_witness() -> None:
    """Nothing was lost, for the new image has all executions of the old one."""
    regions = Regions()
    regions.write("eu-west-1", "k1", Add={"Balance": 1})
    regions.replicate("eu-west-1", "us-east-1")
    regions.write("eu-west-1", "k2", Add={"Balance": 1})
    data = told(regions.replicate("eu-west-1", "us-east-1"))
    assert (data["decision"], data["reason"], data["witness"]) == ("noop", "included", {"executions": 2, "included": 2})
    assert sentence(data) == (
        'Nothing was lost: the new version of item "acct-1" in us-east-1 includes all 2 writes of the one it replaced. '
        "(exact)"
    )


def test_a_repaired_loss_met_again_counts_what_the_table_has() -> None:
    """The new image lacks a write, but the table's item has it again: the witness says both."""
    data = told(lost_update(), Noop(Fine.ALREADY_REPAIRED))
    assert data["witness"] == {"executions": 2, "included": 1}
    assert sentence(data) == (
        'Nothing is left to do: a version of item "acct-1" was overwritten in us-east-1, '
        "but the table's item includes all 2 writes of it again. (exact)"
    )
    assert sentence(told(lost_update(), Noop(Fine.INCLUDED))) == sentence(data)


def test_what_a_removal_took_is_counted_too() -> None:
    """Where the table's item includes what was removed, none of it is in the record."""
    removed = record(Regions().image("us-east-1"), None)
    assert told(removed, Noop(Fine.ALREADY_REPAIRED))["witness"] == {"executions": 1, "included": 0}


def test_a_plain_item_counts_by_its_version() -> None:
    """Before adoption, Version says how many writes there were."""
    plain: Image = {**KEY, "Version": {"N": "0"}}
    data = told(record(plain, Regions().image("us-east-1")), Noop(Fine.INCLUDED))
    assert (data["witness"], data["mode"]) == ({"executions": 0, "included": 0}, "approximate")
    assert "includes everything of the one it replaced" in sentence(data)


@pytest.mark.parametrize(
    ("reason", "text"),
    [
        (Fine.CREATED, 'Nothing was lost: item "acct-1" is new in us-east-1, so that nothing was overwritten.'),
        (Fine.INCLUDED, "Nothing was lost: the new version of item"),
        (Fine.UNCHANGED, 'Nothing was lost: both versions of item "acct-1" in us-east-1 are equal.'),
        (Fine.ALREADY_REPAIRED, "Nothing is left to do: a version of"),
        (Fine.SUCCESSOR, "Nothing seems lost: by Version and Timestamp"),
        (Fine.UNMANAGED, 'Left alone: item "acct-1" in us-east-1 has no usable Timestamp'),
        (Fine.EXPIRED, "was the mark of a delete, past its time."),
        (Fine.BEATEN, 'a delete of item "acct-1" beat'),
        (Fine.HARD_DELETED, "was removed for good, by someone other than the writer: that is accepted"),
        (Fine.REPORTED, 'someone changed item "acct-1" without the writer: the table\'s item stays as it is'),
    ],
)
def test_every_noop_has_a_sentence(reason: Fine, text: str) -> None:
    """Whatever the reason for doing nothing, a person is told it."""
    assert text in sentence(told(record(None, {**KEY}), Noop(reason)))


@pytest.mark.parametrize("trouble", list(Trouble))
def test_every_escalation_has_a_sentence_and_both_images(trouble: Trouble) -> None:
    """A person is told what the trouble is, and a machine gets the images as they came."""
    seen = record({**KEY, CAUSALITY: {"S": "?"}}, {**KEY, CAUSALITY: {}})
    data = told(seen, Escalate(trouble, "Causality: is not a map", seen))
    mode = "approximate" if trouble is Trouble.FOREIGN else "exact"
    assert (data["old_image"], data["new_image"], data["mode"]) == (seen.old, seen.new, mode)
    text = sentence(data)
    assert text.startswith('In us-east-1, item "acct-1" waits in the queue for a person: ')
    assert text.endswith(f" (Causality: is not a map). ({mode})")


@pytest.mark.parametrize(
    ("decision", "mode"),
    [
        (Noop(Fine.INCLUDED), Mode.EXACT),
        (Noop(Fine.INCLUDED, plain=True), Mode.APPROXIMATE),
        (Noop(Fine.SUCCESSOR), Mode.APPROXIMATE),
        (Noop(Fine.UNMANAGED), Mode.APPROXIMATE),
        (Escalate(Trouble.BROKEN_RECORD, "", record(None, None)), Mode.APPROXIMATE),
        (Escalate(Trouble.MALFORMED, "", record({**KEY}, {**KEY, CAUSALITY: {}})), Mode.APPROXIMATE),
        (Escalate(Trouble.HARD_DELETE, "", record({**KEY, CAUSALITY: {}}, None)), Mode.EXACT),
        (Escalate(Trouble.FOREIGN, "", record({**KEY, CAUSALITY: {}}, {**KEY, CAUSALITY: {}})), Mode.APPROXIMATE),
    ],
)
def test_every_decision_says_whether_it_is_exact(decision: Decision, mode: Mode) -> None:
    """Only ledgers prove anything: without one, or beside a foreign write, a decision is approximate."""
    assert decision.mode is mode
    if isinstance(decision, Escalate):
        assert explain(decision, decision.record, POLICY, "us-east-1")["mode"] == mode.value


def swept() -> StreamRecord:
    """An item re-created after its tombstone expired, and taken by the sweep that was meant for the tombstone."""
    regions = Regions(NOW - POLICY.tombstone_ttl_ms - HOUR)
    regions.write("us-east-1", "k1", Delete=True)
    regions.now = NOW - 2
    regions.write("us-east-1", "k2", Set={"Data": "new"})
    return record(regions.image("us-east-1"), None)


def lost_delete() -> StreamRecord:
    """A: delete | B: Balance+7 | B>A."""
    regions = Regions()
    regions.write("us-east-1", "k1", Delete=True)
    regions.write("eu-west-1", "k2", Add={"Balance": 7})
    return regions.replicate("eu-west-1", "us-east-1")


def beaten() -> StreamRecord:
    """A: Balance+7 | B: delete | B>A."""
    regions = Regions()
    regions.write("us-east-1", "k1", Add={"Balance": 7})
    regions.write("eu-west-1", "k2", Delete=True)
    return regions.replicate("eu-west-1", "us-east-1")


def repeated() -> StreamRecord:
    """A: Balance+7 #k1 | B: Balance+7 #k1 | B>A."""
    regions = Regions()
    regions.write("us-east-1", "k1", Add={"Balance": 7})
    regions.write("eu-west-1", "k1", Add={"Balance": 7})
    return regions.replicate("eu-west-1", "us-east-1")


def foreign() -> StreamRecord:
    """Data is changed by hand, and Note added."""
    image = Regions().image("us-east-1")
    assert image is not None
    return record(image, {**image, "Data": {"S": "by hand"}, "Note": {"S": "hi"}})


def plain_conflict() -> StreamRecord:
    """Two Regions write one plain item at once."""
    base: Image = {**KEY, "Version": {"N": "2"}, "Timestamp": {"N": str(NOW)}}
    return record(
        {**base, "IdempotencyKey": {"S": "a"}, "Data": {"S": "a"}},
        {**base, "IdempotencyKey": {"S": "b"}, "Data": {"S": "b"}},
    )


@pytest.mark.parametrize(
    ("history", "text"),
    [
        (
            swept,
            (
                'In us-east-1, a late time-to-live removal, meant for the deleted item "acct-1" of before, took '
                'the new one: it was put back, and now Data is "new" again (latest). (exact)'
            ),
        ),
        (
            lost_delete,
            (
                'In us-east-1, the delete of item "acct-1" was overwritten by another Region\'s version, '
                "which had not seen it: the delete stands again. (exact)"
            ),
        ),
        (
            beaten,
            (
                'In us-east-1, a delete of item "acct-1" beat 1 write that it had not seen: the delete stands, and the '
                'loss is recorded (Balance is absent, no longer 8 (counter); Data is absent, no longer "v0" (latest)). '
                "(exact)"
            ),
        ),
        (
            repeated,
            (
                'In us-east-1, item "acct-1" was overwritten by another Region\'s version, which had not seen a '
                "repetition of a write: both were joined, and now every attribute is as it was. (exact)"
            ),
        ),
        (
            foreign,
            (
                'As far as can be told without a ledger: in us-east-1, someone changed item "acct-1" without the '
                'writer: the change was taken over as a write of its own, and now Data is "by hand", '
                'no longer "v0" (latest); Note is "hi", no longer absent (latest). (approximate)'
            ),
        ),
        (
            plain_conflict,
            (
                'As far as can be told without a ledger: in us-east-1, item "acct-1" was overwritten by another '
                'Region\'s version, which had not seen 1 write: both were joined, and now Data is "b", '
                'no longer "a" (latest). (approximate)'
            ),
        ),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)
def test_a_conflict_in_a_sentence(history: Callable[[], StreamRecord], text: str) -> None:
    """Each kind of conflict reads as what happened, and what became of it."""
    assert sentence(told(history())) == text


def test_a_hard_delete_undone() -> None:
    """Where the policy restores what was removed for good, the whole item is told to be back."""
    removed = record(Regions().image("us-east-1"), None)
    assert sentence(told(removed, policy=replace(POLICY, hard_delete=OnHardDelete.RESTORE))) == (
        'In us-east-1, item "acct-1" was removed for good, by someone other than the writer: '
        'it was put back, and now Balance is 1 again (counter); Data is "v0" again (latest). (exact)'
    )


def conflict_with(loser: Image, merged: Image, writes: int = 0) -> Conflict:
    """Return a conflict over whatever the loser holds."""
    paths = tuple(sorted(name for name in loser if name != "Id"))
    return Conflict(
        kind=Kind.OVERWRITTEN,
        mode=Mode.EXACT,
        region="us-east-1",
        table="Accounts",
        key=KEY,
        sequence_number="7",
        loser=loser,
        winner={},
        merged=merged,
        writes=(WriteId("w"),) * writes,
        overwritten=paths,
        lost=paths,
    )


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ({"S": "x" * 50}, f'"{"x" * 38}…'),
        ({"S": "a\x1b[31mred"}, '"a\\u001b[31mred"'),
        ({"N": "1E+3"}, "1000"),
        ({"BOOL": True}, "true"),
        ({"NULL": True}, "null"),
        ({"B": "AAE="}, "binary of 2 bytes"),
        ({"L": [{"N": "1"}, {"S": "x"}]}, '[1, "x"]'),
        ({"M": {"a": {"N": "1"}}}, "{a: 1}"),
        ({"NS": ["2", "1"]}, "{1, 2}"),
        ({}, "{}"),
    ],
)
def test_values_are_short_and_safe_to_print(value: dict[str, Any], text: str) -> None:
    """Every type of value is written for a person; what a terminal would obey is escaped, what is long is cut."""
    seen = record({**KEY, "Data": value}, {**KEY})
    data = told(seen, Repair(conflict_with({"Data": value}, {"Data": value})))
    assert f"Data is {text} again (latest)" in sentence(data)


def test_what_is_no_value_is_told_as_it_came() -> None:
    """An image that cannot be read is still shown."""
    broken: Image = {"Data": {"N": "many"}}
    data = told(record(broken, {}), Repair(conflict_with(broken, broken, writes=2)))
    assert data["attributes"][0]["now"] == {"N": "many"}
    assert 'had not seen 2 writes: both were joined, and now Data is {N: "many"} again' in sentence(data)


def test_many_attributes_are_cut() -> None:
    """A sentence names forty attributes, and how many more there are."""
    image: Image = {f"A{number:02}": {"N": "1"} for number in range(43)}
    text = sentence(told(record(image, {}), Repair(conflict_with(image, image))))
    assert text.endswith("A39 is 1 again (latest); 3 more. (exact)")


@pytest.mark.parametrize(
    ("key", "name"),
    [
        ({"Id": {"S": "x"}, "Sort": {"N": "3"}}, 'item Id "x" Sort 3'),
        ({}, "an unknown item"),
    ],
)
def test_an_item_is_named_by_its_whole_key(key: Image, name: str) -> None:
    """A sort key is named too; a broken record may have no key at all."""
    assert f"Nothing was lost: {name} is new" in sentence(told(record(None, {}, key), Noop(Fine.CREATED)))
