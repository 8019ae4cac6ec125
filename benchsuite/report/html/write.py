"""write_html: the pages of the site, the files of its tables and charts, and what all pages share."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Mapping
from concurrent.futures import Future
from importlib.metadata import version
from pathlib import Path
from typing import Any

from benchsuite.contracts.report import Chart, Table
from benchsuite.errors import RequestError
from benchsuite.report.files import write_csv
from benchsuite.report.html.blocks import Blocks, templates
from benchsuite.report.html.page_pool import Shares, helpers
from benchsuite.report.html.vega_bundle import vega_bundle
from benchsuite.report.pictures import Pictures
from benchsuite.report.raw import JOURNALS_FILE, TRIALS_FILE
from benchsuite.report.site import Page, Site, charts, page_path
from benchsuite.report.slugs import UniqueSlugs, slug
from benchsuite.report.text import clean

POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
    "base-uri 'none'; form-action 'none'"
)
MADE = 'name="generator" content="benchsuite '
RAW_FILES = {
    f"file:{TRIALS_FILE}": "every figure of every trial (CSV)",
    f"file:{JOURNALS_FILE}": "records (JSON lines, gzip)",
}
"""Key -> what the foot of every page calls the file."""
FOLDERS = ("assets", "charts", "tables", "tasks", "trials")
BOARD_FOLDERS = ("suites", "rankings", "configurations", "submissions", "bundles", "badges", "citations")
ASSETS = Path(__file__).parent / "assets"


def write_html(site: Site, output: Path, on_problem: Callable[[str], None]) -> list[Path]:
    """Write the site into `output`, in place of an earlier one, and return its first page.

    Charts are drawn as pictures by another process, and the pages of trials are written by further ones
    where there are thousands.

    :param on_problem: hears of charts that could not be drawn.
    """
    clear(output)
    with Pictures(output) as pictures:
        _Writer(site, output, pictures).write()
    for title, problem in pictures.problems.items():
        on_problem(f"there is no picture of the chart {title!r}: {problem}")
    return [output / "index.html"]


def clear(output: Path) -> None:
    """Remove an earlier report's pages and files; nothing that it did not write. Raises RequestError where the
    first page is somebody else's."""
    ours = [path for path in output.glob("*.html") if MADE in path.read_text("utf-8", "replace")[:2000]]
    first = output / "index.html"
    if first not in ours:
        if first.exists():
            raise RequestError(f"{first} is no earlier report's first page; choose another folder")
        return
    for path in ours:
        path.unlink()
    for name in (*FOLDERS, *BOARD_FOLDERS):
        shutil.rmtree(output / name, ignore_errors=True)


class _Writer:
    def __init__(self, site: Site, output: Path, pictures: Pictures) -> None:
        self._site, self._output, self._pictures = site, output, pictures
        self._names = UniqueSlugs()
        self._version = version("benchsuite")
        self._drawn: dict[int, Future[Mapping[str, str]]] = {}
        """By the identity of the chart's block."""

    def write(self) -> None:
        pages = sum(not key.startswith("file:") for key in self._site.keys)
        further = pages - len(self._site.pages)
        self._assets()
        shares = Shares(self._trials, helpers(further))  # forks: before there is a thread
        for page in self._site.pages:
            for chart in charts(block for section in page.sections for block in section.blocks):
                address = self._file(page, chart.title or "chart", "charts")
                self._drawn[id(chart)] = self._pictures.draw(chart, address)
        shares.finish()
        for page in self._site.pages:
            self._page(page)

    def _trials(self, share: int, of: int) -> None:
        for page in self._site.trials(share, of):
            self._page(page)

    def _assets(self) -> None:
        folder = self._output / "assets"
        folder.mkdir(parents=True, exist_ok=True)
        for path in sorted(ASSETS.iterdir()):
            if path.suffix in (".css", ".js"):
                shutil.copyfile(path, folder / path.name)
        blocks = (block for page in self._site.pages for section in page.sections for block in section.blocks)
        if any(charts(blocks)):
            (folder / "vega.js").write_bytes(vega_bundle())
            shutil.copyfile(ASSETS / "vega-licence.txt", folder / "vega-licence.txt")

    def _page(self, page: Page) -> None:
        path = self._output / page.path
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(clean(self._html(page)), encoding="utf-8")

    def _html(self, page: Page) -> str:
        root = "../" * page.path.count("/")
        blocks = Blocks(
            lambda key: root + page_path(key) if key in self._site.keys else "",
            lambda table, name: root + self._table(page, table, name),
            lambda chart: {kind: root + address for kind, address in self._pictures_of(chart).items()},
        )
        sections = []
        for section in page.sections:
            name = blocks.ids.take(section.title or "part")
            sections.append({"id": name, "title": section.title, "blocks": blocks.all(section.blocks)})
        return templates().get_template("page.html").render(
            page=page,
            lead=blocks.words(page.lead),
            site=self._site,
            sections=sections,
            contents=[one for one in sections if one["title"]],
            menu=self._menu(page, root),
            root=root,
            policy=POLICY,
            version=self._version,
            source=self._site.source,
            raw=[(name, root + page_path(key)) for key, name in RAW_FILES.items() if key in self._site.keys],
        )  # fmt: skip

    def _menu(self, page: Page, root: str) -> list[dict[str, Any]]:
        """Links to all pages; those of tasks in a menu of their own where there are several."""
        items: list[dict[str, Any]] = []
        tasks = [one for one in self._site.pages if one.key.startswith("task:")]
        for one in self._site.pages:
            item = {
                "name": one.name or one.title,
                "href": root + one.path,
                "here": one.key == page.key,
                "children": [],
            }
            if one in tasks and len(tasks) > 1:
                if one is tasks[0]:
                    here = page.key.startswith("task:")
                    items.append({"name": "Tasks", "href": "", "here": here, "children": []})
                next(each for each in items if each["name"] == "Tasks")["children"].append(item)
            else:
                items.append(item)
        return items

    def _file(self, page: Page, name: str, folder: str) -> str:
        """An address for a file that belongs to a page; no two are the same."""
        place = slug(page.key.replace(":", " ").replace("-", " "))
        return f"{folder}/{self._names.take(f'{folder} {place} {name}').removeprefix(f'{folder}-')}"

    def _table(self, page: Page, table: Table, name: str) -> str:
        address = f"{self._file(page, name, 'tables')}.csv"
        write_csv(table, self._output / address)
        return address

    def _pictures_of(self, chart: Chart) -> Mapping[str, str]:
        drawn = self._drawn.get(id(chart))
        return drawn.result() if drawn else {}
