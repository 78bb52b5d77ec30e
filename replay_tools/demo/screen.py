# ruff: noqa: RUF001 - drawings and dashes are meant
"""Screen: the demo as a person sees it, live at a terminal, as plain lines anywhere else.

Colours mean one thing each: yellow is what last writer wins takes, red is lost, green is safe.
"""

from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.padding import Padding
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from replay_tools.demo.plan import WRITES_PER_ACCOUNT
from replay_tools.demo.report import Outcome, Report
from replay_tools.demo.scenario import CLIENTS, Phase, Progress, Watch

BAR = 20
LABEL, NUMBER = 46, 16
INDENT = (0, 0, 0, 1)

TITLES = {
    Phase.TOGETHER: ("Together", "us-east-1 ───── eu-west-1"),
    Phase.PARTED: ("Partition", "us-east-1 ──╳── eu-west-1"),
    Phase.HEALED: ("Healed", "us-east-1 ───── eu-west-1"),
    Phase.CONVERGE: ("Converge", "clients have stopped"),
}


@contextmanager
def watching(console: Console, writes: int) -> Iterator[Watch]:
    """Show the phases while they last: redrawn in place at a terminal, else a line for each that is over."""
    console.print(_header(writes))
    phases = _Phases()
    if not console.is_terminal:
        yield lambda progress: _print_line(console, progress)
        return
    with Live(phases.drawn(), console=console, auto_refresh=False) as live:

        def show(progress: Progress) -> None:
            phases.take(progress)
            live.update(phases.drawn(), refresh=True)

        yield show


def _header(writes: int) -> RenderableType:
    accounts = max(1, writes // WRITES_PER_ACCOUNT)
    title = Text("One table in two Regions, and what last writer wins does to it", style="bold")
    facts = (
        "Where two Regions write one item at about the same time, DynamoDB Global Tables",
        "keep the later write; the other vanishes. Workers on the streams put it back.",
        f"{writes} writes to {accounts} accounts by {CLIENTS} clients at once; the same without workers.",
    )
    return Padding(Group(title, *(Text(fact, style="dim") for fact in facts)), (1, 0, 1, 1))


class _Phases:
    """The newest progress of each phase."""

    def __init__(self) -> None:
        self._newest: dict[Phase, Progress] = {}

    def take(self, progress: Progress) -> None:
        """Take what is new."""
        self._newest[progress.phase] = progress

    def drawn(self) -> RenderableType:
        """Return the phases as a list, the current one with its counts."""
        grid = Table.grid(padding=(0, 2))
        for column in ({"width": 1}, {"width": 9}, {"width": 25}, {"width": BAR}, {"justify": "right", "width": 7}):
            grid.add_column(**column)
        for phase in Phase:
            grid.add_row(*_phase_row(phase, self._newest.get(phase)))
        return Group(Padding(grid, INDENT), Padding(self._counts(), (1, 0, 1, 1)))

    def _counts(self) -> Text:
        newest = list(self._newest.values())[-1:]
        parts = [
            ("waiting to replicate ", sum(progress.waiting for progress in newest), "cyan"),
            ("overwritten ", sum(progress.overwritten for progress in newest), "yellow"),
            ("repairs ", sum(progress.repairs for progress in newest), "green"),
        ]
        text = Text()
        for label, number, style in parts:
            text.append(label, style="dim").append(f"{number:<6}", style=style if number else "dim").append("  ")
        return text


def _phase_row(phase: Phase, progress: Progress | None) -> list[RenderableType]:
    title, picture = TITLES[phase]
    if progress is None:
        return ["", Text(title, style="dim"), Text(picture, style="dim"), "", ""]
    mark = Text("✓", style="green") if progress.is_over else Text("▸", style="bold")
    style = "" if progress.is_over else "bold"
    drawing = Text(picture, style="yellow" if phase is Phase.PARTED else "")
    if phase is Phase.CONVERGE:
        return [mark, Text(title, style=style), drawing, "", ""]
    bar = ProgressBar(progress.total or 1, progress.sent, BAR, complete_style="blue", finished_style="blue")
    return [mark, Text(title, style=style), drawing, bar, f"{progress.sent}/{progress.total}"]


def _print_line(console: Console, progress: Progress) -> None:
    if not progress.is_over:
        return
    title, picture = TITLES[progress.phase]
    sent = f"{progress.sent:>4} writes, " if progress.total else " " * 13
    counts = f"{progress.overwritten:>3} overwritten, {progress.repairs:>3} repairs"
    console.print(f" {title:<10} {picture:<26}{sent}{counts}", highlight=False)


def show_report(console: Console, report: Report) -> None:
    """Show the numbers side by side, and the verdict."""
    console.print(Padding(_numbers(report), (1, 0, 0, 1)))
    console.print(Padding(_verdict(report), INDENT))
    console.print()


def _numbers(report: Report) -> Table:
    table = Table(box=None, padding=0, header_style="bold")
    table.add_column("", width=LABEL)
    table.add_column("without workers", justify="right", width=NUMBER)
    table.add_column("with workers", justify="right", width=NUMBER)
    bare, kept = report.unguarded, report.guarded
    for section in (
        _clients_rows(bare, kept),
        _platform_rows(bare, kept),
        _result_rows(bare, kept),
    ):
        for row in section:
            table.add_row(*row)
        table.add_row()
    return table


Row = tuple[RenderableType, RenderableType, RenderableType]


def _clients_rows(bare: Outcome, kept: Outcome) -> list[Row]:
    return [
        ("Writes acknowledged", str(bare.writes_acknowledged), str(kept.writes_acknowledged)),
        ("Duplicates suppressed", str(bare.duplicates_suppressed), str(kept.duplicates_suppressed)),
    ]


def _platform_rows(bare: Outcome, kept: Outcome) -> list[Row]:
    return [
        ("Overwritten by last writer wins", _taken(bare.writes_overwritten), _taken(kept.writes_overwritten)),
        ("Repairs (one can bring back several writes)", _NONE, str(kept.repairs)),
        ("Poison messages (1 record was broken by hand)", _NONE, str(kept.poison_messages)),
        ("Time to converge", _seconds(bare), _seconds(kept)),
    ]


def _result_rows(bare: Outcome, kept: Outcome) -> list[Row]:
    return [
        ("Regions agree", _agree(bare), _agree(kept)),
        ("Balance missing", _loss(bare.balance_missing), _loss(kept.balance_missing)),
        (Text("Writes lost", style="bold"), _loss(bare.writes_lost), _loss(kept.writes_lost)),
    ]


_NONE = Text("–", style="dim")


def _taken(number: int) -> Text:
    return Text(str(number), style="yellow")


def _loss(number: int) -> Text:
    return Text(f"{number:,}", style="bold red" if number else "bold green")


def _agree(outcome: Outcome) -> Text:
    return Text("no", style="bold red") if outcome.items_differing else Text("yes")


def _seconds(outcome: Outcome) -> Text:
    if outcome.converged_after_ms is None:
        return Text("never", style="bold red")
    return Text(f"{outcome.converged_after_ms / 1000:.1f} s")


def _verdict(report: Report) -> RenderableType:
    if report.problems:
        return Group(*(Text(f"✗ {problem}", style="bold red") for problem in report.problems))
    bare = report.unguarded
    return Group(
        Text("✓ Nothing was lost", style="bold green"),
        Text("  Every acknowledged write is in both Regions, and none is counted twice."),
        Text(f"  Without workers {bare.writes_lost} of {bare.writes_acknowledged} vanished: no error, no log."),
        Text(""),
        Text("  make run ARGS=--narrate walks one conflict through, step by step.", style="dim"),
    )
