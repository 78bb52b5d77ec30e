"""Chains: the versions of one item as each Region's replica held them, and which of them are the same.

    us-east-1   v0 -> a1 -> b1          a1 is in one Region only
    eu-west-1   v0 -> b1                v0 and b1 are the same in both: shared versions come in one order everywhere

A version is known by its image. Where an image comes back (`v0 -> a -> v0`), the order tells which is which.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from difflib import SequenceMatcher
from itertools import pairwise

from reconciler.wire import Image
from replay_tools.audit.fingerprint import identity_of

MAX_MATCHED = 2_000
"""Longer chains in which images come back are matched by how often each came: matching by order takes their product."""


_Name = bytes | tuple[str, int, bytes]
"""One version's name: its image, and where images come back, also where it came first."""


@dataclass(frozen=True, slots=True)
class Step:
    """One stream record: what one Region's replica held before and after (None: nothing)."""

    region: str
    old: Image | None
    new: Image | None
    sequence_number: str
    at_ms: int | None = None


@dataclass(eq=False, slots=True)
class Version:
    """One version of the item, and in which Regions it replaced what."""

    image: Image | None
    replaced: "dict[str, tuple[Version, Step]]" = field(default_factory=dict)
    parent: "Version | None" = None
    maker: str | None = None
    depth: int = 0
    is_repeated: bool = False
    """Whether another version has the same image: which is which is then told by order alone."""

    def bases(self) -> "list[Version]":
        """Return the different versions that it replaced."""
        return list(dict.fromkeys(old for old, _ in self.replaced.values()))

    def path_above(self, other: "Version") -> "list[Version]":
        """Return this version and what it was made from, up to what `other` includes; newest first."""
        mine: list[Version] = []
        ours: Version | None = self
        theirs: Version | None = other
        while ours is not theirs and ours is not None:
            if theirs is not None and theirs.depth >= ours.depth:
                theirs = theirs.parent
            else:
                mine.append(ours)
                ours = ours.parent
        return mine


@dataclass(frozen=True, slots=True)
class Link:
    """One version in one Region's chain, and the record that shows how it came there (None: it was there before)."""

    identity: bytes
    image: Image | None
    step: Step | None


def versions_of(steps: Mapping[str, Iterable[Step]]) -> list[Version]:
    """Return the item's versions, each after everything that it replaced anywhere."""
    chains = {region: chain_of(own) for region, own in steps.items()}
    named, repeated = _named(chains)
    known: dict[_Name, Version] = {}
    for region, names in named.items():
        before: Version | None = None
        for name, link in zip(names, chains[region], strict=True):
            version = known.setdefault(name, Version(link.image, is_repeated=link.identity in repeated))
            if link.step is not None and before is not None and before is not version:
                version.replaced.setdefault(region, (before, link.step))
            before = version
    return [known[name] for name in _in_order(list(named.values()))]


def chain_of(steps: Iterable[Step]) -> list[Link]:
    """Return a Region's chain; duplicate records count once, and where records are missing the chain begins anew."""
    chain: list[Link] = []
    for step in _once(steps):
        old, new = identity_of(step.old), identity_of(step.new)
        if old == new:
            continue  # moto shows a write that changes nothing
        if not chain or chain[-1].identity != old:
            chain.append(Link(old, step.old, None))
        chain.append(Link(new, step.new, step))
    return chain


def _once(steps: Iterable[Step]) -> list[Step]:
    """Return the steps without repetitions, in the order of their sequence numbers where all have one."""
    by_number: dict[str, Step] = {}
    for position, step in enumerate(steps):
        by_number.setdefault(step.sequence_number or f"#{position}", step)
    if all(number.isdecimal() for number in by_number):
        return [by_number[number] for number in sorted(by_number, key=int)]
    return list(by_number.values())


def _named(chains: Mapping[str, Sequence[Link]]) -> tuple[dict[str, list[_Name]], set[bytes]]:
    """Return one name for each version, the same in every Region, and the identities that need more than the image."""
    repeated = {
        identity
        for chain in chains.values()
        for identity, count in Counter(link.identity for link in chain).items()
        if count > 1
    }
    if not repeated:
        return {region: [link.identity for link in chain] for region, chain in chains.items()}, repeated
    named: dict[str, list[_Name]] = {}
    for region, chain in chains.items():
        named[region] = _matched([link.identity for link in chain], [*named.items()], chains, region)
    return named, repeated


def _matched(
    identities: Sequence[bytes],
    earlier: Sequence[tuple[str, list[_Name]]],
    chains: Mapping[str, Sequence[Link]],
    region: str,
) -> list[_Name]:
    names: dict[int, _Name] = {}
    for other, other_names in earlier:
        others = [link.identity for link in chains[other]]
        for mine, theirs in _pairs(identities, others):
            if mine not in names and other_names[theirs] not in names.values():
                names[mine] = other_names[theirs]
    return [names.get(position, (region, position, identity)) for position, identity in enumerate(identities)]


def _pairs(ours: Sequence[bytes], theirs: Sequence[bytes]) -> Iterator[tuple[int, int]]:
    """Yield the positions of what is the same, in one order on both sides."""
    if max(len(ours), len(theirs)) > MAX_MATCHED:
        places = {key: position for position, key in enumerate(_counted(theirs))}
        yield from ((mine, places[key]) for mine, key in enumerate(_counted(ours)) if key in places)
        return
    for block in SequenceMatcher(None, ours, theirs, autojunk=False).get_matching_blocks():
        yield from ((block.a + offset, block.b + offset) for offset in range(block.size))


def _counted(identities: Iterable[bytes]) -> Iterator[tuple[bytes, int]]:
    seen: Counter[bytes] = Counter()
    for identity in identities:
        seen[identity] += 1
        yield identity, seen[identity]


def _in_order(chains: Sequence[Sequence[_Name]]) -> list[_Name]:
    """Merge chains that agree in their order; what disagrees comes last, as it came."""
    after: dict[_Name, list[_Name]] = {name: [] for chain in chains for name in chain}
    waiting: Counter[_Name] = Counter()
    for chain in chains:
        for one, next_one in pairwise(chain):
            after[one].append(next_one)
            waiting[next_one] += 1
    ready = [name for name in reversed(after) if not waiting[name]]
    merged: dict[_Name, None] = {}
    while ready:
        name = ready.pop()
        merged[name] = None
        for next_one in after[name]:
            waiting[next_one] -= 1
            if not waiting[next_one]:
                ready.append(next_one)
    return [*merged, *(name for name in after if name not in merged)]
