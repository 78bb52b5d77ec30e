"""One item's histories, and what was lost in them."""

import pytest

from replay_tools.audit.chains import Step
from replay_tools.audit.exact import Ledgers
from replay_tools.audit.habits import Habits, Learner
from replay_tools.audit.judge import judge
from tests.audit.histories import KEY, image, lost, numbers, steps_of

TWO = {"B": {"Data": "b", "Note": "b"}, "W": {"Data": "w", "Note": "b"}, "Y": {"Data": "b", "Note": "y"}}


def test_a_write_that_the_winner_was_not_made_from_is_lost():
    """The loss shows once, in the Region that made the lost write, and says what overwrote it."""
    (found,) = lost(TWO, us="B W Y", eu="B Y")
    assert found.as_data() == {
        "region": "us-east-1",
        "key": {"Id": "x"},
        "sequence_number": "us1",
        "attributes": ["Data"],
        "exactness": "approximate",
        "why": "the winner has what only the version before it had, and none of what was overwritten",
        "at": "1970-01-01T00:00:00Z",
        "overwritten_by": {"region": "us-east-1", "sequence_number": "us2", "made_in": "eu-west-1"},
    }


@pytest.mark.parametrize(
    "chains",
    [
        pytest.param({"us": "B W Y", "eu": "B W Y"}, id="everything arrived"),
        pytest.param({"us": "- B W", "eu": "- B W"}, id="created, then changed"),
        pytest.param({"us": "B W -", "eu": "B W -"}, id="deleted"),
        pytest.param({"us": "B W - Y", "eu": "B W - Y"}, id="created anew"),
        pytest.param({"us": "B W B W B", "eu": "B W B W B"}, id="the same images again"),
        pytest.param({"us": "B W Y", "eu": "W Y"}, id="one recording begins later"),
        pytest.param({"us": "B W Y", "eu": "B W"}, id="one recording ends earlier"),
        pytest.param({"us": "B W Y"}, id="only one Region has records"),
        pytest.param({"us": "B W", "eu": "Y Z"}, id="nothing in common"),
    ],
)
def test_nothing_is_lost(chains):
    """Where each version replaced the same everywhere, nothing is missing."""
    assert lost(TWO, **chains) == []


def test_several_writes_replaced_by_one_are_all_lost():
    """Everything back to the last version that the winner includes."""
    images = {
        "B": {"a": "0", "b": "0", "c": "0"},
        "V": {"a": "1", "b": "0", "c": "0"},
        "W": {"a": "1", "b": "1", "c": "0"},
        "Y": {"a": "0", "b": "0", "c": "1"},
    }
    found = lost(images, us="B V W Y", eu="B Y")
    assert [(each.sequence_number, each.attributes) for each in found] == [("us1", ("a",)), ("us2", ("b",))]
    assert {each.overwritten_by for each in found} == {"us3"}


def test_what_was_coalesced_on_its_way_is_not_lost():
    """The last of three quick writes arrives alone, with all that the others changed."""
    images = {
        "B": {"a": "0"},
        "V": {"a": "0", "b": "1"},
        "W": {"a": "0", "b": "1", "c": "1"},
        "Y": {"b": "1", "c": "1"},
    }
    assert lost(images, us="B V W Y", eu="B Y") == []


def test_where_nothing_tells_a_loss_is_assumed_and_says_so():
    """One attribute with three values: it may have been coalesced as well."""
    (found,) = lost(us="B W Y", eu="B Y")
    assert (found.sequence_number, found.why) == (
        "us1",
        "nothing tells whether it was overwritten or coalesced on its way",
    )


@pytest.mark.parametrize(("times", "expected"), [("1 2", ["us1"]), ("3 4", []), ("2 2", ["us1"])])
def test_the_older_record_is_the_makers(times, expected):
    """Where the winner's record is older in the other Region, it was made there; equal times say nothing."""
    us = {"1 2": "1 3", "3 4": "1 2", "2 2": "2 2"}[times]
    eu = {"1 2": "2", "3 4": "3", "2 2": "2"}[times]
    assert numbers(lost(times={"us": us, "eu": eu}, us="B W Y", eu="B Y")) == expected


@pytest.mark.parametrize(("winners", "expected"), [(2, ["us1"]), (3, [])])
def test_a_version_number_tells_the_base(winners, expected):
    """The winner counts on from the version that it was made from."""
    images = {
        "B": {"Data": "b", "Version": 1},
        "W": {"Data": "w", "Version": 2},
        "Y": {"Data": "y", "Version": winners},
    }
    assert numbers(lost(images, us="B W Y", eu="B Y")) == expected


@pytest.mark.parametrize(("region", "expected"), [("eu-west-1", ["us1"]), ("us-east-1", []), ("elsewhere", ["us1"])])
def test_the_item_may_name_the_region_that_wrote_it(region, expected):
    """It is believed, if it is one of those recorded."""
    images = {"B": {"Data": "b"}, "W": {"Data": "w"}, "Y": {"Data": "y", "LastUpdatedRegion": region}}
    assert numbers(lost(images, us="B W Y", eu="B Y")) == expected


def test_a_time_before_that_of_the_base_is_none_of_its_successors():
    """The winner carries an earlier time than what it overwrote: it was not made from it."""
    images = {
        "B": {"Data": "b", "Timestamp": 10},
        "W": {"Data": "w", "Timestamp": 30},
        "Y": {"Data": "y", "Timestamp": 20},
    }
    (found,) = lost(images, us="B W Y", eu="B Y")
    assert found.why == "Timestamp of the winner is before that of what it overwrote"


def test_of_two_concurrent_writes_the_one_beside_the_winners_maker_is_kept():
    """Both Regions wrote, then one wrote again: what the other had is lost."""
    images = {
        "B": {"a": "0", "b": "0", "c": "0"},
        "V": {"a": "1", "b": "0", "c": "0"},
        "W": {"a": "0", "b": "1", "c": "0"},
        "Y": {"a": "1", "b": "0", "c": "1"},
    }
    (found,) = lost(images, us="B V Y", eu="B W Y")
    assert (found.sequence_number, found.made_in, found.attributes) == ("eu1", "us-east-1", ("b",))


def test_a_delete_overwrites_a_write():
    """All that the write changed is gone."""
    (found,) = lost(TWO, us="B W -", eu="B -")
    assert (found.sequence_number, found.attributes) == ("us1", ("Data",))


def test_a_delete_is_lost_to_a_write():
    """The item is back: what the delete took stands there again."""
    (found,) = lost(TWO, times={"us": "1 2", "eu": "1"}, us="B - Y", eu="B Y")
    assert (found.sequence_number, found.attributes) == ("us1", ("Data", "Note"))


def test_two_creations_at_once():
    """The one that lost leaves its record only where it was made."""
    (found,) = lost(us="- W Y", eu="- Y")
    assert (found.sequence_number, found.attributes) == ("us1", ("Data",))


def test_the_same_change_twice_is_no_loss():
    """The winner holds the very value that was overwritten."""
    images = {"B": {"Data": "b"}, "W": {"Data": "w"}, "Y": {"Data": "w", "Note": "y"}}
    assert lost(images, times={"us": "1 3", "eu": "2"}, us="B W Y", eu="B Y") == []


def test_an_image_that_comes_back_is_told_from_its_first_time():
    """On, off, on again: the write between is lost, and the finding says what makes it less sure."""
    (found,) = lost(us="B W B W Y", eu="B W B Y")
    assert found.sequence_number == "us3"
    assert found.why.endswith("its image comes back in this item")


def test_missing_records_hide_but_do_not_invent():
    """Where the chain has a gap, nothing is said of what it hides."""
    steps = steps_of({}, us="B V W Y", eu="B V W Y")
    del steps["us-east-1"][1]
    assert judge(KEY, steps, Habits(), Ledgers.of(None)) == []


def test_a_record_that_was_delivered_twice_counts_once():
    """The same sequence number is the same record."""
    steps = steps_of(TWO, us="B W Y", eu="B Y")
    steps["us-east-1"] += steps["us-east-1"]
    assert len(judge(KEY, steps, Habits(), Ledgers.of(None))) == 1


def test_records_out_of_order_are_put_in_order():
    """Sequence numbers grow within a Region."""
    steps = {
        region: [Step(region, step.old, step.new, f"{number:03}") for number, step in enumerate(own)]
        for region, own in steps_of(TWO, us="B W Y", eu="B Y").items()
    }
    steps["us-east-1"].reverse()
    assert numbers(judge(KEY, steps, Habits(), Ledgers.of(None))) == ["000"]


def test_equal_values_are_the_same_version_however_spelt():
    """A number's spelling and a set's order mean nothing."""
    steps = steps_of({}, us="B W", eu="B W")
    spelt = [
        image({}) | {"n": {"N": "1.0"}, "s": {"SS": ["a", "b"]}},
        image({}) | {"n": {"N": "1"}, "s": {"SS": ["b", "a"]}},
    ]
    for (region, own), odd in zip(steps.items(), spelt, strict=True):
        own.append(Step(region, own[-1].new, odd, "9", 0))
        own.append(Step(region, odd, image({"Data": "z"}), "8", 0))
    assert judge(KEY, steps, Habits(), Ledgers.of(None)) == []


def test_a_third_region_that_saw_both_does_not_count_twice():
    """A lost write is one, wherever it was overwritten."""
    found = lost(TWO, times={"us": "1 3", "eu": "2", "ap": "4 5"}, us="B W Y", eu="B Y", ap="B W Y")
    assert [(each.region, each.sequence_number, each.overwritten_in) for each in found] == [
        ("us-east-1", "us1", "us-east-1")
    ]


def test_a_write_that_reached_a_third_region_first_says_who_may_have_made_it():
    """Equal times, and nobody else to ask: the finding names the Regions."""
    (found,) = lost(TWO, us="B W Y", eu="B Y", ap="B W Y")
    assert "made in one of us-east-1, ap-south-1" in found.why


def test_habits_are_learnt_from_undisputed_steps():
    """A number that each write raises by one, a growing time, and the writer's Region."""
    learner = Learner(["us-east-1", "eu-west-1"])
    for number in range(10):
        region = ["us-east-1", "eu-west-1"][number % 2]
        before = image({"Rev": number, "At": number * number, "Site": "x", "Data": "d"})
        learner.see(before, image({"Rev": number + 1, "At": (number + 1) ** 2, "Site": region, "Data": "e"}), region)
    habits = learner.habits()
    assert (dict(habits.steps).keys(), habits.clocks, habits.regions) == (
        {"Version", "Rev"},
        {"Timestamp", "At"},
        {"LastUpdatedRegion", "Site"},
    )
