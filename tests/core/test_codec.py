"""Items to and from the wire: lossless, canonical to the byte, and every malformed place named."""

from copy import deepcopy
from decimal import Decimal

import pytest
from hypothesis import given, note
from hypothesis import strategies as st

from reconciler.codec import decode, encode, expires_at, leaves
from reconciler.errors import ItemError
from reconciler.join import join
from reconciler.policy import AttributePolicy, Kind, Policy, Region
from reconciler.stamps import EARLIEST, write_id
from reconciler.wire import canonical_image, canonical_text
from tests.core.histories import KEY, POLICY, START_MS, history
from tests.core.strategies import SEARCH, reachable

FULL = "A: Data=v Owner=ana Balance+5 Tags+{a,b} Limit=3 Status=active Profile/Name=Ana Profile/Count+2 #k1"
ID1 = write_id("k1")


@SEARCH
@given(reachable(1))
def test_decoding_undoes_encoding(drawn):
    """Every state that can be reached comes back from the wire as it went."""
    scene, (item,) = drawn
    note(scene.text)
    assert decode(encode(item, POLICY), POLICY) == item


@SEARCH
@given(reachable(1))
def test_equal_states_have_equal_bytes(drawn):
    """What is written is canonical already, down to the order of its members."""
    scene, (item,) = drawn
    note(scene.text)
    image = encode(item, POLICY)
    assert canonical_image(image) == image
    assert list(image) == sorted(image)
    assert canonical_text({"M": encode(decode(image, POLICY), POLICY)}) == canonical_text({"M": image})


@SEARCH
@given(reachable(2))
def test_what_is_known_changes_nothing(drawn):
    """An image reads the same beside another one of its item, in whatever spelling."""
    scene, (item, other) = drawn
    note(scene.text)
    known = {path: register.value for path, register in other.registers.items()}
    image = encode(item, POLICY)
    assert decode(image, POLICY, known) == item
    assert encode(decode(_respelt(image), POLICY, known), POLICY) == image


@SEARCH
@given(reachable(1))
def test_any_spelling_of_an_image_is_the_same_item(drawn):
    """Reversed sets and maps, padded numbers and empty maps without a letter change nothing."""
    scene, (item,) = drawn
    note(scene.text)
    assert decode(_respelt(encode(item, POLICY)), POLICY) == item


def _respelt(value):
    match value:
        case {"N": text} if len(text) != 25 and "." not in text:
            return {"N": f"{text}.0"}
        case {"NS": texts}:
            return {"NS": [*reversed(texts)]}
        case {"SS": texts}:
            return {"SS": [*reversed(texts), texts[0]]}
        case {"M": members} if not members:
            return {}
        case dict():
            return {name: _respelt(value[name]) for name in reversed(value)}
        case _:
            return value


def test_any_reader_sees_plain_attributes():
    """GetItem shows a balance and a set; all bookkeeping is beside them."""
    image = history(FULL).image("A")
    assert image["Balance"] == {"N": "5"}
    assert image["Tags"] == {"SS": ["a", "b"]}
    assert image["Profile"] == {"M": {"Count": {"N": "2"}, "Name": {"S": "Ana"}}}
    assert image["Version"] == {"N": "1"}
    assert image["Timestamp"] == {"N": str(START_MS)}
    assert (image["LastUpdatedRegion"], image["IdempotencyKey"]) == ({"S": "A"}, {"S": "k1"})


def test_the_members_of_causality():
    """Each member in its documented form; those that would be empty are left out."""
    tail = int(history("A: Data=v #k1").item("A").newest.stamp) % 10**6
    stamp = f"{START_MS}000001{tail:06d}"
    assert history("A: Data=v #k1").image("A")["Causality"] == {
        "M": {"Stamp": {"N": stamp}, "Writes": {"M": {ID1: {"NS": [stamp]}}}},
    }
    full = history(f"{FULL} | A: Data=w #k2").image("A")["Causality"]["M"]
    assert full["Deltas"] == {"M": {"Balance": {"M": {ID1: {"N": "5"}}}, "Profile/Count": {"M": {ID1: {"N": "2"}}}}}
    assert full["Dots"] == {"M": {"Tags": {"M": {"S:a": {"NS": [stamp]}, "S:b": {"NS": [stamp]}}}}}
    assert full["Stamps"] == {"M": {path: {"N": stamp} for path in ("Owner", "Profile/Name")}}
    assert not full.keys() & {"Horizon", "Folded", "Deleted"}


def test_the_members_of_a_folded_later_life():
    """Horizon, Folded and Deleted appear with what they tell."""
    table = history("A: Data=v #k1 | A: delete #k2 | A: Balance+1 #k3 | A folds")
    causality = table.image("A")["Causality"]["M"]
    ledger = table.item("A").ledger
    assert causality["Deleted"] == {"N": str(ledger.life)}
    assert causality["Horizon"] == {"N": str(ledger.horizon)}
    assert causality["Folded"] == {"M": {"Count": {"N": "3"}, "Sum": {"N": str(ledger.sum)}}}
    assert causality["Writes"] == {"M": {}}
    assert not causality.keys() & {"Deltas", "Dots", "Stamps"}


def test_a_removed_register_is_always_listed():
    """Listed but absent means removed, even where its stamp is the newest."""
    image = history("A: Data=v #k1 | A: ~Data #k2").image("A")
    assert "Data" not in image
    assert image["Causality"]["M"]["Stamps"] == {"M": {"Data": image["Causality"]["M"]["Stamp"]}}
    assert decode(image, POLICY).registers["Data"].value is None


def test_a_counter_that_is_zero_is_still_written():
    """A counter that came back to 0 shows 0, and keeps its deltas."""
    image = history("A: Balance+5 #k1 | A: Balance-5 #k2").image("A")
    assert image["Balance"] == {"N": "0"}
    assert len(image["Causality"]["M"]["Deltas"]["M"]["Balance"]["M"]) == 2
    assert history("A: Balance+0 #k1 | A folds").image("A")["Balance"] == {"N": "0"}


def test_a_set_without_elements_is_left_out():
    """DynamoDB holds no empty set: the attribute and its dots are gone together."""
    image = history("A: Tags+{a} #k1 | A: Tags-{a} #k2").image("A")
    assert "Tags" not in image
    assert "Dots" not in image["Causality"]["M"]


def test_a_map_whose_members_are_gone_is_left_out():
    """Only the removed members' stamps stay."""
    image = history("A: Profile/Name=Ana #k1 | A: ~Profile/Name #k2").image("A")
    assert "Profile" not in image
    assert list(image["Causality"]["M"]["Stamps"]["M"]) == ["Profile/Name"]


def test_a_tombstone_alone_expires():
    """ExpiresAt is the delete's time and the policy's tombstone_ttl, in seconds, rounded up; a new life has none."""
    tombstone = history("A: Data=v #k1 | wait 1 | A: delete #k2")
    seconds = -(-(START_MS + 11 + POLICY.tombstone_ttl_ms) // 1000)
    assert tombstone.image("A")["ExpiresAt"] == {"N": str(seconds)}
    assert expires_at(tombstone.item("A").ledger.life, POLICY) == seconds
    assert "ExpiresAt" not in history("A: Data=v #k1 | A: delete #k2 | A: Data=w #k3").image("A")


def test_a_set_of_two_types_cannot_be_stored():
    """Two Regions added text and a number to one set: the attribute is named."""
    table = history("A: Tags+{a} #k1 | B: Tags+{1} #k2")
    with pytest.raises(ItemError, match="several types \\(N, S\\)") as caught:
        table.repair("A", "B")
    assert caught.value.attribute == "Tags"


def test_a_sum_beyond_38_digits_cannot_be_stored():
    """Two Regions' additions have no exact sum in DynamoDB: the counter is named, nothing is rounded."""
    table = history("A: Balance+99999999999999999999999999999999999999 #k1 | B: Balance+0.1 #k2")
    with pytest.raises(ItemError, match="more than 38 digits") as caught:
        table.repair("A", "B")
    assert caught.value.attribute == "Balance"


def test_a_sum_passes_38_digits_on_the_way_only():
    """What a sum may hold is judged on the result: the order of additions has no say."""
    table = history("""
        A: Balance+99999999999999999999999999999999999999 #k1 | B: Balance-99999999999999999999999999999999999999 #k2
        | C: Balance+0.1 #k3 | A>B | B>C
    """)
    assert table.at("C", "Balance") == Decimal("0.1")


def test_leaves_are_the_users_attributes_by_path():
    """Neither the key nor any bookkeeping is among them, nor what was removed."""
    item = history("A: Data=v Profile/Name=Ana #k1 | A: ~Data #k2").item("A")
    assert leaves(item) == {"Profile/Name": {"S": "Ana"}}


# What is malformed

IMAGE = history(f"{FULL} | A: Data=w #k2 | A folds 1 | A: delete #k3 | {FULL}4 | A: ~Data #k5").image("A")
MISSING = object()


@pytest.mark.parametrize(
    ("place", "value", "attribute"),
    [
        ("", {"S": "x"}, "Causality"),
        ("", {"M": []}, "Causality"),
        ("", None, "Causality"),
        ("", {}, "Causality"),
        ("Unknown", {"S": "x"}, "Causality"),
        ("Stamp", MISSING, "Causality"),
        ("Writes", MISSING, "Causality"),
        ("Stamp", {"N": "5"}, "Causality.Stamp"),
        ("Stamp", {"S": "1" * 25}, "Causality.Stamp"),
        ("Stamp", {"N": 5}, "Causality.Stamp"),
        ("Stamp", "x", "Causality.Stamp"),
        ("Stamp", None, "Causality.Stamp"),
        ("Horizon", {"N": "1.7E+24"}, "Causality.Horizon"),
        ("Horizon", MISSING, "Causality.Folded"),
        ("Deleted", {"N": "0" + "1" * 24}, "Causality.Deleted"),
        ("Folded", {"S": "x"}, "Causality.Folded"),
        ("Folded.Count", MISSING, "Causality.Folded.Count"),
        ("Folded.Count", {"N": "-1"}, "Causality.Folded.Count"),
        ("Folded.Count", {"N": "1E999999999"}, "Causality.Folded.Count"),
        ("Folded.Sum", {"N": "0.5"}, "Causality.Folded.Sum"),
        ("Folded.Sum", {"N": "x"}, "Causality.Folded.Sum"),
        ("Folded.Sum", {"S": "1"}, "Causality.Folded.Sum"),
        ("Writes", {"L": []}, "Causality.Writes"),
        ("Writes.short", {"NS": ["1" * 25]}, "Causality.Writes"),
        ("Writes.AAAAAAAAAAAA====", {"NS": ["1" * 25]}, "Causality.Writes"),
        (f"Writes.{ID1}", {"NS": []}, "Causality.Writes"),
        (f"Writes.{ID1}", {"NS": "1" * 25}, "Causality.Writes"),
        (f"Writes.{ID1}", {"NS": ["5"]}, "Causality.Writes"),
        (f"Writes.{ID1}", {"NS": [None]}, "Causality.Writes"),
        (f"Writes.{ID1}", {"N": "1" * 25}, "Causality.Writes"),
        (f"Writes.{ID1}", {"NS": ["1700000000000" + "0000" + "00" + "000001"]}, "Causality.Writes"),
        (f"Writes.{ID1}", {"NS": ["1700000000000" + "0000" + "04" + "000001"]}, "Causality.Writes"),
        ("Stamps", {"NULL": True}, "Causality.Stamps"),
        ("Stamps.Data", {"N": "5"}, "Causality.Stamps"),
        ("Deltas", {"S": "x"}, "Causality.Deltas"),
        ("Deltas.Balance", {"S": "x"}, "Causality.Deltas.Balance"),
        (f"Deltas.Balance.{ID1}", {"N": "1"}, "Causality.Deltas.Balance"),
        (f"Deltas.Balance.{write_id('k14')}", {"N": "one"}, "Causality.Deltas.Balance"),
        (f"Deltas.Balance.{write_id('k14')}", {"S": "1"}, "Causality.Deltas.Balance"),
        ("Dots", {"S": "x"}, "Causality.Dots"),
        ("Dots.Tags", {"SS": ["x"]}, "Causality.Dots.Tags"),
        ("Dots.Tags.S:a", {"NS": ["5"]}, "Causality.Dots.Tags"),
        ("Dots.Tags.S:a", {"M": {}}, "Causality.Dots.Tags"),
    ],
)
def test_what_is_malformed_in_causality_is_named(place, value, attribute):
    """One broken member, one error that says which; a Region code 00 or unknown is malformed."""
    image = deepcopy(IMAGE)
    container, name = image, "Causality"
    for member in place.split(".") if place else ():
        container, name = container[name].setdefault("M", {}), member
    if value is MISSING:
        del container[name]
    else:
        container[name] = value
    with pytest.raises(ItemError) as caught:
        decode(image, POLICY)
    assert caught.value.attribute == attribute


def test_the_unbroken_image_decodes():
    """The image that the table above breaks is whole."""
    assert encode(decode(IMAGE, POLICY), POLICY) == IMAGE


@pytest.mark.parametrize(
    ("name", "value", "problem"),
    [
        ("Balance", {"S": "x"}, "is S, but its policy is counter"),
        ("Balance", {"N": "x"}, "not a number"),
        ("Tags", {"S": "x"}, "is S, but its policy is set"),
        ("Tags", {"SS": []}, "not a list of set elements"),
        ("Seen", {"L": []}, "is L, but its policy is union"),
        ("Limit", {"BOOL": True}, "is BOOL, but its policy is max"),
        ("Floor", {"NULL": True}, "is NULL, but its policy is min"),
        ("Status", {"S": "lost"}, "not in the order"),
        ("Profile", {"S": "x"}, "is S and no map"),
        ("Profile", {"M": 5}, "is M and no map"),
        ("Profile", 5, "is int and no map"),
        ("Data", {"X": 1}, "one type letter"),
        ("Data", "x", "one type letter"),
        ("Profile/Name", {"S": "x"}, "reads as a path"),
        ("IdempotencyKey", {"N": "1"}, "is N where S was expected"),
        ("LastUpdatedRegion", {"S": 1}, "not text"),
    ],
)
def test_what_does_not_fit_its_policy_is_named(name, value, problem):
    """An attribute of another type than its policy wants is an error that names it, and never shows its value."""
    with pytest.raises(ItemError, match=problem) as caught:
        decode({**IMAGE, name: value}, POLICY)
    assert caught.value.attribute == name


def test_a_members_place_is_its_path():
    """What is wrong in a nested map is named by path, with a slash in a name escaped."""
    for members, place in (
        ({"Count": {"S": "x"}}, "Profile/Count"),
        ({"Sub": {"S": "x"}}, "Profile/Sub"),
        ({"a/b": {"S": 1}}, "Profile/a~1b"),
    ):
        with pytest.raises(ItemError) as caught:
            decode({**IMAGE, "Profile": {"M": members}}, POLICY)
        assert caught.value.attribute == place


def test_a_missing_key_is_named():
    """No image is read without its key."""
    with pytest.raises(ItemError, match="missing") as caught:
        decode({name: value for name, value in IMAGE.items() if name != "Id"}, POLICY)
    assert caught.value.attribute == "Id"


def test_a_region_that_the_policy_lacks_is_named_with_those_it_has():
    """The error shows the code and the Regions, so that a person can compare the two policy files."""
    stranger = Policy("Table", "Id", (Region("B"),), attributes=POLICY.attributes)
    with pytest.raises(ItemError, match=r"Region code 03 is not in the regions \['B'\]"):
        decode(history("C: Data=v #k1").image("C"), stranger)


def test_an_empty_map_may_lack_its_letter():
    """DynamoDB Local's stream shows an empty map as `{}`, wherever one stands."""
    image = history("A: Data=v #k1 | A folds").image("A")
    for name in ("Writes", "Stamps", "Deltas", "Dots"):
        image["Causality"]["M"][name] = {}
    image["Profile"] = {}
    item = decode(image, POLICY)
    assert item == history("A: Data=v #k1 | A folds").item("A")
    image["Causality"]["M"]["Deltas"] = {"M": {"Balance": {}}}
    assert decode(image, POLICY) == item
    image["Causality"]["M"]["Folded"] = {}
    assert (decode(image, POLICY).ledger.count, decode(image, POLICY).ledger.sum) == (0, 0)


# When the policy file changes


def test_a_register_that_becomes_a_set_keeps_its_elements():
    """Elements without dots were there before the policy said `set`: they get the earliest, or the horizon."""
    image = history("A: Data=v #k1").image("A") | {"Tags": {"SS": ["a"]}}
    assert decode(image, POLICY).dots["Tags"] == {"S:a": frozenset([EARLIEST])}
    folded = history("A: Data=v #k1 | A folds")
    image = folded.image("A") | {"Tags": {"SS": ["a"]}}
    assert decode(image, POLICY).dots["Tags"] == {"S:a": frozenset([folded.item("A").ledger.horizon])}


def test_a_counter_that_becomes_a_register_keeps_its_value():
    """The deltas of what is no counter any more are left out, and the number stays."""
    image = history("A: Balance+5 #k1").image("A")
    item = decode(image, Policy("Table", "Id", POLICY.regions))
    assert item.registers["Balance"].value == {"N": "5"}
    assert not item.deltas
    assert not item.bases


def test_a_removed_register_that_becomes_a_counter_is_forgotten():
    """Only registers are removed: the stamp of any other kind says nothing."""
    image = history("A: Data=v #k1 | A: ~Data #k2").image("A")
    counter = Policy("Table", "Id", POLICY.regions, attributes={"Data": AttributePolicy(Kind.COUNTER)})
    assert not decode(image, counter).registers


def test_a_counter_that_someone_removed_reads_as_zero():
    """Its base becomes what brings the named deltas to 0."""
    image = {name: value for name, value in history("A: Balance+5 #k1").image("A").items() if name != "Balance"}
    assert encode(decode(image, POLICY), POLICY)["Balance"] == {"N": "0"}


# Garbage

GARBAGE = st.recursive(
    st.none()
    | st.integers()
    | st.floats(allow_nan=False)
    | st.text(max_size=4)
    | st.sampled_from(["1" * 25, "1E999999999"]),
    lambda inner: (
        st.lists(inner, max_size=2)
        | st.dictionaries(
            st.sampled_from(["S", "N", "B", "SS", "NS", "L", "M", "NULL", "Count", "/", ID1]), inner, max_size=2
        )
    ),
    max_leaves=4,
)


def _places(value, place=()):
    """Yield the place of everything in an image."""
    members = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for name, member in members:
        yield (*place, name)
        yield from _places(member, (*place, name))


@SEARCH
@given(st.sampled_from(sorted(_places(IMAGE), key=str)), GARBAGE)
def test_garbage_raises_nothing_unforeseen(place, garbage):
    """Whatever stands anywhere in an image is read, joined and written again, or named by an ItemError."""
    image = deepcopy(IMAGE)
    container = image
    for name in place[:-1]:
        container = container[name]
    container[place[-1]] = garbage
    try:
        item = decode(image, POLICY)
        stored = encode(join(item, decode(IMAGE, POLICY), POLICY), POLICY)
    except ItemError:
        return
    assert decode(stored, POLICY) == join(decode(IMAGE, POLICY), item, POLICY) or item.key != KEY
