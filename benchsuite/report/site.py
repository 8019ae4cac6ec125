"""Site: the pages of a report, before anything says how they look."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from benchsuite.contracts.report import Block, Chart, Details, Grid, PageSection, Words


@dataclass(frozen=True)
class Page:
    """One page.

    key   how links name it: `overview`, `task:...`, `trial:...`
    lead  one or two sentences under the title
    name  what menus call it, where the title is longer
    """

    key: str
    title: str
    sections: tuple[PageSection, ...]
    lead: Words = ""
    name: str = ""

    @property
    def path(self) -> str:
        """Where it lies under the report's folder, as HTML."""
        return page_path(self.key)


@dataclass(frozen=True)
class Site:
    """The report.

    pages   all pages but those of trials, in the order of reading, the overview first
    trials  makes the pages of trials, one at a time: there may be thousands. trials(k, n) is every n-th of
            them, beginning with the k-th. On a board these are all pages that the menu does not name
    keys    keys of all pages, those of trials too: what links may lead to; and `file:<path>` of other files
    source  what it was made from: `study quick`
    """

    title: str
    pages: tuple[Page, ...]
    trials: Callable[[int, int], Iterator[Page]]
    keys: frozenset[str]
    source: str


def page_path(key: str) -> str:
    """`index.html`, `tasks/<slug>.html`, `trials/<id>.html`, `<key>.html`, or the path of `file:<path>`. Other
    keys hold slugs alone."""
    kind, _, name = key.partition(":")
    if kind == "file":
        return name
    if kind == "overview":
        return "index.html"
    return f"{kind}s/{name}.html" if name else f"{kind}.html"


def charts(blocks: Iterable[Block]) -> Iterator[Chart]:
    """Every chart among the blocks and within them."""
    for block in blocks:
        if isinstance(block, Chart):
            yield block
        elif isinstance(block, Grid | Details):
            yield from charts(block.blocks)
