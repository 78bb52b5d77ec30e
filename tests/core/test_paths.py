"""Members of a map are named by path; elsewhere a slash is part of the name."""

import pytest

from reconciler import policy as module
from reconciler.errors import ConfigurationError, ItemError
from reconciler.policy import (
    AttributePolicy,
    Kind,
    Policy,
    Region,
    default_policy,
    escape,
    flatten,
    split_path,
    type_letter,
    unflatten,
)
from reconciler.stamps import Stamp
from reconciler.wire import from_plain
from tests.core.histories import POLICY

COUNTER, SUB = AttributePolicy(Kind.COUNTER), AttributePolicy(Kind.MAP, members={"n": AttributePolicy(Kind.COUNTER)})
SLASHED = Policy(
    "Table",
    "Id",
    (Region("A"),),
    attributes={"a/b": SUB, "c~d": SUB, "e/f": COUNTER, "g": AttributePolicy(Kind.MAP, members={"h/i": SUB})},
)


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("Data", Kind.LATEST),
        ("Balance", Kind.COUNTER),
        ("Balance/x", Kind.LATEST),
        ("Profile", Kind.MAP),
        ("Profile/Count", Kind.COUNTER),
        ("Profile/Name", Kind.LATEST),
        ("Profile/Sub", Kind.MAP),
        ("Profile/Sub/x", Kind.LATEST),
        ("Profile/Count/x", Kind.LATEST),
    ],
)
def test_the_policy_of_a_path(path, kind):
    """An attribute's own, a member's own, else latest."""
    assert POLICY.of(path).kind is kind


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("a/b", Kind.MAP),
        ("a~1b/n", Kind.COUNTER),
        ("a~1b/m", Kind.LATEST),
        ("c~0d/n", Kind.COUNTER),
        ("e/f", Kind.COUNTER),
        ("g/h~1i/n", Kind.COUNTER),
    ],
)
def test_a_slash_in_a_name_is_escaped(path, kind):
    """As in RFC 6901, `~1` is a slash and `~0` a tilde, in paths alone."""
    assert SLASHED.of(path).kind is kind


def test_names_with_slashes_come_back_as_they_were():
    """Escaped on the way in, plain on the way out."""
    maps = {"a/b": {"n": 1, "x/y": 2, "~1": 3}, "c~d": {"n": 1}, "g": {"h/i": {"n": 1}}}
    others = {"e/f": 5, "p/q": "r", "~0": "s"}
    image = {name: from_plain(value) for name, value in {"Id": "x", **maps, **others}.items()}
    found = dict(flatten(image, SLASHED))
    assert set(found) == {"a~1b/n", "a~1b/x~1y", "a~1b/~01", "c~0d/n", "e/f", "g/h~1i/n", "p/q", "~0"}
    assert unflatten(found, SLASHED) == {name: value for name, value in image.items() if name != "Id"}


@pytest.mark.parametrize("name", ["", "a", "/", "~", "~1", "~01", "a/b~c"])
def test_a_segment_reads_back(name):
    """Any name survives as one segment of a path."""
    assert split_path(f"x/{escape(name)}") == ["x", name]


def test_a_name_that_reads_as_a_path_is_refused():
    """A top-level attribute `Profile/Name` beside the map `Profile` could not be told from its member."""
    with pytest.raises(ItemError, match="reads as a path") as caught:
        list(flatten({"Profile/Name": {"S": "x"}}, POLICY))
    assert caught.value.attribute == "Profile/Name"


def test_an_empty_map_leaves_nothing():
    """A map without members is left out, with its letter or without."""
    for empty in ({}, {"M": {}}, {"M": {"Sub": {}}}):
        assert unflatten(dict(flatten({"Profile": empty}, POLICY)), POLICY) == {}


def test_what_is_not_the_users_own():
    """The key, the bookkeeping and what a 2017 table left behind are nobody's attributes."""
    policy = Policy("Table", "Id", (Region("A"),), sort_key="At")
    names = ["Id", "At", "Causality", "Version", "ExpiresAt", "aws:rep:updatetime", "Data"]
    assert [name for name in names if policy.is_users(name)] == ["Data"]
    assert policy.key_of({"Id": {"S": "x"}, "At": {"N": "1"}, "Data": {"S": "v"}}) == {
        "Id": {"S": "x"},
        "At": {"N": "1"},
    }


def test_the_policy_of_who_has_none():
    """Key `Id`, two Regions, every attribute `latest`."""
    policy = default_policy()
    assert (policy.key_names, len(policy.regions), policy.of("Data").kind) == (("Id",), 2, Kind.LATEST)


def test_an_unknown_region_is_named_with_those_known():
    """Whoever reads the error sees both."""
    assert POLICY.region_code("C") == 3
    with pytest.raises(ConfigurationError, match=r"'D' is not in the policy's regions \['A', 'B', 'C'\]"):
        POLICY.region_code("D")


def test_a_stamps_region_is_a_position_in_the_list():
    """Codes start at 01; 00 is a client's time and no Region."""
    assert POLICY.region_of(Stamp(2 * 10**6)) == "B"
    with pytest.raises(ItemError, match="Region code 00"):
        POLICY.region_of(Stamp(0))


def test_names_without_end_do_not_fill_the_memory(monkeypatch):
    """Users name a map's members as they like; what is remembered of them is bounded."""
    monkeypatch.setattr(module, "MAX_KNOWN_PATHS", 3)
    policy = Policy("Table", "Id", (Region("A"),), attributes={"Profile": SUB})
    kinds = [policy.of(f"Profile/{name}").kind for name in ("n", "a", "b", "c", "n")]
    assert kinds == [Kind.COUNTER, *[Kind.LATEST] * 3, Kind.COUNTER]
    assert len(policy._by_path) <= 3  # noqa: SLF001 - the bound is what is tested


@pytest.mark.parametrize(("value", "letter"), [({"S": "x"}, "S"), ({}, "M"), (5, "int"), (None, "NoneType")])
def test_a_values_type_stands_for_it_in_messages(value, letter):
    """A value itself stays out of them."""
    assert type_letter(value) == letter
