"""Markdown that shows every text as it is, whatever it holds, and tables that a renderer reads as tables."""

from __future__ import annotations

import html
import re
from html.parser import HTMLParser
from pathlib import Path

import pytest
from fixtures import varied
from fixtures.hostile import EVIL
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from benchsuite.contracts.report import (
    Block,
    Bullets,
    Card,
    Cards,
    Column,
    Command,
    Link,
    PageSection,
    Paragraph,
    Table,
    TableCell,
)
from benchsuite.report import write_report
from benchsuite.report.markdown import MOST_MARKDOWN_ROWS, document, escape, page_lines
from benchsuite.report.site import Page, Site
from benchsuite.running.study import StoredStudy

TAGS = set("h1 h2 h3 p ul li pre code strong table thead tbody tr th td".split())  # noqa: SIM905
"""Elements that a document has: links and pictures are none of them."""
TEXTS = st.text(st.characters(codec="utf-8", exclude_categories=("Cc", "Cs", "Zl", "Zp")), max_size=60)


def render(text: str) -> str:
    made: str = MarkdownIt("commonmark").enable(["table", "strikethrough"]).render(text)
    return made


def words(rendered: str) -> str:
    """The text that a reader sees."""
    return " ".join(html.unescape(re.sub(r"<[^>]*>", "", rendered)).split())


def tags(rendered: str) -> set[str]:
    return set(re.findall(r"<(\w+)", rendered))


def made(*blocks: Block) -> str:
    page = Page("overview", "P", (PageSection("S", blocks),))
    return document(Site("T", (page,), lambda _first, _last: iter(()), frozenset(), "study t"))


def rows(rendered: str) -> list[list[str]]:
    """Every row of every table: the texts of its cells."""
    reader = _Rows()
    reader.feed(rendered)
    return reader.rows


class _Rows(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.rows: list[list[str]] = []
        self._within = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        del attrs
        if tag == "tr":
            self.rows.append([])
        elif tag in ("td", "th"):
            self.rows[-1].append("")
            self._within = True

    def handle_endtag(self, tag: str) -> None:
        if tag in ("td", "th"):
            self._within = False

    def handle_data(self, data: str) -> None:
        if self._within:
            self.rows[-1][-1] += data


@given(TEXTS)
def test_any_text_is_shown_as_it_is(text: str) -> None:
    rendered = render(f"{escape(text)}\n\nend\n")
    assert words(rendered) == " ".join(f"{text} end".split())
    assert tags(rendered) <= {"p"}


@given(TEXTS)
def test_any_text_stays_in_its_cell(text: str) -> None:
    table = Table("", (Column("a"), Column("b")), [[text, "right"]])
    found = rows(render(made(table)))
    assert [" ".join(cell.split()) for cell in found[-1]] == [" ".join(text.split()), "right"]


@pytest.mark.parametrize("text", EVIL, ids=range(len(EVIL)))
def test_hostile_texts_are_inert_everywhere(text: str) -> None:
    table = Table(
        text,
        (Column(text), Column("n", "number")),
        [[text, 1.0], [TableCell(text, mark="best"), 2.0]],
    )
    rendered = render(made(Paragraph(text), Bullets((text,)), Command(text), table))
    assert tags(rendered) <= TAGS
    assert {len(row) for row in rows(rendered)} == {2}


@given(TEXTS, TEXTS, TEXTS)
def test_a_link_leads_to_its_page_and_the_text_around_it_stays(before: str, text: str, after: str) -> None:
    blocks = (Paragraph((before, Link(text, "known"), Link(after, "unknown"))),)
    page = Page("overview", "P", (PageSection("", blocks),))
    lines = page_lines(page, 2, lambda key: "studies/a b(c)" if key == "known" else "")
    rendered = render("\n".join(lines))
    assert words(rendered) == " ".join(f"{before}{text}{after}".split())
    assert re.findall(r'<a href="([^"]*)">', rendered) == (["studies/a%20b%28c%29"] if text else [])


@pytest.mark.parametrize("text", EVIL, ids=range(len(EVIL)))
def test_a_link_with_a_hostile_text_or_address_is_one_link(text: str) -> None:
    table = Table("", (Column("a"), Column("b")), [[TableCell(text, page="p"), Link("x", "p").text]])
    page = Page("overview", "P", (PageSection("", (Bullets((("see ", Link(text, "p")),)), table)),))
    rendered = render("\n".join(page_lines(page, 2, lambda _: f"there/{text}")))
    assert tags(rendered) <= TAGS | {"a"}
    assert {len(row) for row in rows(rendered)} == {2}
    assert all(link.startswith("there/") for link in re.findall(r'href="([^"]*)"', rendered))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("https://a.example www.b.example a@b.example", r"https\://a.example www\.b.example a\@b.example"),
        ("1. first", r"1\. first"),
        ("0.981", "0.981"),
        ("- x", r"\- x"),
        ("low-high", "low-high"),
        ("a_b *c* `d`", r"a\_b \*c\* \`d\`"),
        ("$x$", r"\$x\$"),
    ],
)
def test_signs_are_escaped_where_they_mean_something(text: str, expected: str) -> None:
    assert escape(text) == expected


def test_the_lines_of_a_card_are_sentences() -> None:
    card = Card("digits", "", "lstm plain", "accuracy 0.9", (Paragraph("hidden=256"), Paragraph("One seed.")))
    assert "- **digits**: lstm plain (accuracy 0.9). hidden=256. One seed." in made(Cards((card,)))


def test_a_table_has_units_intervals_and_its_best_in_bold() -> None:
    table = Table(
        "Speed",
        (Column("model"), Column("accuracy", "number"), Column("step", "seconds")),
        [
            ["lstm", TableCell(0.981, half=0.004, mark="best"), 0.0012],
            ["gru", TableCell(0.97, half=0.01), 0.0015],
        ],
        "Two models.",
    )
    text = made(table)
    assert "| lstm | **0.981** ± 0.004 | 1.20 |" in text
    assert "| model | accuracy | step (ms) |\n| :--- | ---: | ---: |" in text
    assert "Two models." in text
    assert rows(render(text))[1] == ["lstm", "0.981 ± 0.004", "1.20"]


def test_a_long_table_says_how_long_it_is() -> None:
    text = made(Table("Long", (Column("n", "integer"),), [[n] for n in range(MOST_MARKDOWN_ROWS + 7)]))
    assert len(rows(render(text))) == MOST_MARKDOWN_ROWS + 1
    assert f"The first {MOST_MARKDOWN_ROWS} of {MOST_MARKDOWN_ROWS + 7} rows." in text


def test_a_fence_is_longer_than_any_within_it() -> None:
    rendered = render(made(Command("a\n````\n# b")))
    assert '<pre><code class="language-text">a\n````\n# b\n</code></pre>' in rendered


def test_a_study_is_rendered_with_all_its_tables(tmp_path: Path) -> None:
    study = StoredStudy.load(varied.study(tmp_path / "varied"))
    (path,) = write_report([study], tmp_path / "out", ["markdown"])
    assert path == tmp_path / "out" / "report.md"
    rendered = render(path.read_text(encoding="utf-8"))
    found = re.findall(r"<table>.*?</table>", rendered, re.DOTALL)
    assert len(found) > 15
    for table in found:
        assert len({len(row) for row in rows(table)}) == 1
    assert "How fast is each backend" in words(rendered)
    assert len(re.findall(r"<h1>", rendered)) == 1
