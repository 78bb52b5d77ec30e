"""The page in a real browser: hostile values, true numbers, a row for each mark, and hands without a mouse."""

import json
import re
import shutil
import subprocess
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from reconciler.policy import Policy
from replay_tools import bootstrap
from replay_tools.recordings import read_recording
from replay_tools.replay import explanations
from replay_tools.report import page as page_module
from tests.replay.regions import A, B
from tests.report.chromium import Browser, Page, opened
from tests.report.conftest import POLICY, SOURCES, written
from tests.report.histories import plain_record

pytestmark = pytest.mark.chromium

NODE = shutil.which("node") or ""
MARKUP = [
    '<img src="x" onerror="window.ran=1">',
    "</script><script>window.ran=1</script>",
    "<!--<script>",
    "\"'`><svg onload=window.ran=1>",
    "${window.ran=1}{{constructor.constructor('window.ran=1')()}}",
    "javascript:window.ran=1",
    "__proto__",
    "]]>&lt;b&gt;\u2028\u2029",
    "\u202edesrever\u0000\x1b[31m",
    "\ud800",
]
OWN_SCRIPTS = 3  # two that only hold data, and the page's own
EVERY_ROW = """(async () => {
  const found = new Map();
  for (let top = 0; top <= rowsBox.scrollHeight; top += rowsBox.clientHeight) {
    rowsBox.scrollTop = top;
    drawTable();
    for (const row of document.querySelectorAll('tr.row')) found.set(Number(row.dataset.mark), row.innerText);
  }
  return [...found].sort((a, b) => a[0] - b[0]).map(([mark, text]) => [mark, text]);
})()"""


@pytest.fixture
def tab(browser: Browser, recorded_page: Path) -> Iterator[Page]:
    """The page of the recordings, opened."""
    with opened(browser, recorded_page) as page:
        yield page


def filter_by(tab: Page, **fields: str) -> None:
    """Type into the filters."""
    for name, value in fields.items():
        tab.run(
            f"byId({json.dumps(name)}).value = {json.dumps(value)};"
            "byId('filters').dispatchEvent(new Event('input', {bubbles: true}))"
        )


# Hostile values


def hostile_page(folder: Path) -> Path:
    """Write a page whose keys, names, values and losses are markup."""
    losses = []
    for region in (A, B):
        with (folder / f"{region}.ndjson").open("w") as file:
            for number, value in enumerate(MARKUP, 1):
                raw: dict[str, Any] = json.loads(
                    json.dumps(plain_record(region, number, number, value, f"{value} again"))
                )
                body = raw["dynamodb"]
                body["Keys"] = {"Id": {"S": value}}
                for image in ("OldImage", "NewImage"):
                    body[image] |= {"Id": {"S": value}, value: {"M": {value: {"SS": [value]}}}}
                body["NewImage"][f"new {value}"] = {"S": value}
                file.write(json.dumps(raw) + "\n")
                by = {"region": region, "sequence_number": str(number), "made_in": value}
                place = {"region": region, "sequence_number": str(number)}
                told = {**place, "attributes": [value], "exactness": value, "why": value, "overwritten_by": by}
                losses.append(json.dumps({**told, "key": {}}))
    (folder / "losses.ndjson").write_text("\n".join(losses))
    sources = [f"{region}={folder / f'{region}.ndjson'}" for region in (A, B)]
    return written(folder / "hostile.html", *sources, "--losses", str(folder / "losses.ndjson"))


def test_whatever_an_item_holds_is_shown_as_text(browser: Browser, tmp_path: Path) -> None:
    """Every mark hovered and opened: nothing ran, nothing became an element, and nothing was asked of any network."""
    path = hostile_page(tmp_path)
    with opened(browser, path) as tab:
        shown = every_mark_looked_at(tab)
        assert tab.run("document.querySelectorAll('script').length") == OWN_SCRIPTS
        assert tab.run("document.querySelectorAll('img, iframe, object, [onerror], [onload]').length") == 0
        assert tab.run("typeof window.ran") == "undefined"
        assert tab.complaints() == []
        assert tab.requests() == [path.resolve().as_uri()]
    assert "\\ud800" in shown
    assert "\\u202edesrever\\u0000\\u001b[31m" in shown
    assert not set("\u202e\x1b\u2028").intersection(shown)


def every_mark_looked_at(tab: Page) -> str:
    """Hover, open and filter by each mark; return all that was shown."""
    shown = []
    for mark, position in enumerate(tab.run("[...data.position]")):
        tab.run(f"hover({mark}, 9, 9); choose({mark})")
        number = tab.run(f"contents.of({mark}).then((content) => content.sequence)")
        tab.wait_for(f"byId('detail-body').innerText.includes('sequence number {number} ')")
        tab.wait_for("!byId('card').hidden")
        filter_by(tab, key=MARKUP[position // 2 % len(MARKUP)], attribute=MARKUP[position // 2 % len(MARKUP)])
        shown += tab.run("[byId('detail-body').innerText, byId('card').innerText, document.body.innerText]")
    return "".join(shown)


@pytest.mark.parametrize("value", MARKUP[:5])
def test_markup_is_read_letter_by_letter(browser: Browser, tmp_path: Path, value: str) -> None:
    """What a person sees of a value is the value."""
    with opened(browser, hostile_page(tmp_path)) as tab:
        tab.run(f"choose([...data.key].findIndex((key) => data.keys[key] === {json.dumps(value)}))")
        tab.wait_for(f"byId('detail-body').innerText.includes({json.dumps(value)})")
        tab.run("hover(chosen, 9, 9)")
        tab.wait_for(f"!byId('card').hidden && byId('card').innerText.includes({json.dumps(value)})")


def test_the_browser_refuses_what_the_page_did_not_bring(tab: Page) -> None:
    """A script, a request or a string as markup is stopped, even if the page's own code tried."""
    attempts = {
        "innerHTML": "byId('live').innerHTML = '<b>x</b>'",
        "script": "const s = document.createElement('script'); s.append('window.ran=1'); document.body.append(s)",
        "request": "new Image().src = 'http://127.0.0.1:9/x'",
    }
    for attempt in attempts.values():
        tab.run(f"try {{ {attempt} }} catch {{ }}")
    assert tab.run("typeof window.ran") == "undefined"
    assert tab.run("byId('live').children.length") == 0
    assert len(tab.complaints()) >= len(attempts) - 1
    tab.wait_until_blocked("csp")


# Numbers


def told(source: str) -> list[dict[str, Any]]:
    """Return what the replay says of one Region's recording, decision by decision."""
    region, _, path = source.partition("=")
    policy = Policy.load(POLICY)
    replay, _ = bootstrap.replay(policy, region)
    judged = replay.judge_all(read_recording(path))
    return [each for one in judged for each in explanations(one, policy, region)]


def test_every_number_in_the_totals_is_what_the_replay_counted(tab: Page) -> None:
    """Decisions by Region; overwritten writes, duplicates and the rest by what was decided; no record twice."""
    by_region = [told(source) for source in SOURCES]
    counts = [
        Counter((each["decision"], each["reason"].replace("_", " ")) for each in each_told) for each_told in by_region
    ]
    rows = tab.run(
        "[...document.querySelectorAll('#decided tbody tr')].map((row) => [...row.cells].map((c) => c.innerText))"
    )
    assert rows == [
        [*decision, *(str(count[decision]) for count in counts), str(sum(count[decision] for count in counts))]
        for decision in sorted(counts[0] | counts[1])
    ]
    conflicts = [{each["place"]: each for each in each_told if "kind" in each} for each_told in by_region]
    overwriting = {"overwritten", "lost_to_delete", "swept"}
    lost = [[each for each in one.values() if each["kind"] in overwriting] for one in conflicts]
    repeated = [sum(each["mode"] == "exact" and not each["writes"] for each in one) for one in lost]
    places = [{each["place"] for each in one if "kind" in each or each["decision"] == "escalate"} for one in by_region]
    cards = {kind: tab.run(f"data.totals.kinds.{kind}") for kind in ("overwritten", "duplicate", "attention")}
    assert cards["duplicate"] == repeated
    assert cards["overwritten"] == [len(one) - twice for one, twice in zip(lost, repeated, strict=True)]
    assert cards["attention"] == [len(where) - len(one) for where, one in zip(places, lost, strict=True)]
    shown = tab.run(
        "[...document.querySelectorAll('.total')].map((card) => Number(card.querySelector('.count').innerText))"
    )
    assert sum(shown) == len({each["place"] for one in by_region for each in one}) == 57
    assert tab.run("byId('headline').innerText") == f"{sum(cards['overwritten'])} writes were overwritten"


# The table


@pytest.mark.parametrize(
    ("fields", "kind", "expected"),
    [
        ({}, None, lambda mark: True),
        ({"key": "DELETE"}, None, lambda mark: "delete" in mark["key"]),
        ({"attribute": "balance"}, None, lambda mark: "Balance" in mark["names"]),
        ({}, "overwritten", lambda mark: mark["kind"] == "overwritten"),
        (
            {"key": "lost", "attribute": "Tags"},
            "write",
            lambda mark: mark["kind"] == "write" and "lost" in mark["key"] and "Tags" in mark["names"],
        ),
        ({"key": "no such item"}, None, lambda mark: False),
    ],
)
def test_the_table_has_a_row_for_each_mark_that_the_filters_leave(
    tab: Page, fields: dict[str, str], kind: str | None, expected: Any
) -> None:
    """Scrolled through from its first row to its last, and each row says what its mark is."""
    marks = tab.run(
        "[...data.kind.keys()].map((i) => ({kind: kindOf(i), key: keyOf(i), region: regionOf(i), "
        "names: [...changedBy(i), ...lostBy(i)]}))"
    )
    filter_by(tab, **fields)
    if kind:
        tab.run(f"document.querySelector('.total.{kind}').click()")
    rows = tab.run(EVERY_ROW)
    wanted = [number for number, mark in enumerate(marks) if expected(mark)]
    assert [number for number, _ in rows] == wanted
    assert all(marks[number]["key"] in text and marks[number]["region"] in text for number, text in rows)
    assert tab.run("byId('table').getAttribute('aria-rowcount')") == str(len(wanted) + 1)
    assert tab.run("byId('shown').innerText").startswith(f"{len(wanted)} of 57 records")
    assert tab.run("[...shown]") == wanted


# Without a mouse, and for every eye


def test_marks_are_reached_by_keyboard_and_told_aloud(tab: Page) -> None:
    """N goes to the next overwritten write, Enter to its details; the table follows, and the words are announced."""
    tab.run("timeline.focus()")
    tab.press("n")
    tab.wait_for("byId('live').innerText.startsWith('Overwritten write, us-east-1, item lost-in-a')")
    tab.wait_for("byId('detail-body').innerText.includes('was overwritten by another Region')")
    assert tab.run("document.querySelector('tr[aria-selected=true]').innerText").split("\t")[2] == "lost-in-a"
    tab.press("ArrowRight")
    tab.wait_for("byId('live').innerText.startsWith('Replication, us-east-1')")
    tab.press("ArrowDown")
    tab.wait_for("byId('live').innerText.includes('eu-west-1')")
    tab.press("Enter")
    assert tab.run("document.activeElement.id") == "detail"


def test_rows_are_walked_by_keyboard(tab: Page) -> None:
    """One row takes the focus, and arrows move it, to the last row and beyond what is on screen."""
    tab.run("document.querySelector('#body tr[tabindex=\"0\"]').focus()")
    tab.press("ArrowDown")
    assert tab.run("document.activeElement.getAttribute('aria-rowindex')") == "3"
    tab.press("End")
    assert tab.run("document.activeElement.getAttribute('aria-rowindex')") == "58"
    assert tab.run("document.querySelectorAll('#body tr[tabindex=\"0\"]').length") == 1


def test_zooming_and_moving_stay_within_the_recordings(tab: Page) -> None:
    """No view leaves the time that was recorded, and a chosen mark is in view."""
    tab.run("zoom(50); pan(-99); choose(data.count - 1); zoom(1e12); pan(99)")
    assert tab.run("view.from >= extent.from && view.to <= extent.to && view.to > view.from")
    tab.run("choose(0)")
    assert tab.run("data.x[0] >= view.from && data.x[0] <= view.to")


def test_the_pointer_finds_the_loudest_mark_under_it(tab: Page) -> None:
    """Hovering an overwritten write shows both versions and the sentence."""
    at = tab.run(
        "(() => { const box = timeline.getBoundingClientRect(); const mark = [...shown].find(isOverwritten);"
        "return [box.left + toX(data.x[mark]) + 3, box.top + toY(mark) + 3]; })()"
    )
    tab.point_at(*at)
    tab.wait_for("!byId('card').hidden")
    text = tab.run("byId('card').innerText")
    assert text.startswith("Overwritten write")
    assert "Balance\t1\t11" in text
    tab.point_at(2, 2)
    tab.wait_for("byId('card').hidden")


PAIRS = [
    ("ink", "panel"),
    ("quiet", "panel"),
    ("quiet", "page"),
    ("overwritten", "panel"),
    ("overwritten", "overwritten-wash"),
    ("ink", "overwritten-wash"),
]


def contrast(one: str, other: str) -> float:
    """Return the contrast of two colours as WCAG 2 defines it (https://www.w3.org/TR/WCAG22/#dfn-contrast-ratio)."""
    light, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def luminance(colour: str) -> float:
    """Return the relative luminance of `rgb(r, g, b)`."""
    parts = [int(part) / 255 for part in re.findall(r"\d+", colour)]
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_words_stand_out_in_light_and_dark(tab: Page, scheme: str) -> None:
    """Every text has the contrast of WCAG's level AA, 4.5 to 1, and nothing moves by itself."""
    if tab.run("isDark()") != (scheme == "dark"):
        tab.run("byId('theme').click()")
    colours = tab.run("colours")
    assert (luminance(colours["page"]) < luminance(colours["ink"])) == (scheme == "dark")
    assert [pair for pair in PAIRS if contrast(*(colours[name] for name in pair)) < 4.5] == []
    assert tab.run("document.getAnimations().length") == 0


# What needs no browser


def test_json_in_the_page_has_nothing_that_a_parser_takes_for_markup() -> None:
    """No tag, comment or entity can begin in it, and it is the same value."""
    text = page_module.in_element(MARKUP)
    assert not set("<>&") & set(text)
    assert json.loads(text) == MARKUP


@pytest.mark.skipif(not NODE, reason="node is missing")
def test_the_script_is_a_script() -> None:
    """Node reads it without running it."""
    script = Path(page_module.__file__).with_name("page.js")
    done = subprocess.run([NODE, "--check", script], capture_output=True, text=True, check=False)  # noqa: S603 - a file of ours
    assert (done.returncode, done.stderr) == (0, "")
