"""The stacks, deployed in two Regions, do what they are there for: writes, conflicts, poison."""

import json

import pytest

from infra.e2e.region import TABLE, WORKER_STACK
from tests.e2e.world import A, B, eventually

pytestmark = pytest.mark.e2e


@pytest.mark.parametrize("region", [A, B])
def test_the_functions_are_the_package(world, package, region):
    """What runs is, by its hash, what was packaged; each function of the stack has it."""
    functions = world.regions[region].client("lambda").list_functions()["Functions"]
    assert {function["CodeSha256"] for function in functions} == {package.code_sha256}
    assert {function["FunctionName"] for function in functions} >= {f"{WORKER_STACK}-stream", f"{WORKER_STACK}-write"}


@pytest.mark.parametrize("region", [A, B])
def test_the_mapping_is_on_the_regions_own_stream(world, region):
    """Enabled, with partial batches, bounded retries, and a place for what is given up."""
    (mapping,) = world.regions[region].client("lambda").list_event_source_mappings()["EventSourceMappings"]
    assert mapping["EventSourceArn"] == world.regions[region].stream_arn
    assert f":dynamodb:{region}:" in mapping["EventSourceArn"]
    assert mapping["State"] == "Enabled"
    assert mapping["FunctionResponseTypes"] == ["ReportBatchItemFailures"]
    assert mapping["DestinationConfig"]["OnFailure"]["Destination"].endswith("-failed-batches")


def test_a_write_counts_once_in_both_regions(world):
    """Sent twice, and again to the other Region once that has it: applied, then duplicates."""
    request = {"Id": "once", "IdempotencyKey": "k1", "Add": {"Balance": 5}}
    assert [world.write(A, **request)["status"] for _ in range(2)] == ["applied", "duplicate"]
    world.everywhere("once", lambda item: item["Balance"] == {"N": "5"})
    assert world.write(B, **request)["status"] == "duplicate"


def test_a_wrong_request_is_told_to_its_client(world):
    """The function fails with the field's name, and nothing is written."""
    answer = world.write(A, Id="wrong", Add={"Balance": "much"})
    assert answer["errorMessage"].startswith("Add.Balance")
    assert world.regions[A].item("wrong") is None


def test_a_conflict_is_repaired_told_and_kept(world):
    """Both Regions write while cut off: nothing is lost, a worker tells of it, and the history has both sides."""
    told = conflict_events(world)
    world.write(A, Id="both", IdempotencyKey="v0", Set={"Data": "v0"}, Add={"Balance": 1})
    world.everywhere("both", lambda item: item["Balance"] == {"N": "1"})
    world.cut()
    world.write(A, Id="both", IdempotencyKey="a1", Add={"Balance": 10}, AddToSet={"Tags": ["a"]})
    world.write(B, Id="both", IdempotencyKey="b1", Add={"Balance": 100}, AddToSet={"Tags": ["b"]})
    world.heal()
    item = world.everywhere("both", lambda item: item["Balance"] == {"N": "111"})
    assert item["Tags"] == {"SS": ["a", "b"]}
    assert item["Version"] == {"N": "3"}
    region, event = eventually(told)
    assert event["detail"]["eventType"] == "ConflictRepairedEvent"
    assert event["detail"]["source"]["id"] == f"{region}/{TABLE}"
    (row,) = eventually(lambda: history(world.regions[region]))
    assert row["ConflictId"]["S"] == event["detail"]["correlationId"]


def conflict_events(world):
    """Let the buses of both Regions tell a queue each; return what asks them for a Region and its event."""
    for region in world.regions.values():
        url = region.client("sqs").create_queue(QueueName="told")["QueueUrl"]
        arn = region.client("sqs").get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])
        events = region.client("events")
        pattern = json.dumps({"source": ["global-table-reconciler"]})
        events.put_rule(Name="all", EventBusName="TableConflicts", EventPattern=pattern)
        target = {"Id": "told", "Arn": arn["Attributes"]["QueueArn"]}
        events.put_targets(Rule="all", EventBusName="TableConflicts", Targets=[target])

    def told():
        for name, region in world.regions.items():
            url = region.client("sqs").get_queue_url(QueueName="told")["QueueUrl"]
            for message in region.client("sqs").receive_message(QueueUrl=url).get("Messages", []):
                return name, json.loads(message["Body"])
        return None

    return told


def history(region):
    """Return what a Region's history holds."""
    return region.client("dynamodb").scan(TableName="ConflictHistory")["Items"]


def test_a_record_that_cannot_be_read_reaches_the_queue(world):
    """Bookkeeping that no writer made: one message in the Region where it stands, with both images."""
    dynamodb = world.regions[B].client("dynamodb")
    broken = {"Id": {"S": "broken"}, "Causality": {"S": "no map"}, "Version": {"N": "1"}}
    dynamodb.put_item(TableName=TABLE, Item=broken)
    dynamodb.put_item(TableName=TABLE, Item={**broken, "Version": {"N": "2"}})
    (message,) = eventually(lambda: world.regions[B].messages("poison"))
    body = json.loads(message["Body"])
    assert body["reason"] == "malformed"
    assert body["region"] == B
    assert [image["Version"] for image in (body["old_image"], body["new_image"])] == [{"N": "1"}, {"N": "2"}]


def test_what_still_cannot_be_read_stays_in_the_queue(world):
    """The redrive function judges the message again: it comes to the same, and leaves it as it was."""
    region = world.regions[A]
    broken = {"Id": {"S": "again"}, "Causality": {"S": "no map"}, "Version": {"N": "1"}}
    region.client("dynamodb").put_item(TableName=TABLE, Item=broken)
    region.client("dynamodb").put_item(TableName=TABLE, Item={**broken, "Version": {"N": "2"}})
    report = eventually(lambda: told_of_a_message(region))
    assert report["settled"] == {}
    assert report["put_back"] == {"malformed": 1}
    (message,) = eventually(lambda: region.messages("poison"))
    assert json.loads(message["Body"])["new_image"] == {**broken, "Version": {"N": "2"}}


def told_of_a_message(region):
    """Return what the redrive function reports, once it has found a message."""
    report = region.invoke("redrive", {})
    return report if report["received"] else None
