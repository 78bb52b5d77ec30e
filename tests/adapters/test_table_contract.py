"""One contract for every engine: what the core may rely on, whichever table stands behind the port."""

import pytest

from reconciler.change import Change, change_between
from reconciler.errors import ItemError, TooLargeError
from reconciler.ports import Stale, StaleItems, Table, Written
from reconciler.wire import Image, Value, canonical_image

KEY: Image = {"Id": {"S": "sub-1"}, "At": {"B": "AP8="}}
OTHER_KEY: Image = {"Id": {"S": "sub-1"}, "At": {"B": "AQ=="}}
OLD: Value = {"S": "old"}
NEW: Value = {"S": "new"}
SEEN: Value = {"M": {"Stamp": {"N": "1"}}}
NEXT: Value = {"M": {"Stamp": {"N": "2"}}}
TOO_LONG: Value = {"S": "x" * (400 << 10)}
LOOK_ALIKES: list[Value] = [
    {"S": "1"},
    {"N": "1"},
    {"B": "MQ=="},
    {"SS": ["1"]},
    {"NS": ["1"]},
    {"BS": ["MQ=="]},
    {"L": [{"S": "1"}]},
    {"L": [{"B": "MQ=="}]},
    {"M": {}},
    {"NULL": True},
    {"BOOL": False},  # moto takes true for the number 1
]


def item(key: Image = KEY, **attributes: Value) -> Image:
    """Return an item at `key`."""
    return {**key, **attributes}


def creation(image: Image) -> Change:
    """Return the change that creates the item."""
    return change_between({name: image[name] for name in KEY}, None, image, ())


def given(table: Table, image: Image) -> Image:
    """Let the item stand in the table."""
    assert table.write(creation(image)) == Written()
    return image


def update(seen: Image, item: Image, *expects: str) -> Change:
    """Return the change between two states of an item."""
    return change_between({name: seen[name] for name in KEY}, seen, item, expects)


def stored(table: Table, key: Image = KEY) -> Image | None:
    """Return what stands in the table, in canonical form."""
    image = table.read(key)
    return image and canonical_image(image)


def wide(count: int, value: Value) -> Image:
    """Return an item of that many attributes."""
    return item(**{f"A{number:03}": value for number in range(count)})


def test_an_absent_item_reads_as_none(table: Table) -> None:
    """Where nothing was written, nothing is read."""
    assert table.read(KEY) is None


def test_a_created_item_reads_as_it_was_written(table: Table) -> None:
    """Every type survives: binary is base64 text on both ways, in sets, lists and maps too."""
    image = item(
        Text={"S": ""},
        Number={"N": "-1.5"},
        Binary={"B": "AP/+"},
        Flag={"BOOL": False},
        Nothing={"NULL": True},
        Texts={"SS": ["a", "b"]},
        Numbers={"NS": ["1", "20"]},
        Binaries={"BS": ["AA==", "AQ=="]},
        List={"L": [{"B": "AA=="}, {"S": "x"}, {"L": []}]},
        Map={"M": {"Deep": {"M": {"Deeper": {"BS": ["/w=="]}}}, "Empty": {"M": {}}}},
    )
    given(table, image)
    assert stored(table) == canonical_image(image)


def test_an_item_is_created_once(table: Table) -> None:
    """Where an item stands, a creation fails, shows the item and changes nothing."""
    first = given(table, item(Data=OLD))
    assert table.write(creation(item(Data=NEW))) == Stale(first)
    assert stored(table) == canonical_image(first)


def test_items_with_another_sort_key_are_others(table: Table) -> None:
    """The whole key says which item is meant."""
    given(table, item(Data=OLD))
    given(table, item(OTHER_KEY, Data=NEW))
    assert (stored(table) or {})["Data"] == OLD
    assert (stored(table, OTHER_KEY) or {})["Data"] == NEW


def test_an_update_touches_only_what_differs(table: Table) -> None:
    """What someone else has just added stays."""
    seen = item(Data=OLD, Gone=OLD, Kept=OLD)
    given(table, item(Data=OLD, Gone=OLD, Kept=OLD, Added=NEW))
    assert table.write(update(seen, item(Data=NEW, Kept=OLD, Fresh=NEW), "Data")) == Written()
    assert stored(table) == canonical_image(item(Data=NEW, Kept=OLD, Added=NEW, Fresh=NEW))


def test_an_update_demands_that_the_item_exists(table: Table) -> None:
    """An update of an absent item fails, shows nothing and leaves nothing behind."""
    assert table.write(update(item(Data=OLD), item(Data=NEW))) == Stale(None)
    assert table.read(KEY) is None


def test_an_expected_value_that_changed_stops_an_update(table: Table) -> None:
    """The current item is shown, and stays as it is."""
    current = given(table, item(Data=NEW, Binary={"B": "AA=="}))
    assert table.write(update(item(Data=OLD), item(Data={"S": "mine"}), "Data")) == Stale(current)
    assert stored(table) == canonical_image(current)


def test_an_expected_value_that_is_gone_stops_an_update(table: Table) -> None:
    """A value is not equal to nothing."""
    current = given(table, item())
    assert table.write(update(item(Data=OLD), item(Data=NEW), "Data")) == Stale(current)


def test_an_attribute_expected_to_be_absent_stops_an_update(table: Table) -> None:
    """Where none was seen, none may stand."""
    current = given(table, item(Data=NEW))
    assert table.write(update(item(), item(Data=OLD), "Data")) == Stale(current)
    assert table.write(update(item(), item(Other=OLD), "Another")) == Written()


@pytest.mark.parametrize(
    ("stands", "expected"),
    [
        ({"N": "2"}, {"N": "2.0"}),
        ({"N": "100"}, {"N": "1E2"}),
        ({"SS": ["a", "b"]}, {"SS": ["b", "a"]}),
        ({"NS": ["1", "2"]}, {"NS": ["2", "1.0"]}),
        ({"BS": ["AA==", "AQ=="]}, {"BS": ["AQ==", "AA=="]}),
        ({"M": {"a": {"NS": ["1", "2"]}, "b": {"S": "x"}}}, {"M": {"b": {"S": "x"}, "a": {"NS": ["2", "1"]}}}),
        ({"M": {}}, {}),
    ],
)
def test_another_spelling_of_the_same_value_is_expected_too(table: Table, stands: Value, expected: Value) -> None:
    """Neither the spelling of numbers nor the order in sets and maps means anything."""
    given(table, item(Data=stands))
    assert table.write(update(item(Data=expected), item(Data=NEW), "Data")) == Written()


@pytest.mark.parametrize("stands", LOOK_ALIKES, ids=str)
def test_values_of_two_types_are_never_equal(table: Table, stands: Value) -> None:
    """Text, numbers and binary that look alike are different."""
    current = given(table, item(Data=stands))
    for expected in LOOK_ALIKES:
        if expected != stands:
            assert table.write(update(item(Data=expected), item(Data=NEW), "Data")) == Stale(current)


def test_an_empty_change_only_asks(table: Table) -> None:
    """A change of nothing is made where its conditions hold, and shows the current item where they do not."""
    current = given(table, item(Data=OLD))
    assert table.write(update(current, current, "Data", "Absent")) == Written()
    stale = item(Data=NEW)
    assert table.write(update(stale, stale, "Data")) == Stale(current)
    assert stored(table) == canonical_image(current)


def test_an_empty_change_of_an_absent_item_is_stale(table: Table) -> None:
    """Even a change of nothing demands that the item exists."""
    assert table.write(update(item(), item())) == Stale(None)


@pytest.mark.parametrize(
    "name", ["Name", "a.b", "a b", "#n0", ":v0", "items[0]", "Größe", "Profile/LoginCount", "size"]
)
def test_any_name_can_be_set_expected_and_removed(table: Table, name: str) -> None:
    """Reserved words and the signs of expressions are names like any other."""
    before = given(table, item(**{name: OLD}))
    after = item(**{name: NEW})
    assert table.write(update(before, after, name)) == Written()
    assert stored(table) == canonical_image(after)
    assert table.write(update(after, item(), name)) == Written()
    assert stored(table) == canonical_image(item())


def test_a_change_of_many_attributes_keeps_what_someone_else_added(table: Table) -> None:
    """A hundred attributes still touch only themselves."""
    seen = wide(100, OLD)
    given(table, {**seen, "Added": NEW})
    assert table.write(update(seen, wide(100, NEW), *seen)) == Written()
    assert stored(table) == canonical_image({**wide(100, NEW), "Added": NEW})


def test_a_change_too_wide_for_an_update_is_made_whole(table: Table) -> None:
    """Beyond DynamoDB's limit of an update's text, the item becomes what it should be."""
    seen = given(table, {**wide(500, OLD), "Kept": OLD, "Gone": OLD, "aws:rep:deleting": {"BOOL": False}})
    target = {**wide(500, NEW), "Kept": OLD}
    assert table.write(update(seen, target, "Kept")) == Written()
    assert stored(table) == canonical_image({**target, "aws:rep:deleting": {"BOOL": False}})


@pytest.mark.parametrize("count", [100, 200, 500])
def test_causality_guards_a_change_of_any_width(table: Table, count: int) -> None:
    """However many attributes are expected, a write that changed `Causality` is never overwritten."""
    seen = {**wide(count, OLD), "Causality": SEEN}
    current = given(table, {**seen, "Causality": NEXT})
    target = {**wide(count, NEW), "Causality": {"M": {"Stamp": {"N": "3"}}}}
    assert table.write(update(seen, target, *target)) == Stale(current)
    assert stored(table) == canonical_image(current)


def test_a_change_too_wide_for_an_update_notices_a_changed_attribute(table: Table) -> None:
    """What the change touches is guarded before what it only carries along."""
    seen = {**wide(140, OLD), **{f"New{number:03}": OLD for number in range(10)}}
    current = given(table, {**seen, "New009": NEW})
    target = {**wide(140, OLD), **{f"Fresh{number:03}": NEW for number in range(400)}}
    assert table.write(update(seen, target, *(name for name in seen if name.startswith("New")))) == Stale(current)


def test_hundreds_of_attributes_may_be_expected_to_be_absent(table: Table) -> None:
    """The conditions stay within DynamoDB's limits of text and operators."""
    current = given(table, item(Causality=SEEN))
    target = {**wide(200, NEW), "Causality": NEXT}
    assert table.write(update(current, target, *target)) == Written()
    assert stored(table) == canonical_image(target)


def test_an_item_beyond_400_kb_is_too_large(table: Table) -> None:
    """Neither a creation nor an update may pass DynamoDB's limit, and nothing is changed."""
    with pytest.raises(TooLargeError):
        table.write(creation(item(Data=TOO_LONG)))
    assert table.read(KEY) is None
    small = given(table, item(Data=OLD))
    with pytest.raises(TooLargeError):
        table.write(update(small, item(Data=TOO_LONG)))
    assert stored(table) == canonical_image(small)


def test_a_key_attribute_cannot_be_changed(table: Table) -> None:
    """An item never moves to another key."""
    seen = given(table, item(Data=OLD))
    for change in (
        Change(KEY, seen, seen, {"Id": {"S": "elsewhere"}}, (), {}),
        Change(KEY, seen, seen, {}, ("At",), {}),
    ):
        with pytest.raises(ItemError):
            table.write(change)


def test_what_is_no_wire_value_is_refused_by_name(table: Table) -> None:
    """An attribute that DynamoDB has no type for is named, and not written."""
    with pytest.raises(ItemError, match=r"^Data: "):
        table.write(creation(item(Data={"B": "not base64"})))
    with pytest.raises(ItemError):
        table.write(creation(item(Data={"Q": "x"})))
    assert table.read(KEY) is None


def test_a_transaction_makes_every_change(table: Table) -> None:
    """A creation, an update and a change of nothing go together."""
    first = given(table, item(Data=OLD))
    second = item(OTHER_KEY, Data=NEW)
    third = given(table, item({**KEY, "Id": {"S": "sub-3"}}, Data=OLD))
    changes = [update(first, item(Data=NEW), "Data"), creation(second), update(third, third, "Data")]
    assert table.transact(changes, "token-1") == Written()
    assert stored(table) == canonical_image(item(Data=NEW))
    assert stored(table, OTHER_KEY) == canonical_image(second)


def test_a_transaction_changes_nothing_where_one_condition_fails(table: Table) -> None:
    """What stands there now is shown for the positions that failed, and only for them."""
    first = given(table, item(Data=NEW, Binary={"B": "AA=="}))
    third_key = {**KEY, "Id": {"S": "sub-3"}}
    changes = [
        update(item(Data=OLD), item(Data={"S": "mine"}), "Data"),
        creation(item(OTHER_KEY, Data=NEW)),
        update(item(third_key), item(third_key, Data=NEW)),
    ]
    assert table.transact(changes, "token-1") == StaleItems({0: first, 2: None})
    assert stored(table) == canonical_image(first)
    assert table.read(OTHER_KEY) is None


def test_a_transaction_changes_nothing_where_one_item_is_too_large(table: Table) -> None:
    """A limit of one item is a limit of all."""
    changes = [creation(item(Data=OLD)), creation(item(OTHER_KEY, Data=TOO_LONG))]
    with pytest.raises(TooLargeError):
        table.transact(changes, "token-1")
    assert table.read(KEY) is None
