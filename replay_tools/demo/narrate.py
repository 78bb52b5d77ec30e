"""Narrate: the story on a screen, for a person who never saw a conflict."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from itertools import pairwise
from typing import assert_never

from rich.console import Console, Group, RenderableType
from rich.padding import Padding
from rich.rule import Rule
from rich.table import Table
from rich.text import Text

from reconciler.policy import Policy, Region
from replay_tools.demo.bootstrap import ENGINES, POLICY_FILE
from replay_tools.demo.steps import Asked, Block, Decided, Drawing, Items, Rows, Step, Streamed, Told
from replay_tools.demo.story import INCLUDES, ITEM, Story
from replay_tools.demo.world import World

WIDTH = 80
WHO, REGION, LEFT, RIGHT = 7, 11, 29, 27
GAP, NO_GAP = (1, 0, 0, 2), (0, 0, 0, 2)
# In drawings: what last writer wins takes, and what the worker does.
TAKEN, REPAIRED = ("70 is replaced", "70 is too late", "✗"), ("repair",)
REGION_STYLES = ("cyan", "magenta")
DECISIONS = {
    "noop": ("nothing to do", "dim"),
    "repair": ("repair", "bold green"),
    "escalate": ("escalate", "bold red"),
    "none": ("no decision", "bold red"),
}
# What the lost write had a part in.
LOSABLE = ("Balance", "Tags", INCLUDES)
STATUSES = {"applied": "green", "duplicate": "yellow"}


def narrate_conflict(console: Console, engine_name: str) -> bool:
    """Tell the story, and return whether it ended well."""
    policy = replace(Policy.load(POLICY_FILE), name="Accounts")
    with ENGINES[engine_name]() as engine:
        story = Story(World(engine, policy, is_guarded=True))
        narrator = _Narrator(policy.regions)
        console.print(narrator.opening(), width=WIDTH)
        for number, step in enumerate(story.steps(), 1):
            console.print(narrator.drawn(number, step), width=WIDTH)
        console.print(_ending(is_well=story.is_well), width=WIDTH)
        return story.is_well


def _ending(*, is_well: bool) -> RenderableType:
    if is_well:
        text = Text.assemble(("✓ Converged", "bold green"), ": both Regions hold the same item, and nothing is lost.")
    else:
        text = Text("✗ The Regions differ, or a write is lost.", style="bold red")
    return Padding(text, (0, 2, 1, 2))


class _Narrator:
    """Draws steps, and remembers what the items said, to point out what has changed."""

    def __init__(self, regions: Iterable[str]) -> None:
        self._styles = dict(zip(regions, REGION_STYLES, strict=True))
        self._before: Mapping[Region, Rows] = {}

    def opening(self) -> RenderableType:
        """Return the title."""
        title = Text("How last writer wins loses a payment, and how it is found again", style="bold")
        played = Text("Played for real in this process: tables, streams, writer and worker.", style="dim")
        return Padding(Group(title, played), (1, 2))

    def drawn(self, number: int, step: Step) -> RenderableType:
        """Return one step."""
        head = Rule(Text(f"{number}  {step.title} ", style="bold"), align="left", style="dim")
        gaps = [NO_GAP if isinstance(a, Asked) and isinstance(b, Asked) else GAP for a, b in pairwise(step.blocks)]
        blocks = [Padding(self._block(block), gap) for block, gap in zip(step.blocks, [GAP, *gaps], strict=True)]
        return Padding(Group(head, *blocks), (0, 2, 1, 2))

    def _block(self, block: Block) -> RenderableType:
        match block:
            case Told(text):
                return Text(text)
            case Drawing(lines):
                return self._drawing(lines)
            case Asked():
                return self._asked(block)
            case Decided():
                return self._decided(block)
            case Streamed():
                return self._streamed(block)
            case Items():
                return self._items(block)
            case _:
                assert_never(block)

    def _region(self, region: str) -> Text:
        return Text(region, style=self._styles[region])

    def _drawing(self, lines: Iterable[str]) -> Text:
        text = Text("\n".join(lines), no_wrap=True)
        for region, style in self._styles.items():
            text.highlight_words([region], style)
        text.highlight_words(TAKEN, "red")
        text.highlight_words(REPAIRED, "green")
        return text

    def _line(self, who: str, region: str, *content: RenderableType) -> RenderableType:
        grid = Table.grid()
        grid.add_column(width=WHO, style="dim")
        grid.add_column(width=REGION)
        grid.add_column()
        grid.add_row(who, self._region(region), Group(*content))
        return grid

    def _asked(self, asked: Asked) -> RenderableType:
        answer = Text.assemble((asked.key, "bold"), (" → ", "dim"), (asked.status, STATUSES.get(asked.status, "red")))
        return self._line("client", asked.region, answer, Text(asked.wishes))

    def _decided(self, decided: Decided) -> RenderableType:
        words, style = DECISIONS[decided.decision]
        return self._line("worker", decided.region, Text(words, style=style), Text(decided.why))

    def _streamed(self, streamed: Streamed) -> RenderableType:
        heads = (Text("OldImage, replaced", style="yellow"), Text("NewImage, what stands now"))
        names = {**streamed.old, **streamed.new}
        rows = [
            [Text(name), _proof(name, streamed.old, "yellow"), _proof(name, streamed.new, "bold")] for name in names
        ]
        return Group(self._line("stream", streamed.region, Text(streamed.operation)), _board("", heads, rows))

    def _items(self, items: Items) -> RenderableType:
        names = dict.fromkeys(name for rows in items.by_region.values() for name in rows)
        rows = [[Text(name), *(self._value(name, region, items) for region in items.by_region)] for name in names]
        self._before = items.by_region
        return _board(f"item {ITEM}", [self._region(region) for region in items.by_region], rows)

    def _value(self, name: str, region: Region, items: Items) -> Text:
        """Return a value that stands out where it has changed, in the colour of what it means."""
        value = items.by_region[region].get(name, "")
        if region in items.lost_in and name in LOSABLE:
            return Text(value, style="bold red")
        if self._before.get(region, {}).get(name) == value and region not in items.repaired_in:
            return Text(value, style="dim")
        return Text(value, style="bold green" if region in items.repaired_in and name in LOSABLE else "bold")


def _proof(name: str, image: Rows, style: str) -> Text:
    """Return a value of a stream record; the list of writes is what the worker goes by."""
    return Text(image.get(name, ""), style=style if name == INCLUDES else "")


def _board(title: str, heads: Sequence[RenderableType], rows: Sequence[Sequence[RenderableType]]) -> Table:
    table = Table(box=None, padding=0)
    table.add_column(Text(title, style="not bold dim"), width=WHO + REGION, style="dim")
    for head, width in zip(heads, (LEFT, RIGHT), strict=True):
        table.add_column(head, width=width)
    for row in rows:
        table.add_row(*row)
    return table
