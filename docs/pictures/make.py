"""Pictures of a report, for README.md and the site: `python docs/pictures/make.py`, from the repository's root.

It writes the report of the study of quick@1 that is published in results/, and photographs it in a headless
Chromium. Needs the extra `report`, the dependency group `browser` and a Chromium on the machine.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
STUDY = HERE.parents[1] / "results" / "quick@1"


@dataclass(frozen=True)
class Picture:
    """A part of a page: from `top`, an element or the page's beginning, so many pixels down and wide."""

    page: str
    height: int
    width: int = 1100
    top: str = "body"


PICTURES = {
    "overview.png": Picture("index.html", 680),
    "gradients.png": Picture("gradients.html", 490, 800, "#adding-generated"),
}


def photograph(browser: Any, site: Path, picture: Picture, target: Path) -> None:
    """Take one picture."""
    page = browser.new_page(viewport={"width": 1100, "height": 3000}, color_scheme="light")
    page.goto((site / picture.page).as_uri())
    page.wait_for_timeout(2000)  # charts are drawn when they are seen
    box = page.locator(picture.top).first.bounding_box()
    part = {"x": 0, "y": max(box["y"] - 20, 0), "width": picture.width, "height": picture.height}
    page.screenshot(path=target, full_page=True, clip=part)
    page.close()


def main() -> None:
    from playwright.sync_api import sync_playwright

    chromium = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if chromium is None:
        sys.exit("there is no Chromium here: install chromium")
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        site = Path(folder) / "site"
        subprocess.run(
            [sys.executable, "-m", "benchsuite", "report", str(STUDY), "--output", str(site)], check=True
        )
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        for name, picture in PICTURES.items():
            photograph(browser, site, picture, HERE / name)
            print(HERE / name)
        browser.close()


if __name__ == "__main__":
    main()
