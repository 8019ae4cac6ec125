"""The site of a report: all pages, in the order of reading."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from benchsuite.report.material import Material
from benchsuite.report.pages.methods import methods_page
from benchsuite.report.pages.overview import overview_page
from benchsuite.report.pages.task import task_page
from benchsuite.report.pages.trial import trial_page
from benchsuite.report.pages.trials import trials_page
from benchsuite.report.site import Page, Site

PAGES: tuple[Callable[[Material], Page | None], ...] = (trials_page, methods_page)
"""Makers of the pages that follow those of the tasks. One that has nothing to show gives None."""


def make_site(material: Material) -> Site:
    pages = [overview_page(material), *(task_page(board, material) for board in material.boards)]
    pages += [page for page in (make(material) for make in PAGES) if page is not None]
    keys = {page.key for page in pages} | {entry.page for entry in material.entries}

    def trials() -> Iterator[Page]:
        for board in material.boards:
            for entry in board.entries:
                yield trial_page(entry, board)

    words = "study" if len(material.studies) == 1 else "studies"
    return Site(
        f"benchsuite: {material.name}", tuple(pages), trials, frozenset(keys), f"{words} {material.name}"
    )
