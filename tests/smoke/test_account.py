"""The real thing: `pytest -m smoke`, against the deployment in the account whose credentials are set.

SMOKE_FIS_ROLE_ARN   the role that the experiment acts with (docs/deploy.md); without it, this is skipped
SMOKE_WORKER_STACK   the worker's stack; reconciler
SMOKE_POLICY_FILE    the policy that is deployed, of which the first two Regions are used; infra/policy.toml
"""

import os
import time
import uuid
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.exceptions import BotoCoreError, ClientError

from reconciler.policy import Policy
from tests.smoke.pause import paused, template
from tests.smoke.scenario import Place, Smoke

pytestmark = pytest.mark.smoke
POLICY_FILE = Path(__file__).parents[2] / "infra/policy.toml"
PATIENCE_S, PROBE_S = 600, 30


def patiently(seconds: float, ask: Callable[[], Any]) -> Any:
    """Return what `ask` finds, as soon as it finds something."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if found := ask():
            return found
        time.sleep(1)
    raise AssertionError(f"nothing within {seconds} s")


@pytest.fixture
def role():
    """The experiment's role, in an account that answers; else the test is skipped, and says why."""
    arn = os.environ.get("SMOKE_FIS_ROLE_ARN")
    if not arn:
        pytest.skip("SMOKE_FIS_ROLE_ARN is not set")
    try:
        boto3.client("sts", region_name="us-east-1").get_caller_identity()
    except (BotoCoreError, ClientError) as error:
        pytest.skip(f"no credentials: {error}")
    return arn


def test_nothing_is_lost_while_replication_is_paused(role):
    """Two Regions write the same items, cut off from each other; afterwards both hold both writes, and know retries."""
    policy = Policy.load(os.environ.get("SMOKE_POLICY_FILE", POLICY_FILE))
    stack = os.environ.get("SMOKE_WORKER_STACK", "reconciler")
    first, second = policy.regions[:2]
    places = [Place(partial(boto3.client, region_name=region), policy.name, stack) for region in (first, second)]
    run = uuid.uuid4().hex[:12]
    eventually = partial(patiently, PATIENCE_S)
    smoke = Smoke(*places, run, eventually, partial(patiently, PROBE_S))
    fis = boto3.client("fis", region_name=first)
    try:
        smoke.play(paused(fis, template(places[0].table_arn, role, run), eventually))
    finally:
        left = smoke.clean_up()
    assert left == {}
