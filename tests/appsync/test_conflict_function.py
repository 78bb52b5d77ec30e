"""The conflict function: what becomes of a mutation that had not seen the item as it stands."""

import json
from dataclasses import replace
from decimal import Decimal

import pytest

from handlers import appsync
from reconciler import ConflictResolver
from reconciler.errors import ConfigurationError
from reconciler.policy import AttributePolicy, Kind, OnDeleted
from tests.appsync.mutations import EXISTING, NEW, SETTINGS, answered, item_of, mutation, users
from tests.core.histories import POLICY, START_MS

SECRET = "do-not-tell-me"  # noqa: S105 - the very thing that must not appear
RESOLVED = {"Id": "x", "Data": "new", "Version": 7, "Timestamp": START_MS + 1, "IdempotencyKey": "k6"}


def resolved(new, existing):
    """Return the item that both lead to, in either order."""
    (answer, _), (turned, _) = answered(mutation(new, existing)), answered(mutation(existing, new))
    assert json.dumps(answer) == json.dumps(turned)
    assert answer["action"] == "RESOLVE"
    return answer["item"]


def test_a_stale_mutation_is_merged():
    """Both were written from version 4; the later one wins what both have, and AppSync keeps its own attributes."""
    assert resolved(NEW, EXISTING) == RESOLVED


@pytest.mark.parametrize(
    ("attribute", "new", "existing", "merged"),
    [
        ("Data", "new", "existing", "new"),
        ("Data", ..., "existing", "existing"),
        ("Data", "new", ..., "new"),
        ("Data", None, "existing", None),
        ("Data", {"a": [1.5, True]}, {"b": 2}, {"a": [1.5, True]}),
        ("Limit", 5, 9, 9),
        ("Limit", 9.5, 5, 9.5),
        ("Limit", None, 5, 5),
        ("Floor", 5, 9, 5),
        ("Seen", ["b", "a"], ["c", "a"], ["a", "b", "c"]),
        ("Seen", [2, 10], [0.5], [0.5, 2, 10]),
        ("Seen", [], ["c"], ["c"]),
        ("Status", "pending", "closed", "closed"),
        ("Note", "long", "longest", "longest"),
        ("Profile", {"Name": "new", "A": 1}, {"Name": "old", "B": 2}, {"A": 1, "B": 2, "Name": "new"}),
        ("Profile", {"Count": 3}, {"Count": 3}, {"Count": 3}),
        ("Profile", {"Tags": ["b", "a"]}, {"Tags": ["a", "b"]}, {"Tags": ["a", "b"]}),
        ("Profile", {"Sub": {"a": 1}}, {"Sub": {"b": None}}, {"Sub": {"a": 1, "b": None}}),
        ("Balance", 7, 7, 7),
        ("Balance", 7, ..., 7),
        ("Balance", ..., 7, 7),
        ("Tags", ["b", "a"], ["a", "b"], ["a", "b"]),
        ("Tags", ["a"], ..., ["a"]),
        ("Owner", "ana", "ana", "ana"),
        ("Owner", ..., "ana", "ana"),
    ],
)
def test_each_attribute_merges_by_its_policy(attribute, new, existing, merged):
    """What one side alone has is kept; what both have differently follows the policy."""
    item = resolved(item_of(NEW, **{attribute: new}), item_of(EXISTING, **{attribute: existing}))
    assert item[attribute] == merged


@pytest.mark.parametrize(
    ("new", "existing", "names"),
    [
        ({"Balance": 7}, {"Balance": 8}, ["Balance"]),
        ({"Tags": ["a"]}, {"Tags": ["a", "b"]}, ["Tags"]),
        ({"Owner": "ana"}, {"Owner": "bo"}, ["Owner"]),
        ({"Profile": {"Count": 1}}, {"Profile": {"Count": 2}}, ["Profile/Count"]),
        ({"Owner": "ana", "Balance": 1}, {"Owner": "bo", "Balance": 2}, ["Balance", "Owner"]),
    ],
)
def test_what_two_values_do_not_tell_is_refused(new, existing, names):
    """Neither value says what was added or removed, and a person decides on `manual`: the client reads, and decides."""
    for one, other in ((new, existing), (existing, new)):
        answer, line = answered(mutation({**NEW, **one}, {**EXISTING, **other}))
        assert answer == {"action": "REJECT"}
        assert (line["reason"], line["names"]) == ("undecidable", names)


def test_a_raised_version_is_no_successor():
    """UpdateItem's preview has a greater Version and all else of the item; still, its lower `max` does not win."""
    item = resolved({**NEW, "Limit": 5}, {**EXISTING, "Limit": 9})
    assert (item["Limit"], item["Data"], item["Version"]) == (9, "new", 7)


def test_an_inherited_key_is_not_the_same_write():
    """A mutation that names no key has the item's own in its preview; both are merged all the same."""
    item = resolved(
        {**NEW, "IdempotencyKey": "k5", "Version": 5, "Limit": 5, "Other": 1}, {**EXISTING, "Limit": 9, "More": 2}
    )
    assert (item["Limit"], item["Other"], item["More"], item["IdempotencyKey"]) == (9, 1, 2, "k5")


def test_an_older_mutation_loses_what_both_have():
    """A phone that was offline comes back: its earlier time loses, and what only it has stays."""
    item = resolved({**NEW, "Timestamp": START_MS - 1, "Other": 1}, EXISTING)
    assert (item["Data"], item["Other"], item["IdempotencyKey"]) == ("existing", 1, "k5")


def test_items_without_the_projects_attributes_get_none():
    """A table that has no Version does not come by one."""
    item = resolved({"Id": "x", "a": 1, "_version": 3}, {"Id": "x", "b": 2, "_version": 4})
    assert item == {"Id": "x", "a": 1, "b": 2}


def test_nothing_new_changes_nothing():
    """The same mutation again, its members in another order: the item stays as it is, Version included."""
    assert resolved(dict(reversed(EXISTING.items())), EXISTING) == users(EXISTING)


def test_the_log_says_what_gave_way():
    """One line for each mutation: which values of either item do not stand, and by which kind of evidence."""
    new = {**NEW, "Limit": 5, "Other": SECRET}
    _, line = answered(mutation(new, {**EXISTING, "Limit": 9, "Data": SECRET}))
    assert (line["event"], line["action"], line["field"]) == ("stale_mutation", "RESOLVE", "updateItem")
    assert (line["lost"], line["replaced"], line["mode"]) == (["Limit"], ["Data"], "approximate")
    assert SECRET not in json.dumps(line)


@pytest.mark.parametrize(
    ("new", "existing", "field"),
    [
        (None, EXISTING, "deleteItem"),
        ({}, EXISTING, "deleteItem"),
        ({"Id": "x", "_deleted": True}, EXISTING, "updateItem"),
        (NEW, {**EXISTING, "_deleted": True, "_ttl": 1}, "updateItem"),
        ({**NEW, "Balance": 1}, {**EXISTING, "Balance": 2, "_deleted": True}, "updateItem"),
    ],
)
def test_a_delete_beats_what_it_has_not_seen(new, existing, field):
    """Whichever of both is stale: the item is removed, or stays so; under `escalate` the client decides."""
    assert answered(mutation(new, existing, field))[0] == {"action": "REMOVE"}
    escalating = replace(POLICY, lost_to_delete=OnDeleted.ESCALATE)
    answer, line = answered(mutation(new, existing, field), escalating)
    assert (answer, line["reason"]) == ({"action": "REJECT"}, "lost_to_delete")


@pytest.mark.parametrize("mark", [False, None, "true", 1])
def test_only_a_true_mark_is_a_delete(mark):
    """Whatever else stands in `_deleted`, the item lives."""
    assert resolved(NEW, {**EXISTING, "_deleted": mark}) == RESOLVED


@pytest.mark.parametrize(
    ("new", "existing", "reason", "names"),
    [
        (None, EXISTING, "malformed", ["newItem"]),
        ([NEW], EXISTING, "malformed", ["newItem"]),
        (NEW, None, "malformed", ["existingItem"]),
        (NEW, "x", "malformed", ["existingItem"]),
        ({}, EXISTING, "malformed", ["newItem.Id"]),
        (NEW, {"Data": "v"}, "malformed", ["existingItem.Id"]),
        ({**NEW, "Id": "y"}, EXISTING, "another_item", ["Id"]),
        ({**NEW, "Data": float("inf")}, EXISTING, "malformed", ["newItem.Data"]),
        ({**NEW, "Data": float("nan")}, EXISTING, "malformed", ["newItem.Data"]),
        ({**NEW, "Data": 10**38 + 1}, EXISTING, "malformed", ["newItem.Data"]),
        ({**NEW, "Data": "\ud800"}, EXISTING, "malformed", ["newItem.Data"]),
        ({**NEW, "\ud800": 1}, EXISTING, "malformed", ["newItem.\ud800"]),
        ({**NEW, "Seen": [1, "a"]}, EXISTING, "malformed", ["newItem.Seen"]),
        ({**NEW, "Seen": [True]}, EXISTING, "malformed", ["newItem.Seen"]),
        ({**NEW, "Seen": [{}]}, {**EXISTING, "Seen": ["a"]}, "unfit", ["Seen"]),
        ({**NEW, "Limit": True}, {**EXISTING, "Limit": 2}, "unfit", ["Limit"]),
        ({**NEW, "Limit": "2"}, {**EXISTING, "Limit": []}, "unfit", ["Limit"]),
        ({**NEW, "Status": "gone"}, {**EXISTING, "Status": "active"}, "unfit", ["Status"]),
        ({**NEW, "Profile": 5}, EXISTING, "unfit", ["Profile"]),
        ({**NEW, "Causality": {}}, EXISTING, "causality", ["newItem"]),
        (NEW, {**EXISTING, "Causality": {"Writes": {}}}, "causality", ["existingItem"]),
    ],
)
def test_what_is_no_item_is_refused_by_name(new, existing, reason, names):
    """The client gets an error and the item as it stands; the log names the attribute, and no value."""
    answer, line = answered(mutation(new, existing))
    assert (answer, line["reason"], line["names"]) == ({"action": "REJECT"}, reason, names)


@pytest.mark.parametrize("returned", ["fails", 1.5, b"binary", {"a", "b"}, Decimal("0.11111111111111111111")])
def test_a_custom_function_that_json_cannot_answer_for_is_refused(returned):
    """What it returns would not come back from JSON as it is: nothing is written rather than something else."""

    def function(_left, _right):
        if returned == "fails":
            raise ZeroDivisionError(SECRET)
        return returned

    policy = replace(POLICY, attributes={"Note": AttributePolicy(Kind.CUSTOM, function=function, function_name="f")})
    answer, line = answered(mutation({**NEW, "Note": "a"}, {**EXISTING, "Note": "b"}), policy)
    assert answer == {"action": "REJECT"}
    assert line["reason"] == ("unfit" if returned in ("fails", 1.5) else "inexact")
    assert SECRET not in json.dumps(line)


@pytest.mark.parametrize(
    ("event", "error"),
    [
        (None, "no resolver"),
        ([], "no resolver"),
        ({}, "no resolver"),
        ({"Records": []}, "no resolver"),
        ({**mutation(), "resolver": "x"}, "no resolver"),
        (mutation(tableName="Other"), "resolver.tableName: is 'Other'; 'Table' was expected"),
        (mutation(tableName=None), "resolver.tableName: is None"),
        (mutation(awsRegion="eu-west-1"), "resolver.awsRegion: is 'eu-west-1'; 'us-east-1' was expected"),
    ],
)
def test_another_table_or_service_is_a_fault_of_the_deployment(event, error):
    """No item of it is judged under this policy: the invocation fails, and says why."""
    with pytest.raises(ConfigurationError, match=error):
        appsync.conflict_handler(SETTINGS, policy=POLICY)(event, None)


def test_a_log_that_fails_masks_nothing():
    """The mutation is merged whether or not its line can be written."""

    class Broken:
        def info(self, *_args, **_values):
            raise OSError

    handle = appsync.conflict_handler(SETTINGS, policy=POLICY, logger=Broken())
    assert handle(mutation(), None) == {"action": "RESOLVE", "item": RESOLVED}


def test_the_function_as_it_is_deployed(monkeypatch, capsys, tmp_path):
    """It starts at its first event from its environment, answers, and logs one line of JSON without values."""
    (tmp_path / "policy.toml").write_text(
        '[table]\nname = "Table"\npartition_key = "Id"\nregions = ["us-east-1"]\n[attributes]\nLimit = "max"\n'
    )
    monkeypatch.setenv("TABLE_NAME", "Table")
    monkeypatch.setenv("POLICY_FILE", str(tmp_path / "policy.toml"))
    monkeypatch.setenv("AWS_REGION", "us-east-1")
    appsync.handler.cache_clear()
    answer = appsync.lambda_handler(mutation({**NEW, "Data": SECRET, "Limit": 3}), None)
    appsync.handler.cache_clear()
    assert answer == {"action": "RESOLVE", "item": {**RESOLVED, "Data": SECRET, "Limit": 3}}
    line = capsys.readouterr().out
    assert SECRET not in line
    assert {"event": "stale_mutation", "function": "conflict", "table": "Table"}.items() <= json.loads(line).items()


def test_the_answer_is_the_resolvers():
    """Of one Version and different keys, what AppSync is answered is what ConflictResolver returns."""
    new, existing = ({**item, "Version": 5} for item in (NEW, EXISTING))
    assert resolved(new, existing) == ConflictResolver(POLICY).resolve(users(new), users(existing))
