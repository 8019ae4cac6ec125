"""The site in a headless Chromium: no error, no request, usable by pointer, keyboard and screen reader.

Needs the dependency group `browser` and a Chromium on the machine (`chromium` of Debian); `tox run -e browser`.
"""

from __future__ import annotations

import re
import shutil
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from fixtures import synthetic

from benchsuite.report import write_report
from benchsuite.running.store.attachments import write_exhibits
from benchsuite.running.study import StoredStudy

pytestmark = pytest.mark.browser
sync_api = pytest.importorskip("playwright.sync_api", reason="needs the dependency group `browser`")
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
WIDE, NARROW = {"width": 1280, "height": 900}, {"width": 390, "height": 844}
TRIALS = 240
DRAWN = """[...document.querySelectorAll('.plot')].every(
    (plot) => plot.querySelector('svg') || plot.closest('details:not([open])'))"""


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("site")
    study = synthetic.study(folder / "study", TRIALS, 2, 3)
    for record in StoredStudy.load(study).records[:4]:
        write_exhibits(study / "exhibits" / f"{record.trial_id}.json", synthetic.exhibits())
    write_report([StoredStudy.load(study)], folder / "site", ["html"])
    return folder / "site"


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    if CHROMIUM is None:
        pytest.skip("there is no Chromium here")
    with sync_api.sync_playwright() as playwright:
        found = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield found
        found.close()


def wait(page: Any, expression: str, seconds: float = 60.0) -> None:
    """Until the expression is true. Playwright's own way is forbidden by the page's policy, as it should be."""
    end = time.monotonic() + seconds
    while not page.evaluate(expression):
        assert time.monotonic() < end, expression
        page.wait_for_timeout(50)


class Visit:
    """A page that was opened, and what the browser said of it."""

    def __init__(self, browser: Any, site: Path, **settings: Any) -> None:
        self.site = site
        self.context = browser.new_context(**{"viewport": WIDE, **settings})
        self.page = self.context.new_page()
        self.said: list[str] = []
        self.page.on("console", lambda message: self._hear(f"{message.type}: {message.text}"))
        self.page.on("pageerror", lambda error: self.said.append(str(error)))
        self.page.on("request", lambda request: self._ask(request.url))

    def _hear(self, text: str) -> None:
        if text.startswith(("error", "warning")):
            self.said.append(text)

    def _ask(self, address: str) -> None:
        if not address.startswith((self.site.as_uri(), "data:")):
            self.said.append(f"asked for {address}")

    def open(self, path: Path | str) -> Any:
        """Open a page and wait for its charts."""
        self.page.goto((self.site / path).as_uri())
        wait(self.page, DRAWN)
        return self.page

    def close(self) -> None:
        self.context.close()


@pytest.fixture
def visit(browser: Any, site: Path) -> Iterator[Visit]:
    made = Visit(browser, site)
    yield made
    made.close()
    assert not made.said


def kinds(site: Path) -> list[Path]:
    """A page of every kind; of trials the best equipped one, a failed one and a skipped one."""
    texts = {path: path.read_text("utf-8") for path in sorted((site / "trials").glob("*.html"))}
    wanted = (
        "confusion of the test split",
        "ValueError: shapes",
        "takes minutes to compile",
        "in breach of parity|breaks? parity|above 2e-05",
    )
    trials = [next(path for path, text in texts.items() if re.search(word, text)) for word in wanted]
    tasks = sorted((site / "tasks").glob("*.html"))[:1]
    return [*sorted(site.glob("*.html")), *tasks, *trials]


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("size", [WIDE, NARROW], ids=["wide", "narrow"])
def test_every_page_opens_without_an_error_or_a_request_and_fits(
    size: dict[str, int], theme: str, browser: Any, site: Path
) -> None:
    visit = Visit(browser, site, viewport=size, color_scheme=theme)
    for path in kinds(site):
        page = visit.open(path)
        assert not visit.said, path
        wide = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
        assert wide <= 0, f"{path.name} is {wide} pixels wider than the window"
        assert page.evaluate("document.querySelectorAll('.plot .note').length") == 0
    visit.close()


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_nothing_stands_in_the_way_of_a_screen_reader(theme: str, browser: Any, site: Path) -> None:
    axe = pytest.importorskip("axe_playwright_python.sync_playwright").Axe()
    visit = Visit(browser, site, bypass_csp=True, color_scheme=theme)
    for path in kinds(site):
        found = axe.run(visit.open(path)).response["violations"]
        assert not [(one["id"], one["nodes"][0]["html"]) for one in found], path
    visit.close()


def test_pages_are_valid_html(site: Path) -> None:
    html5lib = pytest.importorskip("html5lib")
    for path in kinds(site):
        parser = html5lib.HTMLParser(strict=False)
        parser.parse(path.read_text("utf-8"))
        assert not [(at, code) for at, code, _ in parser.errors], path


def test_a_table_is_sorted_by_a_click_and_by_the_keyboard(visit: Visit) -> None:
    page = visit.open("index.html")
    table = page.locator(".table table", has_text="sequences/s").first
    names = table.evaluate("(table) => [...table.tHead.rows[0].cells].map((cell) => cell.textContent)")
    at = names.index("sequences/s")
    speeds = (
        f"(table) => [...table.tBodies[0].rows].map((row) => row.cells[{at}].textContent).filter(Boolean)"
    )
    head = table.locator("thead th").nth(at)
    head.locator("button").click()
    values = [float(text.strip("~ ").replace(",", "")) for text in table.evaluate(speeds)]
    assert values == sorted(values)
    assert head.get_attribute("aria-sort") == "ascending"
    head.locator("button").press("Enter")
    values = [float(text.strip("~ ").replace(",", "")) for text in table.evaluate(speeds)]
    assert values == sorted(values, reverse=True)
    assert head.get_attribute("aria-sort") == "descending"
    assert table.locator("[aria-sort=ascending]").count() == 0


def test_trials_are_filtered_searched_and_turned_over_and_lead_to_their_pages(visit: Visit) -> None:
    page = visit.open("trials.html")
    status = page.locator(".pages [role=status]")
    rows = page.locator(".table tbody tr")
    assert status.inner_text() == f"1 to 100 of {TRIALS}"
    page.get_by_role("button", name="Next").click()
    assert status.inner_text() == f"101 to 200 of {TRIALS}"
    page.get_by_label("backend").select_option(label="torch")
    page.get_by_label("cell").select_option(label="gru")
    assert re.fullmatch(rf"1 to \d+ of \d+ found of {TRIALS}", status.inner_text())
    for text in rows.all_inner_texts():
        assert "torch" in text
        assert "gru" in text
    page.get_by_label("Search").fill("no such trial")
    wait(page, "document.querySelector('.pages [role=status]').textContent.startsWith('nothing')")
    page.get_by_label("Search").fill("bidirectional")
    wait(page, "document.querySelectorAll('.table tbody tr').length > 0")
    assert all("bidirectional" in text for text in rows.all_inner_texts())
    name = rows.first.locator("a").inner_text()
    rows.first.locator("a").click()
    assert page.url.split("/")[-1].startswith(name)
    assert "gru bidirectional" in page.locator("h1").inner_text()


def test_a_link_reopens_the_same_view(visit: Visit) -> None:
    """Sorting, filter and search of a table that a script makes, and of one that is all in the page."""
    page = visit.open("trials.html")
    page.get_by_label("backend").select_option(label="torch")
    page.get_by_label("Search").fill("gru")
    wait(page, "location.hash.includes('search=gru')")
    page.get_by_role("button", name="sequences/s").click()
    page.get_by_role("button", name="sequences/s").click()
    address = page.url
    rows = page.locator(".table tbody tr").all_inner_texts()
    assert "trials.sort=-sequences" in address
    assert "trials.backend=torch" in address
    again = visit.context.new_page()
    again.goto(address)
    wait(again, "document.querySelectorAll('.pages [role=status]').length > 0")
    assert again.locator(".table tbody tr").all_inner_texts() == rows
    assert again.get_by_label("backend").locator("option:checked").inner_text() == "torch"
    assert again.get_by_label("Search").input_value() == "gru"
    assert again.locator("[aria-sort=descending]").inner_text().startswith("sequences/s")
    again.close()
    page = visit.open("index.html")
    table = page.locator(".table table").first
    table.locator("thead button").nth(1).click()
    order = table.locator("tbody tr").all_inner_texts()
    again = visit.context.new_page()
    again.goto(page.url)
    again.wait_for_timeout(200)
    assert again.locator(".table table").first.locator("tbody tr").all_inner_texts() == order
    again.close()


def test_a_legend_hides_and_shows_what_it_names_by_pointer_and_keyboard(visit: Visit) -> None:
    page = visit.open(sorted((visit.site / "tasks").glob("*.html"))[0])
    figure = page.locator("figure.chart:has(.legend)").first
    figure.scroll_into_view_if_needed()
    identity = figure.get_attribute("id")
    drawn = f"document.querySelectorAll('#{identity} [class*=mark-] path').length"
    before = page.evaluate(drawn)
    key = figure.locator(".key button").first
    assert key.get_attribute("aria-pressed") == "true"
    key.click()
    assert key.get_attribute("aria-pressed") == "false"
    wait(page, f"{drawn} < {before}")
    assert f"{identity}.hide=" in page.url
    key.press("Enter")
    wait(page, f"{drawn} === {before}")
    assert "hide=" not in page.url


def test_paper_has_all_rows_and_all_that_is_folded(visit: Visit) -> None:
    page = visit.open("trials.html")
    rows = "document.querySelectorAll('.table tbody tr').length"
    assert page.evaluate(rows) == 100
    page.evaluate("dispatchEvent(new Event('beforeprint'))")
    assert page.evaluate(rows) == TRIALS
    page.evaluate("dispatchEvent(new Event('afterprint'))")
    assert page.evaluate(rows) == 100


def test_no_table_is_wider_than_the_paper(visit: Visit) -> None:
    for name in ("trials.html", "backends.html", "index.html"):
        page = visit.open(name)
        page.set_viewport_size({"width": 718, "height": 1000})  # A4 less its margins
        page.emulate_media(media="print")
        wide = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
        assert wide <= 1, f"{name} is {wide} pixels wider than the paper"


def test_colours_on_paper_are_those_for_light_ground(browser: Any, site: Path) -> None:
    visit = Visit(browser, site, color_scheme="dark")
    page = visit.open("index.html")
    colour = "getComputedStyle(document.querySelector('.legend .swatch .fill')).fill"
    dark = page.evaluate(colour)
    page.emulate_media(media="print", color_scheme="dark")
    assert page.evaluate(colour) != dark
    visit.close()


def test_the_script_writes_numbers_as_the_pages_do(visit: Visit) -> None:
    """The first rows of a long table stand in the page, and are written again by its script."""
    page = visit.open("trials.html")
    shown = [row.split("\t") for row in page.locator(".table tbody tr").all_inner_texts()[:50]]
    silent = visit.context.browser.new_context(java_script_enabled=False).new_page()
    silent.goto((visit.site / "trials.html").as_uri())
    written = [row.split("\t") for row in silent.locator(".table tbody tr").all_inner_texts()]
    silent.context.close()
    assert shown == written


def test_the_theme_is_switched_and_kept(visit: Visit) -> None:
    page = visit.open("index.html")
    paper = "getComputedStyle(document.documentElement).backgroundColor"
    light = page.evaluate(paper)
    page.get_by_role("button", name="Switch to the dark theme").click()
    dark = page.evaluate(paper)
    assert dark != light
    page.goto((visit.site / "methods.html").as_uri())
    assert page.evaluate(paper) == dark
    page.get_by_role("button", name="Switch to the light theme").click()
    assert page.evaluate(paper) == light


def test_a_chart_tells_its_values(visit: Visit) -> None:
    page = visit.open("index.html")
    point = page.locator(".plot .mark-symbol path").first
    point.scroll_into_view_if_needed()
    point.hover(force=True)
    page.wait_for_selector(".tip:not([hidden])")
    assert page.locator(".tip").inner_text()
    page.keyboard.press("Escape")
    assert page.locator(".tip").is_hidden()


def test_a_curve_tells_its_values(visit: Visit) -> None:
    page = visit.open(next(path for path in kinds(visit.site) if path.parent.name == "trials"))
    drawing = page.locator(".curve").first
    drawing.scroll_into_view_if_needed()
    box = drawing.bounding_box()
    page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    page.wait_for_selector(".tip:not([hidden])")
    assert re.search(r"at\s*\d", page.locator(".tip").inner_text())
    assert drawing.locator(".cursor").count() == 1


def test_the_keyboard_reaches_the_content_at_once(visit: Visit) -> None:
    page = visit.open("index.html")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.textContent") == "Skip to the content"
    page.keyboard.press("Enter")
    assert page.url.endswith("#main")
    menu = page.locator(".menu summary").first
    menu.press("Enter")
    assert page.locator(".menu a").first.is_visible()
    page.keyboard.press("Escape")
    assert page.locator(".menu a").first.is_hidden()


def test_a_page_reads_without_its_script_and_prints(browser: Any, site: Path) -> None:
    context = browser.new_context(java_script_enabled=False, viewport=WIDE)
    page = context.new_page()
    page.goto((site / "index.html").as_uri())
    assert page.locator("noscript img").count() + page.locator(".plot img").count() >= 3
    assert page.locator(".table tbody tr").count() > 10
    assert len(page.pdf()) > 10_000
    page.emulate_media(media="print")
    assert page.locator("nav").first.is_hidden()
    context.close()
