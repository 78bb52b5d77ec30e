"""A redrive's bounds fit the queue and the function that the template makes."""

from pathlib import Path
from typing import Any

import yaml

from handlers.settings import Settings
from reconciler.redrive_run import BATCH, EFFECTS, HOLD_MARGIN_S, RENEW_AT_AGE_MS, RENEW_AT_RECEIVES
from tests.redrive import queue

WORKER = Path(__file__).parents[2] / "infra" / "worker.yaml"
DAY_MS = 86_400_000


class Loader(yaml.SafeLoader):
    """Reads CloudFormation's tags as what stands in them."""


def resource(name: str) -> Any:
    """Return a resource's properties."""
    Loader.add_multi_constructor("!", lambda loader, _, node: getattr(node, "value", None))
    return yaml.load(WORKER.read_text(encoding="utf-8"), Loader)["Resources"][name]["Properties"]  # noqa: S506 - safe


def test_a_message_is_sent_again_before_the_queue_sets_it_aside() -> None:
    """With a receive to spare for a redrive that died, and one for a person who looked."""
    poison = resource("PoisonQueue")
    assert poison["RedrivePolicy"]["maxReceiveCount"] == queue.MAX_RECEIVES >= RENEW_AT_RECEIVES + 2


def test_a_message_is_sent_again_before_the_queue_forgets_it() -> None:
    """With days to spare between two redrives."""
    assert resource("PoisonQueue")["MessageRetentionPeriod"] * 1000 == queue.RETENTION_MS
    assert RENEW_AT_AGE_MS + 5 * DAY_MS < queue.RETENTION_MS


def test_the_function_has_time_and_memory_for_a_run() -> None:
    """Far more than its reserve; SQS hides a message for at most twelve hours."""
    function, settings = resource("RedriveFunction"), Settings("", "", "")
    assert function["Timeout"] > 10 * EFFECTS * settings.reserve_ms / 1000
    assert function["Timeout"] + HOLD_MARGIN_S < 43_200
    assert settings.redrive_messages >= BATCH
