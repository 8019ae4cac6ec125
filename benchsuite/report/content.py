"""The site of a report: all pages, in the order of reading."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from itertools import islice

from benchsuite.contracts.report import Bullets, PageSection, Paragraph
from benchsuite.report.contributions import NO_CONTRIBUTIONS, Contributions
from benchsuite.report.data import ReportData
from benchsuite.report.pages.backends import backends_page
from benchsuite.report.pages.gradients import gradients_page
from benchsuite.report.pages.methods import methods_page
from benchsuite.report.pages.overview import overview_page
from benchsuite.report.pages.parity import parity_page
from benchsuite.report.pages.published import published_page
from benchsuite.report.pages.task import task_page
from benchsuite.report.pages.trial import trial_page
from benchsuite.report.pages.trials import trials_page
from benchsuite.report.raw import raw_keys
from benchsuite.report.site import Page, Site

PAGE_MAKERS: tuple[Callable[[ReportData], Page | None], ...] = (
    backends_page,
    gradients_page,
    parity_page,
    published_page,
    trials_page,
    methods_page,
)
"""Makers of the pages that follow those of the tasks. One that has nothing to show gives None."""


def make_site(data: ReportData, added: Contributions = NO_CONTRIBUTIONS) -> Site:
    """All pages of the report of `data`, with what plugins add to them."""
    pages = [overview_page(data), *(task_page(results, data) for results in data.tasks)]
    pages += [page for page in (make(data) for make in PAGE_MAKERS) if page is not None]
    pages = [replace(page, sections=(*page.sections, *added.of(page.key))) for page in pages]
    homeless = tuple(one for one in added.sections if one.page not in {page.key for page in pages})
    if homeless:
        pages.append(Page("more", "More", homeless, "What plugins add to this report."))
    if added.problems:
        at = next(place for place, page in enumerate(pages) if page.key == "methods")
        pages[at] = replace(pages[at], sections=(*pages[at].sections, _left_out(added)))
    keys = {page.key for page in pages} | {entry.page for entry in data.entries} | raw_keys(data)

    def trials(share: int, of: int) -> Iterator[Page]:
        pairs = ((entry, results) for results in data.tasks for entry in results.entries)
        for entry, results in islice(pairs, share, None, of):
            yield trial_page(entry, results)

    words = "study" if len(data.studies) == 1 else "studies"
    return Site(f"benchsuite: {data.name}", tuple(pages), trials, frozenset(keys), f"{words} {data.name}")


def _left_out(added: Contributions) -> PageSection:
    names = tuple(f"plugin {name}: {problem}" for name, problem in added.problems.items())
    return PageSection(
        "Left out", (Paragraph("Sections of these plugins could not be shown."), Bullets(names))
    )
