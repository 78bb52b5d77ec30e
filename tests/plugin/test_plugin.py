"""The pytest plugin as a user has it: tests over recordings, that fail in sentences."""

import json
from pathlib import Path

import pytest

from tests.replay.regions import A, B, Regions, lost_update

POLICY = """
[table]
name = "Accounts"
partition_key = "Id"
regions = ["us-east-1", "eu-west-1"]
[attributes]
Balance = "counter"
Owner = "manual"
"""


@pytest.fixture
def project(pytester: pytest.Pytester) -> pytest.Pytester:
    """A project with a policy file, a recording of a lost update, one of a question to a person, one of calm."""
    (pytester.path / "policy.toml").write_text(POLICY)
    save(pytester.path / "lost.ndjson", lost_update())
    calm = Regions("z")
    calm.write(A, "k", Set={"Note": "x"})
    save(pytester.path / "calm.ndjson", calm)
    regions = Regions("y")
    for region, owner in ((A, "a"), (B, "b")):
        regions.write(region, f"k-{owner}", Set={"Owner": owner})
    regions.replicate(B, A)
    save(pytester.path / "question.ndjson", regions)
    return pytester


def save(path: Path, regions: Regions) -> None:
    """Save the first Region's stream."""
    path.write_text("".join(json.dumps(recorded.raw) + "\n" for recorded in regions.recording(A)))


def run(project: pytest.Pytester, *bodies: str) -> pytest.RunResult:
    """Run tests with these bodies, in order, where the package is installed: the entry point is enough."""
    tests = (f"def test_{number}(replay_recording):\n    {body}\n" for number, body in enumerate(bodies))
    project.makepyfile("\n".join(tests))
    return project.runpytest_subprocess()


def test_what_holds_passes(project: pytest.Pytester) -> None:
    """A recording runs under the policy file beside the test, and answers what is asked of it."""
    run(
        project,
        "replay_recording('lost.ndjson').assert_no_escalations()",
        "replay_recording('lost.ndjson').assert_repaired('x')",
        "replay_recording('lost.ndjson').assert_repaired({'Id': 'x'}, attributes=['Balance', 'Note'])",
        "assert replay_recording('lost.ndjson', region='eu-west-1').explanations[0]['region'] == 'eu-west-1'",
        "assert replay_recording('lost.ndjson').item('x')['Balance'] == 111",
        "assert replay_recording('lost.ndjson').item('nobody') is None",
        "assert type(replay_recording('lost.ndjson').decisions[-1]).__name__ == 'Repair'",
        "assert [len(replay_recording(name).repairs) for name in ('lost.ndjson', 'question.ndjson')] == [1, 1]",
        "assert [told['reason'] for told in replay_recording('question.ndjson').escalations] == ['manual']",
        "open('empty.ndjson', 'w').close(); replay_recording('empty.ndjson').assert_nothing_lost()",
    ).assert_outcomes(passed=10)


def test_what_does_not_hold_fails_in_a_sentence(project: pytest.Pytester) -> None:
    """The report says what was expected, and what the recording shows instead."""
    result = run(
        project,
        "replay_recording('question.ndjson').assert_no_escalations()",
        "replay_recording('lost.ndjson').assert_nothing_lost()",
        "replay_recording('lost.ndjson').assert_repaired('y')",
        "replay_recording('lost.ndjson').assert_repaired('x', attributes=['Note', 'Other'])",
        "replay_recording('question.ndjson').assert_repaired('y', attributes=['Owner'])",
        "replay_recording('calm.ndjson').assert_repaired('z')",
        "replay_recording('none.ndjson')",
        "replay_recording('lost.ndjson', policy='none.toml')",
    )
    result.assert_outcomes(failed=8)
    result.stdout.fnmatch_lines(
        [
            "nothing should be left for a person, but in *question.ndjson:",
            "  *question.ndjson:2: *the policy leaves the choice between the two values to a person*",
            "nothing should have been overwritten, but in *",
            '  *lost.ndjson:3: In us-east-1, item "x" was overwritten by another Region*',
            "Id='y' should have been repaired, but in *lost.ndjson:",
            "  the recording has no such item",
            "Other of Id='x' should have come back, but in *",
            "  *Balance is 111, from 11 and 101 (counter)*",
            "Owner of Id='y' should have come back, but in *",
            '  *Owner is "b", no longer "a" (manual)*',
            "Id='z' should have been repaired, but in *",
            '  *calm.ndjson:1: Nothing was lost: item "z" is new*',
            "*none.ndjson: cannot be read: No such file*",
            "policy file: *none.toml: cannot be read*",
        ]
    )
