"""What runs is held against what was meant: each fault is found, and the exit status tells."""

import json

import pytest

from infra.deploy.step import Wish
from infra.deploy.steps import steps
from tests.deploy.fakes import REGIONS, stream_of

TABLE = "describe-table --region eu-west-1 --output json"
MAPPING = "list-event-source-mappings --region eu-west-1"
FUNCTION = "get-function-configuration"
TTL = "describe-time-to-live"


def mapping(answer):
    """Return the one mapping of an answer."""
    return answer["EventSourceMappings"][0]


FAULTS = {
    "strong mode": (
        TABLE,
        lambda answer: answer["Table"].update(MultiRegionConsistency="STRONG"),
        "eu-west-1: the table is in strong mode (MRSC), which loses no write: it needs no reconciling",
    ),
    "keys only": (
        TABLE,
        lambda answer: answer["Table"]["StreamSpecification"].update(StreamViewType="KEYS_ONLY"),
        "eu-west-1: the stream shows KEYS_ONLY; NEW_AND_OLD_IMAGES is needed",
    ),
    "no stream": (
        TABLE,
        lambda answer: answer["Table"].pop("StreamSpecification"),
        "eu-west-1: the stream shows None; NEW_AND_OLD_IMAGES is needed",
    ),
    "a new stream": (
        TABLE,
        lambda answer: answer["Table"].update(LatestStreamArn="arn:new"),
        "eu-west-1: the table has another stream by now: arn:new",
    ),
    "one replica": (
        TABLE,
        lambda answer: answer["Table"].pop("Replicas"),
        "eu-west-1: replicas are in eu-west-1; the policy says eu-west-1, us-east-1",
    ),
    "another replica": (
        TABLE,
        lambda answer: answer["Table"]["Replicas"].append({"RegionName": "ap-south-1"}),
        "eu-west-1: replicas are in ap-south-1, eu-west-1, us-east-1; the policy says eu-west-1, us-east-1",
    ),
    "a sort key": (
        TABLE,
        lambda answer: answer["Table"]["KeySchema"].append({"AttributeName": "At", "KeyType": "RANGE"}),
        "eu-west-1: the key is At, Id; the policy says Id",
    ),
    "not yet there": (
        TABLE,
        lambda answer: answer["Table"].update(TableStatus="UPDATING"),
        "eu-west-1: the table is UPDATING",
    ),
    "tombstones stay": (
        TTL,
        lambda answer: answer["TimeToLiveDescription"].update(TimeToLiveStatus="DISABLED"),
        "eu-west-1: time to live is DISABLED on ExpiresAt; tombstones expire by ExpiresAt",
    ),
    "another attribute": (
        TTL,
        lambda answer: answer["TimeToLiveDescription"].update(AttributeName="ttl"),
        "eu-west-1: time to live is ENABLED on ttl; tombstones expire by ExpiresAt",
    ),
    "old code": (
        FUNCTION,
        lambda answer: answer.update(CodeSha256="old"),
        "eu-west-1: reconciler-stream runs old; function.zip is ",
    ),
    "another table": (
        FUNCTION,
        lambda answer: answer["Environment"]["Variables"].update(TABLE_NAME="Other"),
        "eu-west-1: reconciler-write is for the table Other; the policy says GlobalEventTable",
    ),
    "a failed update": (
        FUNCTION,
        lambda answer: answer.update(LastUpdateStatus="Failed"),
        "eu-west-1: reconciler-redrive is Active, its update Failed",
    ),
    "no mapping": (
        MAPPING,
        lambda answer: answer["EventSourceMappings"].clear(),
        f"eu-west-1: the worker is mapped to nothing; its stream is {stream_of('eu-west-1')}",
    ),
    "the other Region's stream": (
        MAPPING,
        lambda answer: mapping(answer).update(EventSourceArn=stream_of("us-east-1")),
        f"eu-west-1: the worker is mapped to {stream_of('us-east-1')}; its stream is {stream_of('eu-west-1')}",
    ),
    "disabled": (
        MAPPING,
        lambda answer: mapping(answer).update(State="Disabled"),
        "eu-west-1: the mapping is Disabled",
    ),
    "answers ignored": (
        MAPPING,
        lambda answer: mapping(answer).pop("FunctionResponseTypes"),
        "eu-west-1: the mapping ignores the worker's answer: ReportBatchItemFailures is missing",
    ),
    "endless retries": (
        MAPPING,
        lambda answer: mapping(answer).update(MaximumRetryAttempts=-1),
        "eu-west-1: the mapping never gives up: MaximumRetryAttempts is not set",
    ),
    "endless age": (
        MAPPING,
        lambda answer: mapping(answer).pop("MaximumRecordAgeInSeconds"),
        "eu-west-1: the mapping never gives up: MaximumRecordAgeInSeconds is not set",
    ),
    "no bisecting": (
        MAPPING,
        lambda answer: mapping(answer).update(BisectBatchOnFunctionError=False),
        "eu-west-1: the mapping does not bisect: one bad record holds up its whole batch",
    ),
    "no destination": (
        MAPPING,
        lambda answer: mapping(answer)["DestinationConfig"].update(OnFailure={}),
        "eu-west-1: the mapping has no place for what is given up: OnFailure is missing",
    ),
}


def findings(package, tools):
    """Return what the looks find wrong with what the programs would answer."""
    found = {f"stream of {region}": stream_of(region) for region in REGIONS}
    wrong = []
    for step in steps(Wish(package)):
        if step.judge:
            wrong += step.judge(json.loads(tools.would_answer(" ".join(step.command))), found)
    return wrong


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_is_found(package, tools, fault):
    """It is told as one line of its Region."""
    part, change, finding = FAULTS[fault]
    tools.changed(part, change)
    wrong = findings(package, tools)
    assert any(line.startswith(finding) for line in wrong), wrong


def test_eventual_mode_is_no_finding(package, tools):
    """It is what the worker is for, said or not."""
    tools.changed(TABLE, lambda answer: answer["Table"].update(MultiRegionConsistency="EVENTUAL"))
    assert findings(package, tools) == []


def test_a_sound_deployment_has_no_findings(package, tools):
    """What table.yaml and worker.yaml make passes: none of the faults above is found by chance."""
    assert findings(package, tools) == []


@pytest.mark.parametrize("fault", ["keys only", "disabled", "one replica"])
def test_only_the_region_with_the_fault_is_named(package, tools, fault):
    """The other Region is sound, and not told of; one fault is one line."""
    tools.changed(*FAULTS[fault][:2])
    assert findings(package, tools) == [FAULTS[fault][2]]


def test_a_finding_shows_in_the_exit_status(deploy, tools):
    """The deployment is told to be there, and wrong: one line, status 1."""
    tools.changed(*FAULTS["disabled"][:2])
    status, printed, complaints = deploy()
    assert (status, complaints) == (1, ["wrong: eu-west-1: the mapping is Disabled"])
    assert not printed[-1].startswith("what runs is what was meant")
