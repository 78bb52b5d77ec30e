"""The schema and what answers it: every field that needs one has a resolver, and every resolver a field."""

import pytest

from handlers.appsync_merge import MANAGED
from reconciler.policy import BOOKKEEPING, Policy
from tests.appsync.test_stack import RESOLVERS
from tests.infra.planting import INFRA

schema = pytest.importorskip("tests.appsync.schema")
POLICY = Policy.load(INFRA / "appsync" / "policy.toml")


def test_each_field_has_its_resolver():
    """Queries and mutations are resolved, one by one; a subscription only listens."""
    resolved = {(each["TypeName"], each["FieldName"]) for each in RESOLVERS.values()}
    assert resolved == {(kind, field) for kind in ("Query", "Mutation") for field in schema.fields(kind)}


def test_the_subscriptions_hear_every_mutation():
    """Whatever changes an item is told, and conflicts apart from that; the types are the same."""
    items = [field for field in schema.fields("Mutation") if field != "tellConflict"]
    assert (schema.heard("onItem"), schema.heard("onConflict")) == (items, ["tellConflict"])
    assert {schema.fields("Mutation")[field] for field in items} == {schema.fields("Subscription")["onItem"]}
    assert schema.fields("Mutation")["tellConflict"] == schema.fields("Subscription")["onConflict"]


@pytest.mark.parametrize(("subscription", "payload"), [("onConflict", "Conflict"), ("onItem", "Item")])
def test_a_filter_is_a_field_of_what_is_told(subscription, payload):
    """AppSync compares an argument with the field of its name: of another name or type, nothing would ever match."""
    told = schema.fields(payload)
    for name, kind in schema.arguments("Subscription", subscription).items():
        assert told[name].removesuffix("!") == kind


def test_a_client_can_name_what_it_saw():
    """The item shows its version, and each mutation of an item that exists takes it."""
    assert schema.fields("Item")["_version"] == "Int!"
    assert schema.fields("ItemChange")["_version"] == "Int!"
    assert schema.arguments("Mutation", "deleteItem")["_version"] == "Int!"
    assert set(schema.fields("Item")) >= MANAGED - {"_ttl"}


def test_a_mutation_has_a_time_and_a_key():
    """Without a Timestamp of its own, a stale mutation would be ordered by chance."""
    for name in ("NewItem", "ItemChange"):
        assert schema.fields(name)["Timestamp"] == "AWSTimestamp!"
        assert schema.fields(name)["IdempotencyKey"] == "ID!"


def test_the_policy_is_for_attributes_that_there_are():
    """Each policy names a field of the item, and the two inputs set the same."""
    own = set(schema.fields("Item")) - MANAGED - BOOKKEEPING - {"Id"}
    assert set(POLICY.attributes) == own
    assert own <= set(schema.fields("NewItem")) == set(schema.fields("ItemChange")) - {"_version"}


def test_the_statuses_are_the_policys():
    """The enumeration has the order's values, so that no status is unfit."""
    values = [value["S"] for value in POLICY.attributes["Status"].order]
    assert list(schema.SCHEMA.type_map["Status"].values) == values
