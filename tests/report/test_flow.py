"""What of a site a document takes, and the tables there are to export."""

from __future__ import annotations

import pytest

from benchsuite.contracts.report import (
    Block,
    Bullets,
    Chart,
    Column,
    Details,
    Fact,
    Facts,
    Grid,
    Link,
    PageSection,
    Paragraph,
    Table,
)
from benchsuite.report.flow import bare, cut, document_pages, facts_words, parts
from benchsuite.report.site import Page, Site


def table(title: str) -> Table:
    return Table(title, (Column("a"),), [["x"]])


def chart(title: str, own: Table | None = None) -> Chart:
    return Chart(title, {"mark": "bar"}, "alt", table=own)


def site(*pages: Page) -> Site:
    return Site("T", pages, lambda _first, _last: iter(()), frozenset(), "study t")


def page(*blocks: Block, key: str = "overview", title: str = "S") -> Page:
    return Page(key, "P", (PageSection(title, blocks),))


def test_a_section_that_has_only_words_about_its_charts_is_left_out() -> None:
    assert list(parts(page(Paragraph("each point is a model"), Grid((chart("c"),))))) == []
    assert list(parts(page(chart("c")))) == []


def test_words_stay_where_a_table_does_and_what_is_folded_goes() -> None:
    kept = table("t")
    (part,) = parts(page(Paragraph("w"), chart("c"), kept, Details("more", (table("folded"),))))
    assert part.blocks == (Paragraph("w"), kept)


def test_a_grid_is_read_from_left_to_right() -> None:
    (part,) = parts(page(Grid((Bullets(("a",)), Grid((table("t"),))))))
    assert [type(block) for block in part.blocks] == [Bullets, Table]


def test_pages_of_trials_and_methods_are_for_the_site_alone() -> None:
    pages = [page(table("t"), key=key) for key in ("overview", "task:x", "trials", "methods", "more")]
    assert [one.key for one in document_pages(site(*pages))] == ["overview", "task:x", "more"]


@pytest.mark.parametrize(
    ("text", "most", "expected"),
    [("a\n b\t c", 9, "a b c"), ("x" * 20, 5, "xxxx…"), ("", 5, "")],
)
def test_texts_are_cut_to_a_line(text: str, most: int, expected: str) -> None:
    assert cut(text, most) == expected


def test_links_are_read_as_words() -> None:
    assert bare(("see ", Link("the page", "methods"), ".")) == "see the page."


def test_facts_are_words_with_units_and_none_without_a_value() -> None:
    facts = Facts("Machine", (Fact("memory", 2.0**30, "bytes"), Fact("nothing", None), Fact("cores", 8)))
    assert facts_words(facts) == "Machine: memory: 1.0 GiB; cores: 8"
    assert facts_words(Facts("", (Fact("nothing", None),))) == ""
