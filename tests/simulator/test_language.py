"""The mini-language: what is written is read back."""

import pytest

from replay_tools.simulator.generate import generate
from replay_tools.simulator.language import read, write
from replay_tools.simulator.workloads import WORKLOADS


@pytest.mark.parametrize("name", WORKLOADS)
def test_every_history_is_read_back(name: str):
    """A printed history is the history."""
    for seed in range(5):
        steps = list(generate(WORKLOADS[name], seed).steps)
        assert read(write(steps)) == steps


@pytest.mark.parametrize("text", ["A x Data=1 #1", "A: x Data=1", "A: x Data #1", "A works 3 !later", "A: x =1 #1"])
def test_what_is_no_step_is_refused(text: str):
    """The error shows the step."""
    with pytest.raises(ValueError, match=r"no |without a key"):
        read(text)


def test_the_same_seed_makes_the_same_history():
    """Nothing but workload and seed goes in."""
    assert generate(WORKLOADS["three"], 7) == generate(WORKLOADS["three"], 7)
    assert generate(WORKLOADS["three"], 7) != generate(WORKLOADS["three"], 8)
