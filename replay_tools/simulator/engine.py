"""The engine of an exhaustive walk: the real writer, the real worker and the oracle, each asked the same question once.

The clocks stand still, so the same request at the same version has the same answer, whatever happened before.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from reconciler.policy import Policy
from replay_tools.simulator.answers import judge_answers
from replay_tools.simulator.oracle import judge_item, judge_poison
from replay_tools.simulator.region import record_of
from replay_tools.simulator.replica import ABSENT, Version
from replay_tools.simulator.steps import Request, Work
from replay_tools.simulator.verdict import Violation
from replay_tools.simulator.world import World

ITEM = "x"
Records = tuple[tuple[int, int], ...]
"""Stream records, each an old and a new version by number."""


@dataclass(frozen=True, slots=True)
class Small:
    """A small history: each Region's requests, in order, under standing clocks."""

    name: str
    policy: Policy
    requests: tuple[Request, ...]
    skew_ms: Mapping[str, int] = field(default_factory=dict)
    crashes: bool = True
    """Whether a worker may also die after its write, and get the record again; or get all that waits at once."""
    reduced: bool = False
    """Whether what concerns nobody else (a loser arrives, a record that lost nothing) is done at once: it commutes."""


class Answer(NamedTuple):
    """The version that then stands, what was executed, and what was wrong on the way."""

    version: int
    executed: int = 0
    violations: Sequence[Violation] = ()


class Engine:
    """The real writer, the real worker and the oracle, each asked the same question once."""

    def __init__(self, small: Small) -> None:
        """Know no version but an absent item."""
        self._small = small
        self._executions = World(small.policy).executions
        self._versions: list[Version] = [ABSENT]
        self._numbers: dict[str, int] = {repr(ABSENT): 0}
        self._served: dict[tuple[Request, int], Answer] = {}
        self._worked: dict[tuple[int, Records, int], Answer] = {}
        self._judged: dict[tuple[tuple[int, ...], int], Sequence[Violation]] = {}

    def serve(self, request: Request, here: int) -> Answer:
        """Let the writer serve a request where a version stands."""
        if (request, here) not in self._served:
            world = self._world({request.region: here})
            world.step(request)
            executed = sum(1 << number for number in world.answers[0].executed)
            answer = Answer(self._number(world.get(request.region, ITEM)), executed, judge_answers(world, set()))
            self._served[request, here] = answer
        return self._served[request, here]

    def work(self, region: int, records: Records, here: int) -> Answer:
        """Let the worker of a Region meet its records where a version stands."""
        if (region, records, here) not in self._worked:
            name = self._small.policy.regions[region]
            world = self._world({name: here})
            world.regions[name].stream.extend(
                record_of(ITEM, self._versions[old], self._versions[new], position, 0)
                for position, (old, new) in enumerate(records)
            )
            world.step(Work(name, len(records)))
            answer = Answer(self._number(world.get(name, ITEM)), 0, list(judge_poison(world)))
            self._worked[region, records, here] = answer
        return self._worked[region, records, here]

    def judge(self, versions: tuple[int, ...], executed: int) -> Sequence[Violation]:
        """Let the oracle judge what the Regions hold in the end."""
        if (versions, executed) not in self._judged:
            world = self._world(dict(zip(self._small.policy.regions, versions, strict=True)))
            executions = [execution for execution in self._executions if executed >> execution.number & 1]
            self._judged[versions, executed] = judge_item(world, ITEM, executions)
        return self._judged[versions, executed]

    def is_inert(self, record: tuple[int, int]) -> bool:
        """Say whether nothing was lost: the new version has seen all that the old one had, of the same life."""
        old, new = (self._versions[number] for number in record)
        return old is ABSENT or (old.truth.life == new.truth.life and new.truth.includes(old.truth))

    def are_same(self, one: int, other: int) -> bool:
        """Say whether two versions are one image."""
        return one == other or self._versions[one].image == self._versions[other].image

    def _world(self, versions: Mapping[str, int]) -> World:
        world = World(self._small.policy, self._small.skew_ms)
        world.executions = self._executions
        for region, version in versions.items():
            world.replicas.put(region, ITEM, self._versions[version])
        return world

    def _number(self, version: Version) -> int:
        """Return the version's number; equal versions have one."""
        number = self._numbers.setdefault(repr(version), len(self._versions))
        if number == len(self._versions):
            self._versions.append(version)
        return number
