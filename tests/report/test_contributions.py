"""Sections of plugins: shown where they belong, and left out by name when they break their contract."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import pytest
from fixtures.pages import see
from fixtures.records import record

from benchsuite import hookimpl
from benchsuite.contracts.report import (
    Bullets,
    Card,
    Cards,
    Chart,
    Column,
    Command,
    Details,
    Fact,
    Facts,
    Grid,
    Line,
    LineChart,
    Link,
    PageSection,
    Paragraph,
    Table,
    TableCell,
)
from benchsuite.errors import ContractError
from benchsuite.plugins import load
from benchsuite.report import write_report
from benchsuite.report.contributions import contributions, read_sections
from benchsuite.running.study import StoredStudy
from benchsuite.schema import Record

TABLE = Table(
    "joules",
    (Column("trial"), Column("joules", "number")),
    [["a", 1.5], [TableCell("b", mark="best"), None]],
)
SPEC = {
    "mark": "bar",
    "data": {"values": [{"a": 1, "url": "x"}]},
    "encoding": {"x": {"field": "a", "type": "nominal"}},
}
EVERYTHING = (
    Paragraph(("See ", Link("methods", "methods"), ".")),
    Bullets(("one", ("two ", Link("nowhere", "no such page")))),
    TABLE,
    Chart("energy", SPEC, "a bar", table=TABLE),
    LineChart("power", (Line("w", [0.0, 1.0], [1.0, 2.0]),), "s", "W"),
    Facts("facts", (Fact("joules", 3.5), Fact("when", 1.79e9, "date"))),
    Command("do it"),
    Cards((Card("which?", "methods", "this one", "3 J", (Paragraph("sure"),)),)),
    Grid((Paragraph("left"), Details("more", (Paragraph("folded"),)))),
)


class Energy:
    """A plugin that adds a section to the methods page, and one without a home."""

    @hookimpl
    def benchsuite_report_sections(self, records: Sequence[Record]) -> Iterable[PageSection]:
        yield PageSection(f"Energy of {len(records)} trials", EVERYTHING, "methods")
        yield PageSection("Homeless", [Paragraph("by itself")])  # type: ignore[arg-type]


class Raises:
    @hookimpl
    def benchsuite_report_sections(self, records: Sequence[Record]) -> Iterable[PageSection]:
        raise KeyError(f"<b>{len(records)}</b>")


class Breaks:
    @hookimpl
    def benchsuite_report_sections(self) -> Iterable[Any]:
        return [PageSection("a", (Paragraph(3),))]  # type: ignore[arg-type]


def holding(block: Any) -> PageSection:
    return PageSection("a", (block,))


def test_sections_join_their_page_and_what_breaks_is_named_and_left_out(tmp_path: Path) -> None:
    registry = load([])
    for name, plugin in (("energy", Energy()), ("raises", Raises()), ("breaks", Breaks())):
        registry.manager.register(plugin, name)
    heard: list[str] = []
    write_report(
        [StoredStudy("s", tmp_path, [record(), record(seed=1)])], tmp_path / "site", ["html"],
        plugins=registry, on_problem=heard.append,
    )  # fmt: skip
    methods, more = see(tmp_path / "site" / "methods.html"), see(tmp_path / "site" / "more.html")
    assert "Energy of 2 trials" in methods.text
    assert "by itself" in more.text
    for shown in ("See methods.", "two nowhere", "1.5", "do it", "this one", "3 J", "folded", "2026-"):
        assert shown in methods.text
    assert "plugin raises: KeyError: '<b>2</b>'" in methods.text
    assert "plugin breaks: ContractError: section 1: blocks.1.Paragraph.text is int" in methods.text
    assert sorted(line.split(" adds nothing")[0] for line in heard) == ["plugin breaks", "plugin raises"]
    assert (tmp_path / "site" / "tables" / "methods-joules.csv").exists()
    assert (tmp_path / "site" / "charts" / "methods-energy.svg").exists()


def test_without_plugins_nothing_is_added() -> None:
    found = contributions(load([]), [record()])
    assert found.sections == ()
    assert not found.problems


@pytest.mark.parametrize(
    ("section", "said"),
    [
        ("text", "answer 1 is str, not a PageSection"),
        (PageSection(1, ()), "section 1: title is int: input should be a valid string"),  # type: ignore[arg-type]
        (PageSection("a", (), "nowhere"), "page 'nowhere' is none of overview"),
        (holding("text"), "section 1: blocks.1 is str, none of Paragraph, Bullets, Table"),
        (holding(Paragraph("x", "loud")), "Paragraph.tone is str: input should be 'plain'"),  # type: ignore[arg-type]
        (holding(Table("t", (Column("a"),), [("x", 1)])), "row 1 holds 2 cells; there are 1 columns"),
        (holding(Table("t", (Column("a", "number"),), [("x",)])), "holds the text 'x' in column 'a'"),
        (holding(Chart("c", {"data": {"url": "http://x"}}, "")), "holds 'url'"),
        (holding(Chart("c", {"usermeta": {}}, "")), "holds 'usermeta'"),
        (holding(Chart("c", {"data": {"values": [{"a": object()}]}}, "")), "holds object, which JSON"),
        (holding(Grid((Details("x", (Paragraph(None),)),))), "Details.blocks.1.Paragraph.text is NoneType"),  # type: ignore[arg-type]
        (holding(LineChart("c", (Line("l", [0.0], ["a"]),), "x", "y")), "lines.1.y.1 is str: input should be"),  # type: ignore[list-item]
    ],
)  # fmt: skip
def test_what_is_no_section_is_refused_with_its_place(section: Any, said: str) -> None:
    with pytest.raises(ContractError, match=re.escape(said)):
        read_sections([section])


def test_everything_that_there_is_passes() -> None:
    assert len(read_sections([PageSection("all", EVERYTHING, "backends")])) == 1
