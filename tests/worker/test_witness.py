"""Witness: the conflict that a record shows, whatever its images hold."""

from reconciler.conflict import Kind
from reconciler.policy import AttributePolicy
from reconciler.policy import Kind as PolicyKind
from reconciler.witness import conflict_of
from tests.worker.replicas import modified, policy


def test_an_image_that_does_not_fit_its_policy_still_names_its_attributes():
    """A `map` that is none has no members to name: the attribute is named as a whole."""
    maps = policy(attributes={"Profile": AttributePolicy(PolicyKind.MAP)})
    key = {"Id": {"S": "x"}}
    record = modified({**key, "Profile": {"S": "no map"}}, {**key, "Profile": {"M": {}}})
    conflict = conflict_of(Kind.OVERWRITTEN, record, record.new, maps, "us-east-1")
    assert conflict.overwritten == conflict.lost == ("Profile",)
