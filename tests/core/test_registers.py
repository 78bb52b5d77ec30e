"""Policies `latest` and `manual`: the greater stamp wins, by one total order; removal is a write."""

import pytest

from reconciler.apply import Execution, apply, changes_nothing
from reconciler.item import NO_WRITE, Item, Newest, Register
from reconciler.join import later
from reconciler.ledger import Ledger
from reconciler.requests import parse_request
from reconciler.stamps import EARLIEST, Stamp, next_stamp, write_id
from reconciler.wire import from_plain
from tests.core.histories import KEY, POLICY, START_MS, history, request_of


@pytest.mark.parametrize(
    ("text", "data"),
    [
        ("A: Data=a #k1 | B: Data=b #k2 | A>B | B>A", "b"),
        ("B: Data=b #k2 | A: Data=a #k1 | A>B | B>A", "a"),
        ("A: Data=a #k1 @-10 | B: Data=b #k2 @-20 | A>B | B>A", "a"),
        ("A: Data=a #k1 | A>B | A: ~Data #k2 | A>B | B>A", None),
        ("A: Data=a #k1 | A>B | A: ~Data #k2 | B: Data=b #k3 | A>B | B>A", "b"),
        ("A: Data=a #k1 | A>B | B: Data=b #k3 | A: ~Data #k2 | A>B | B>A", None),
        ("A: Data=a #k1 | A: ~Data #k2 @-10 | A>B", "a"),
        ("A: ~Data #k1 | B: Data=b #k2 @-10 | A>B | B>A", None),
        ("A: Data=a #k1 | B: Other=o #k2 | A>B | B>A", "a"),
        ("A: Data=a #k1 | A>B | B: Other=o #k2 | B: Other=p #k3 | A: Data=c #k4 | B>A | A>B", "c"),
        ("A: Data=a #k1 @-10 | A: Data=b #k2 @-20 | A>B", "a"),
    ],
)
def test_the_later_write_wins(text, data):
    """By the client's time where the request gives one, else by the ledger stamp; a removal is a write too."""
    table = history(text)
    if "B" not in table.items:
        table.repair("A", "B")
    assert table.everywhere("Data") == data


def test_one_register_does_not_drag_another():
    """Each register has its own stamp, though most share the newest write's."""
    table = history("A: Data=a Other=a #k1 | A>B | A: Data=b #k2 | B: Other=b #k3 | A>B | B>A")
    assert (table.everywhere("Data"), table.everywhere("Other")) == ("b", "b")


def test_an_absent_register_is_lowest():
    """Of two writes with one stamp, a value wins over a removal."""
    value = Register(EARLIEST, {"S": ""})
    assert later(value, Register(EARLIEST, None)) == value == later(Register(EARLIEST, None), value)


@pytest.mark.parametrize(
    ("lower", "higher"),
    [("a", "b"), (10, 9), (1, "1"), (None, "a"), ({"a"}, {"b"}), ([1], [2]), (False, True), ({"a": 1}, {"a": 2})],
)
def test_equal_stamps_are_ordered_by_canonical_value(lower, higher):
    """One total order over all values, by their canonical text: not by size, and not by who is asked first."""
    one, other = Register(EARLIEST, from_plain(lower)), Register(EARLIEST, from_plain(higher))
    assert later(one, other) == later(other, one) == other


def test_a_stamp_outranks_any_value():
    """A later removal wins over the greatest value."""
    removal = Register(Stamp(EARLIEST + 1), None)
    assert later(Register(EARLIEST, from_plain("zzz")), removal) == removal


def test_the_newest_write_is_one_register():
    """Timestamp, Region and key are those of one write: by stamp, then key, then Region."""
    table = history("A: Data=a #k1 | B: Balance+1 #k2 | A>B | B>A")
    assert table.image("A")["IdempotencyKey"] == {"S": "k2"}
    assert table.image("A")["LastUpdatedRegion"] == {"S": "B"}
    assert max(Newest(EARLIEST, "k1", "B"), Newest(EARLIEST, "k2", "A"), NO_WRITE) == Newest(EARLIEST, "k2", "A")


def test_a_superseded_write_still_enters_the_ledger():
    """It changes no attribute, raises Version, and its retry is a duplicate."""
    table = history("A: Data=a #k1 | A: Data=b #k2 @-500 | A: Data=b #k2 @-500")
    assert table.image("A")["Version"] == {"N": "2"}
    assert table.image("A")["Timestamp"] == {"N": str(START_MS)}
    assert table.at("A", "Data") == "a"


@pytest.mark.parametrize(
    ("words", "superseded"),
    [
        ("Data=b @-500", True),
        ("~Data @-500", True),
        ("Limit=3", True),
        ("Limit=2", True),
        ("Floor=9", True),
        ("Status=pending", True),
        ("Seen+{1}", True),
        ("Balance+0", True),
        ("Tags-{z}", True),
        ("Note=a", True),
        ("~Profile/Sub", True),
        ("Data=a", False),
        ("Limit=4", False),
        ("Status=closed", False),
        ("Seen+{2}", False),
        ("Balance+1", False),
        ("Profile/Count+0", False),
        ("Tags+{a}", False),
        ("Tags-{a}", False),
        ("~Data", False),
        ("~Other", False),
    ],
)
def test_superseded_means_that_nothing_came_out_different(words, superseded):
    """Neither a value nor its standing: setting the same value later is a change, since it wins longer."""
    item = history(
        "A: Data=a Limit=3 Floor=2 Status=active Seen+{1} Balance+1 Tags+{a} Note=bb ~Profile/Sub/z #k1"
    ).item("A")
    request = {"Id": "x", **request_of(words.split())}
    stamp = next_stamp(START_MS + 50, item.newest_stamp, 1, write_id("k2"))
    value_stamp = Stamp(EARLIEST) if "@" in words else stamp
    execution = Execution(write_id("k2"), stamp, value_stamp, "k2", "A")
    after = apply(item, parse_request(request, POLICY), execution, POLICY)
    assert changes_nothing(item, after) is superseded


def test_removing_a_map_removes_each_member_present():
    """Members that are there get a removal each; one that another Region adds without having seen it stays."""
    table = history("A: Profile/Name=a Profile/Sub/x=1 #k1 | A>B | A: ~Profile/Name #k2 | A: Profile/Name=b #k3 | A>B")
    table.policy = POLICY
    event = {"IdempotencyKey": "k4", "Remove": ["Profile/Sub"]}
    table.execute("A", event)
    table.execute("B", {"IdempotencyKey": "k5", "Set": {"Profile/Sub/y": 2}})
    table.repair("A", "B")
    table.repair("B", "A")
    assert table.everywhere("Profile/Sub/x") is None
    assert table.everywhere("Profile/Sub/y") == 2
    assert table.everywhere("Profile/Name") == "b"


def test_a_new_stamp_is_above_everything_in_the_item():
    """A write after a client's later time, a far horizon or a delete comes after them all."""
    for text in (
        "A: Data=v #k1 @900",
        "A: Data=v #k1 | wait 900 | A: Data=w #k2 | A folds",
        "wait 900 | A: delete #k1",
    ):
        table = history(text)
        newest = table.item("A").newest_stamp
        table.now_ms = START_MS
        table.execute("A", {"IdempotencyKey": "later", "Set": {"Other": "o"}})
        assert min(table.item("A").ledger.writes[write_id("later")]) > newest
    assert Item(KEY).newest_stamp == 0


@pytest.mark.parametrize(
    "item",
    [
        Item(KEY, Ledger(life=EARLIEST)),
        Item(KEY, Ledger(horizon=EARLIEST, writes={write_id("k"): frozenset([Stamp(EARLIEST - 1)])})),
        Item(KEY, Ledger(writes={write_id("k"): frozenset([EARLIEST])})),
        Item(KEY, newest=Newest(EARLIEST)),
        Item(KEY, registers={"Data": Register(EARLIEST, None)}),
    ],
)
def test_every_stamp_in_an_item_counts(item):
    """Ledger, value stamps, horizon and life: the newest may stand in any of them."""
    assert item.newest_stamp == EARLIEST
