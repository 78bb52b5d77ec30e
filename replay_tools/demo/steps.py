"""Steps: the story as values, blocks that a screen can draw and a test can ask."""

from collections.abc import Mapping
from dataclasses import dataclass

from reconciler.policy import Region

Rows = Mapping[str, str]
"""What one image holds, by the name of the row."""


@dataclass(frozen=True, slots=True)
class Asked:
    """What a client asked of a Region, and what it was told."""

    region: Region
    key: str
    wishes: str
    status: str


@dataclass(frozen=True, slots=True)
class Items:
    """What each Region's item says now, and where that lacks a write, or has it again."""

    by_region: Mapping[Region, Rows]
    lost_in: tuple[Region, ...] = ()
    repaired_in: tuple[Region, ...] = ()


@dataclass(frozen=True, slots=True)
class Streamed:
    """A stream record: the image that was replaced, and the one that replaced it."""

    region: Region
    operation: str
    old: Rows
    new: Rows


@dataclass(frozen=True, slots=True)
class Decided:
    """What a Region's worker made of a record."""

    region: Region
    decision: str
    why: str


@dataclass(frozen=True, slots=True)
class Drawing:
    """A timeline."""

    lines: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Told:
    """What it means."""

    text: str


Block = Asked | Items | Streamed | Decided | Drawing | Told


@dataclass(frozen=True, slots=True)
class Step:
    """One step of the story."""

    title: str
    blocks: tuple[Block, ...]
