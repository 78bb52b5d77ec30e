"""What is wrong from the start is refused loudly, by name, before anything is done; nothing is lost meanwhile."""

from pathlib import Path

import pytest

from handlers import stream, write
from reconciler.errors import ConfigurationError
from tests.faults.site import EAST, POLICY, TABLE, WEST
from tests.faults.world import memory_world


def first_event(module, environment: dict[str, str], monkeypatch: pytest.MonkeyPatch, event: object) -> str:
    """Return what the function's first event fails with."""
    for name in ("TABLE_NAME", "POLICY_FILE", "POISON_QUEUE_URL", "AWS_REGION"):
        monkeypatch.delenv(name, raising=False)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    module.handler.cache_clear()
    with pytest.raises(ConfigurationError) as refusal:
        module.lambda_handler(event, None)
    return str(refusal.value)


BAD = [
    ("", "policy file: table: "),
    ("[table", "policy file: "),
    (POLICY.replace('"counter"', '"conter"'), "policy file: attributes.Balance: "),
    (POLICY.replace("partition_key", "partitionkey"), "policy file: table"),
    (
        POLICY.replace('name = "GlobalEventTable"', 'name = "GlobalEventTable"\nwindow = "soon"'),
        "policy file: table.window: ",
    ),
    (POLICY + 'Note = { policy = "custom", function = "no_such_module:f" }\n', "policy file: attributes.Note"),
    (POLICY.replace(TABLE, "AnotherTable"), "is 'GlobalEventTable', but POLICY_FILE"),
    (POLICY.replace(EAST, "ap-south-1"), "Region 'us-east-1' is not in the policy's regions"),
]


@pytest.mark.parametrize("module", [stream, write], ids=["stream", "write"])
@pytest.mark.parametrize(("text", "says"), BAD)
def test_a_bad_policy_file_fails_each_event_and_names_the_place(
    module, text: str, says: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Import succeeds; each invocation fails with the same words, until the file is mended: batches come again."""
    path = tmp_path / "policy.toml"
    path.write_text(text)
    environment = {
        "TABLE_NAME": TABLE,
        "POLICY_FILE": str(path),
        "AWS_REGION": EAST,
        "POISON_QUEUE_URL": "https://queue",
    }
    told = {first_event(module, environment, monkeypatch, {"Records": []}) for _ in range(2)}
    assert len(told) == 1
    assert says in told.pop()


def test_no_policy_file_at_all(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The path is named."""
    path = tmp_path / "policy.toml"
    environment = {"TABLE_NAME": TABLE, "POLICY_FILE": str(path), "AWS_REGION": EAST, "POISON_QUEUE_URL": "https://q"}
    assert str(path) in first_event(stream, environment, monkeypatch, {"Records": []})


@pytest.mark.parametrize("view", ["KEYS_ONLY", "NEW_IMAGE", "OLD_IMAGE"])
def test_a_stream_of_the_wrong_view_is_refused_whole(view: str) -> None:
    """It could never show a loss: nothing is done, the batch stays on the stream until the view is mended."""
    world = memory_world()
    world.conflict(["x", "y"], "k", owned=True)
    world.replicate()
    batch = list(world.batch(EAST))
    before = world.east.items()
    wrong = [{**record, "dynamodb": {**record["dynamodb"], "StreamViewType": view}} for record in batch]
    with pytest.raises(ConfigurationError) as refusal:
        world.east.work([*batch[:2], *wrong[2:]])
    assert str(refusal.value) == f"the stream's view type is {view!r}; it must be NEW_AND_OLD_IMAGES"
    assert world.east.items() == before
    assert world.east.messages() == []
    account = world.assert_nothing_lost()
    assert account.in_table == account.acknowledged == 4


def test_a_worker_of_another_region_is_no_danger() -> None:
    """The other Region's batch, delivered to this one by mistake, is judged against what stands here: all converges."""
    world = memory_world()
    world.conflict(["x", "y"], "k")
    world.replicate()
    assert world.west.work(list(world.batch(EAST))) == []
    account = world.assert_nothing_lost()
    assert account.in_table == account.acknowledged == 4
    assert {site.region for site in world.sites.values()} == {EAST, WEST}
