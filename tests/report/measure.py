"""What a page of many records costs: ``python -m tests.report.measure [RECORDS]``.

Prints its size, how long the browser takes until it answers, and the longest frames while it is zoomed, moved,
filtered and scrolled. Figures of one machine and one run; no test asserts a time.
"""

import sys
import time
from pathlib import Path
from tempfile import TemporaryDirectory

from click.testing import CliRunner

from replay_tools.cli import main as replay_tools
from tests.report.busy import write_busy
from tests.report.chromium import Browser, Page, opened

RECORDS = 100_000
POLICY = '[table]\nname = "T"\npartition_key = "Id"\nregions = ["us-east-1", "eu-west-1"]\n'
FRAMES = """(async () => {
  const act = (i) => { %s };
  const next = () => new Promise(requestAnimationFrame);
  await next(); await next();
  const times = [], work = [];
  for (let i = 0; i < 60; i += 1) {
    const begun = performance.now();
    act(i);
    const acted = performance.now();
    await next();
    const drawing = performance.now();
    times.push(performance.now() - begun);
    work.push(acted - begun);
  }
  times.sort((a, b) => a - b);
  return [times[30], times[59], Math.max(...work)];
})()"""
LOADING = """(({domInteractive, loadEventEnd}) => [domInteractive, loadEventEnd])(
  performance.getEntriesByType('navigation')[0])"""
FIRST_LOOK = """(async () => {
  const begun = performance.now();
  await contents.of(data.count >> 1);
  return performance.now() - begun;
})()"""
ACTIONS = {
    "zoom in": "zoom(1.15, data.x[data.count >> 1])",
    "zoom out": "zoom(1 / 1.15)",
    "move": "pan(i % 2 ? 0.1 : -0.1)",
    "hover": "hover(markAt(60 + 19 * i, 100), 60 + 19 * i, 100)",
    "filter by item": "byId('key').value = String(i); byId('filters').dispatchEvent(new Event('input'))",
    "scroll the table": "rowsBox.scrollTop = i * 40000",
}


def main(records: int = RECORDS) -> None:
    """Print what a page of so many records costs."""
    with TemporaryDirectory() as folder:
        path = _written(Path(folder), records)
        print(f"page: {path.stat().st_size / 1e6:.1f} MB")  # noqa: T201 - what it is for
        with Browser() as browser, opened(browser, path) as page:
            _print_loading(page)
            for name, action in ACTIONS.items():
                median, longest, work = page.run(FRAMES % action)
                print(f"{name}: frame {median:.0f} ms median, {longest:.0f} ms longest; handler at most {work:.1f} ms")  # noqa: T201
            print(f"complaints: {page.complaints()}")  # noqa: T201


def _written(folder: Path, records: int) -> Path:
    sources = list(write_busy(folder, records, items=max(20, records // 20)))
    (folder / "policy.toml").write_text(POLICY)
    path = folder / "report.html"
    begun = time.process_time()
    result = CliRunner().invoke(
        replay_tools, ["report", *sources, "--policy", str(folder / "policy.toml"), "-o", str(path)]
    )
    print(f"{result.output.strip()}: {time.process_time() - begun:.0f} s of processor time")  # noqa: T201
    return path


def _print_loading(page: Page) -> None:
    drawn, loaded = page.run(LOADING)
    print(f"loading: parsed and drawn after {drawn:.0f} ms, loaded after {loaded:.0f} ms")  # noqa: T201
    print(f"first look at a record's contents: {page.run(FIRST_LOOK):.0f} ms")  # noqa: T201


if __name__ == "__main__":
    main(*map(int, sys.argv[1:2]))
