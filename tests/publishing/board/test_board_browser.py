"""The board in a headless Chromium: no error, no request, nothing wider than the window, dates in the curves,
and nothing that stands in the way of a screen reader.

Needs the dependency group `browser` and a Chromium on the machine; `tox run -e browser`.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from fixtures.published import many_machines

from benchsuite.publishing.board import write_board

pytestmark = pytest.mark.browser
sync_api = pytest.importorskip("playwright.sync_api", reason="needs the dependency group `browser`")
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
WIDE, NARROW = {"width": 1280, "height": 900}, {"width": 390, "height": 844}


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("board")
    write_board(many_machines(folder / "results", machines=4, per_submission=30, regular=2), folder / "site")
    return folder / "site"


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    if CHROMIUM is None:
        pytest.skip("there is no Chromium here")
    with sync_api.sync_playwright() as playwright:
        found = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield found
        found.close()


def kinds(site: Path) -> list[Path]:
    """A page of every kind, the largest."""
    folders = ("", "suites", "rankings", "configurations", "submissions")
    found = [
        sorted((site / name).glob("*.html"), key=lambda path: path.stat().st_size)[-1] for name in folders
    ]
    return [*found, site / "methods.html"]


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("size", [WIDE, NARROW], ids=["wide", "narrow"])
def test_every_page_opens_without_an_error_or_a_request_and_fits(
    size: dict[str, int], theme: str, browser: Any, site: Path
) -> None:
    context = browser.new_context(viewport=size, color_scheme=theme)
    page, said = context.new_page(), []
    page.on("console", lambda message: said.append(message.text))
    page.on("pageerror", lambda error: said.append(str(error)))
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    for path in kinds(site):
        page.goto(path.as_uri())
        wide = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
        assert wide <= 0, f"{path.name} is {wide} pixels wider than the window"
        assert not said, path
    assert not [address for address in asked if not address.startswith((site.as_uri(), "data:"))]
    context.close()


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_nothing_stands_in_the_way_of_a_screen_reader(theme: str, browser: Any, site: Path) -> None:
    axe = pytest.importorskip("axe_playwright_python.sync_playwright").Axe()
    context = browser.new_context(bypass_csp=True, color_scheme=theme)
    page = context.new_page()
    for path in kinds(site):
        page.goto(path.as_uri())
        found = axe.run(page).response["violations"]
        assert not [(one["id"], one["nodes"][0]["html"]) for one in found], path
    context.close()


def test_a_history_tells_days_and_a_page_prints(browser: Any, site: Path) -> None:
    page = browser.new_page(viewport=WIDE)
    page.goto(kinds(site)[3].as_uri())
    drawing = page.locator(".curve").first
    drawing.scroll_into_view_if_needed()
    box = drawing.bounding_box()
    page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    page.wait_for_selector(".tip:not([hidden])")
    assert "2023-" in page.locator(".tip").inner_text()
    assert drawing.locator(".upright").count() == 2  # a day for each machine
    page.emulate_media(media="print")
    assert page.locator("nav").first.is_hidden()
    assert len(page.pdf()) > 10_000
    page.close()
