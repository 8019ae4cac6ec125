"""The site of the documentation in a headless Chromium: no request to elsewhere, no page wider than the window,
and what axe finds wrong for people who use a keyboard or a screen reader.

Needs the dependency groups `docs` and `browser` and a Chromium on the machine; `tox run -e browser`.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from fixtures.sources import ROOT

pytestmark = pytest.mark.browser
sync_api = pytest.importorskip("playwright.sync_api", reason="needs the dependency group `browser`")
pytest.importorskip("sphinx", reason="needs the dependency group `docs`")
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
WINDOWS = [
    (1280, "light"),
    (1280, "dark"),
    (375, "light"),
    (1100, "light"),
    (1190, "light"),
    (1400, "light"),
    (1430, "light"),
]
"""Above 375 each side of a width at which site.css or the theme changes the layout."""
NOT_OURS = {"landmark-unique", "definition-list"}
"""The theme has two bars at the side without a name of their own; Sphinx makes a list of a long signature."""


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("site")
    command = [
        sys.executable,
        "-m",
        "sphinx",
        "-q",
        "-W",
        "--keep-going",
        "-n",
        str(ROOT / "docs"),
        str(folder),
    ]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    return folder


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    if CHROMIUM is None:
        pytest.skip("there is no Chromium here")
    with sync_api.sync_playwright() as playwright:
        found = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield found
        found.close()


@pytest.mark.parametrize(("width", "scheme"), WINDOWS)
def test_every_page_fits_and_asks_nobody(site: Path, browser: Any, width: int, scheme: str) -> None:
    context = browser.new_context(viewport={"width": width, "height": 900}, color_scheme=scheme)
    page, said = context.new_page(), []
    page.on("request", lambda request: said.append(request.url))
    page.on("pageerror", lambda error: said.append(str(error)))
    wide = []
    for path in sorted(site.rglob("*.html")):
        page.goto(path.as_uri())
        if page.evaluate("document.documentElement.scrollWidth") > width:
            wide.append(path.name)
    context.close()
    assert not wide
    assert not [text for text in said if not text.startswith((site.as_uri(), "data:"))]


@pytest.mark.parametrize(
    "name", ["index", "tutorial", "explanation/mathematics", "reference/fields", "reference/api"]
)
def test_axe_finds_nothing(site: Path, browser: Any, name: str) -> None:
    axe = pytest.importorskip(
        "axe_playwright_python.sync_playwright", reason="needs the dependency group `browser`"
    )
    page = browser.new_page()
    page.goto((site / f"{name}.html").as_uri())
    found = axe.Axe().run(page).response["violations"]
    page.close()
    assert not [one["id"] for one in found if one["id"] not in NOT_OURS]
