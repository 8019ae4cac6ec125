"""The generated parts of the reference say what the code says."""

from __future__ import annotations

import re

import pytest
import typer
from _extensions import generators
from _extensions.generated_parts import PLACE, filled
from fixtures.sources import ROOT
from hypothesis import given
from hypothesis import strategies as st
from typer.testing import CliRunner

from benchsuite.cli.app import app
from benchsuite.plugins import registry
from benchsuite.schema.fields import field_types

PAGES = sorted((ROOT / "docs").rglob("*.md"))


def cells(text: str, column: int) -> list[str]:
    """A column of every table of a page, without heads and rules."""
    rows = [re.split(r"(?<!\\) \| ", line.strip("| ")) for line in text.splitlines() if line.startswith("| ")]
    return [row[column].strip("`") for row in rows if not row[0].startswith("---")]


def test_every_place_has_a_generator_and_every_generator_a_place() -> None:
    found = [place for page in PAGES for place in PLACE.findall(page.read_text(encoding="utf-8"))]
    assert len(set(found)) == len(found)
    assert {name for name, _ in found} == set(generators.GENERATORS)


def test_a_place_is_replaced_and_the_rest_is_kept() -> None:
    page = "# Files\n\nBefore.\n\n<!-- generated: data_files -->\n\nAfter `<!-- generated: x -->`.\n"
    text = filled(page)
    assert text == page.replace("<!-- generated: data_files -->", generators.data_files())


@given(st.lists(st.lists(st.text("ab|\n\\` ", max_size=8), min_size=2, max_size=2), min_size=1, max_size=3))
def test_no_cell_ends_its_row(rows: list[list[str]]) -> None:
    lines = generators.table(["a", "b"], rows).splitlines()
    assert len(lines) == 2 + len(rows)
    assert all(len(re.findall(r"(?<!\\)\|", line)) == 3 for line in lines)


@pytest.mark.parametrize(("words", "command"), generators.commands(), ids=lambda value: str(value))
def test_every_command_is_shown_with_every_option_of_its_help(words: str, command: object) -> None:
    del command
    section = re.split(r"^## ", generators.command_line(), flags=re.MULTILINE)
    (text,) = [part for part in section if part.startswith(f"{words.removeprefix('benchsuite ')}\n")]
    assert f"\n{words}" in text
    shown = CliRunner().invoke(app, [*words.split()[1:], "--help"], env={"COLUMNS": "200", "TERM": "dumb"})
    options = set(re.findall(r"(?<![\w-])--[a-z-]+", shown.output)) - {"--help"}
    given_ = {word for cell in cells(text, 0) for word in re.findall(r"--[a-z-]+", cell)}
    assert options <= given_


def test_every_command_of_the_application_is_shown() -> None:
    group = typer.main.get_command(app)
    names = {words.split()[1] for words, _ in generators.commands()}
    assert names == set(group.commands)  # type: ignore[attr-defined]


def test_no_markup_of_the_terminal_is_left() -> None:
    assert not re.search(r"\[/?(dim|bold)\]|<\w+>", generators.command_line())


def test_every_field_of_a_trial_is_shown_with_a_meaning() -> None:
    text = generators.fields()
    assert [name for name in cells(text, 0) if name != "field"] == list(field_types())
    assert all(cells(text, 3))


def test_every_source_and_option_of_every_task_is_shown() -> None:
    parts = re.split(r"^## ", generators.task_options(), flags=re.MULTILINE)[1:]
    tasks = registry().tasks
    assert [part.splitlines()[0] for part in parts] == sorted(tasks)
    for part in parts:
        entry = tasks[part.splitlines()[0]]
        assert set(cells(part, 0)) - {"source", "option"} == {*entry.sources, *entry.options}


def test_every_file_that_is_downloaded_is_shown_with_its_licence() -> None:
    text = generators.data_files()
    files = [file for name in sorted(registry().tasks) for file in registry().tasks[name].files]
    assert cells(text, 1)[1:] == [file.name for file in files]
    assert cells(text, 3)[1:] == [file.licence for file in files]
    assert all(file.licence.strip() for file in files)
