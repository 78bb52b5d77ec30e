"""A pytest plugin: recorded streams as tests.

    def test_our_incident(replay_recording):
        replayed = replay_recording("incident.ndjson.gz", policy="policy.toml", region="us-east-1")
        replayed.assert_no_escalations()
        replayed.assert_repaired("account-7", attributes=["Balance"])

Nothing is changed anywhere: the table is taken to hold what the recording shows.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from reconciler.decisions import Decision
    from reconciler.explain import Explanation
    from reconciler.policy import Policy
    from replay_tools.replay import Judged

ReplayRecording = Callable[..., "Replayed"]
"""``(path, policy="policy.toml", region=None) -> Replayed``."""


@dataclass(frozen=True)
class Replayed:
    """What the worker decides about a recording, and what becomes of its items."""

    path: str
    policy: "Policy"
    region: str
    explanations: "list[Explanation]"
    """Each decision as data: `reconciler.explain.explain` tells the fields."""
    decisions: "list[Decision]"
    items: list[dict[str, Any]] = field(repr=False)
    """The items in the end, as boto3's resources give them."""

    @property
    def repairs(self) -> "list[Explanation]":
        """What was overwritten and joined back."""
        return [told for told in self.explanations if told["decision"] == "repair"]

    @property
    def escalations(self) -> "list[Explanation]":
        """What would wait in the poison queue for a person, or for another try."""
        return [told for told in self.explanations if told["decision"] in {"escalate", "failed"}]

    def item(self, key: object) -> dict[str, Any] | None:
        """Return an item by its key: a mapping, or the partition key's value."""
        wanted = self._key(key)
        return next((item for item in self.items if wanted.items() <= item.items()), None)

    def assert_no_escalations(self) -> None:
        """Fail where anything is left for a person."""
        if self.escalations:
            self._fail("nothing should be left for a person", self.escalations)

    def assert_nothing_lost(self) -> None:
        """Fail where the recording shows any conflict at all, repaired or not."""
        conflicts = [told for told in self.explanations if "conflict" in told] + self.escalations
        if conflicts:
            self._fail("nothing should have been overwritten", conflicts)

    def assert_repaired(self, key: object, attributes: Iterable[str] = ()) -> None:
        """Fail unless the item was repaired, so that each of these attributes came back whole or merged."""
        wanted = self._key(key)
        about = [told for told in self.explanations if wanted.items() <= told["key"].items()]
        repairs = [told for told in about if told["decision"] == "repair"]
        if not repairs:
            self._fail(f"{_name(wanted)} should have been repaired", about)
        back = {
            attribute["name"]
            for told in repairs
            for attribute in told["attributes"]
            if attribute["fate"] != "superseded"
        }
        missing = [name for name in attributes if name not in back]
        if missing:
            self._fail(f"{', '.join(missing)} of {_name(wanted)} should have come back", repairs)

    def _key(self, key: object) -> Mapping[str, object]:
        return key if isinstance(key, Mapping) else {self.policy.partition_key: key}

    def _fail(self, expectation: str, told: "Sequence[Explanation]") -> None:
        from replay_tools.replay import told_as_sentence  # noqa: PLC0415 - as below

        found = (
            "\n".join(f"  {data['place']}: {told_as_sentence(data)}" for data in told)
            or "  the recording has no such item"
        )
        pytest.fail(f"{expectation}, but in {self.path}:\n{found}", pytrace=False)


@pytest.fixture
def replay_recording(request: pytest.FixtureRequest) -> ReplayRecording:
    """Return a function that runs a recording under a policy file; paths are relative to the test's own folder."""

    def run(path: str | Path, policy: str | Path = "policy.toml", region: str | None = None) -> Replayed:
        from reconciler.errors import ReconcilerError  # noqa: PLC0415 - as below

        folder = request.path.parent
        try:
            return _run(folder / path, folder / policy, region)
        except ReconcilerError as error:
            pytest.fail(str(error), pytrace=False)

    return run


def _run(path: Path, policy_file: Path, region: str | None) -> Replayed:
    # Every test session of a project that has this installed loads the plugin: it imports nothing before it is used.
    from reconciler.policy import Policy  # noqa: PLC0415
    from reconciler.wire import plain_image  # noqa: PLC0415
    from replay_tools.bootstrap import replay as read_only_replay  # noqa: PLC0415
    from replay_tools.recordings import read_recording  # noqa: PLC0415
    from replay_tools.replay import explanations, region_of  # noqa: PLC0415

    policy = Policy.load(policy_file)
    recording = list(read_recording(str(path)))
    region = region or (region_of(recording[0], policy) if recording else policy.regions[0])
    replay, table = read_only_replay(policy, region)
    judged: list[Judged] = list(replay.judge_all(recording))
    return Replayed(
        str(path),
        policy,
        region,
        [told for one in judged for told in explanations(one, policy, region)],
        [decision for one in judged for decision in one.decisions],
        [plain_image(image) for image in table.items()],
    )


def _name(key: Mapping[str, object]) -> str:
    return " ".join(f"{name}={value!r}" for name, value in key.items())
