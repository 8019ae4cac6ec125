"""The lessons: their cells run, both languages have the same ones, notebooks and pictures are the pages'."""

from __future__ import annotations

import ast
import re
import shlex
from pathlib import Path
from typing import Any

import nbformat
import pytest
import typer
from fixtures.lessons import LESSONS, SPANISH, code, load_make, run_trials

from benchsuite.cli import request
from benchsuite.cli.app import app
from benchsuite.plugins import registry
from benchsuite.running.matrix import load_matrix, select
from benchsuite.running.matrix.filters import FIELDS

make = load_make()
NAMES = make.names()
PAGES = [LESSONS / f"{name}.md" for name in NAMES] + sorted(SPANISH.glob("[0-9]*.md"))
FAST = ("01_cells", "03_padding")
"""Lessons that the default tests run."""
MOST_LINES = 150
MOST_BYTES = 120_000


def shown(page: Path) -> str:
    return f"{page.parent.parent.name}/{page.stem}"


def test_there_are_lessons() -> None:
    assert len(NAMES) == 11
    for folder in (LESSONS, SPANISH):
        index = (folder / "index.md").read_text(encoding="utf-8")
        assert all(f"({name}.md)" in index for name in NAMES)


@pytest.mark.parametrize("page", PAGES, ids=shown)
def test_a_page_is_short_and_has_its_parts(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    assert len(text.splitlines()) <= MOST_LINES
    spanish = page.parent == SPANISH
    for part in (
        ("**Objetivo.**", "## Matemáticas", "## La orden", "**Qué se ve.**", "## Ejercicios", "Pista:")
        if spanish
        else ("**Goal.**", "## Mathematics", "## The command", "**What to see.**", "## Exercises", "Hint:")
    ):
        assert part in text
    assert f"python docs/lessons/make.py {page.stem}" in text
    for source in code(page):
        ast.parse(source)


@pytest.mark.parametrize("page", PAGES, ids=shown)
def test_a_page_links_to_its_pictures_and_they_are_small(page: Path) -> None:
    links = [link for part in make.parts(page.read_text(encoding="utf-8")) for link in part.images]
    assert links
    for link in links:
        picture = (page.parent / link).resolve()
        assert picture.parent == LESSONS / "pictures"
        assert picture.read_text(encoding="utf-8").startswith("<svg")
        assert picture.stat().st_size < MOST_BYTES


def test_every_picture_is_on_a_page() -> None:
    text = "".join(page.read_text(encoding="utf-8") for page in PAGES if page.parent == LESSONS)
    assert not [path.name for path in (LESSONS / "pictures").iterdir() if f"pictures/{path.name}" not in text]


@pytest.mark.parametrize("page", PAGES, ids=shown)
def test_a_notebook_is_the_page_with_outputs(page: Path) -> None:
    held = nbformat.read(page.with_suffix(".ipynb"), as_version=4)
    nbformat.validate(held)
    made = make.notebook(page.read_text(encoding="utf-8"))
    kept = ("cell_type", "source", "id")
    assert [[cell[name] for name in kept] for cell in held["cells"]] == [
        [cell[name] for name in kept] for cell in made["cells"]
    ]
    ran = [cell for cell in held["cells"] if cell["cell_type"] == "code"]
    assert [cell["execution_count"] for cell in ran] == list(range(1, len(ran) + 1))
    assert not [one for cell in ran for one in cell["outputs"] if one["output_type"] == "error"]
    outputs = [cell["outputs"] for cell in ran]
    assert make.with_printed(page.read_text(encoding="utf-8"), outputs) == page.read_text(encoding="utf-8")
    drawn = [text for found in outputs for text in make.drawn(found)]
    assert drawn == [
        path.read_text(encoding="utf-8").rstrip()
        for path in sorted((LESSONS / "pictures").glob(f"{page.stem}-*"))
    ]


@pytest.mark.parametrize("name", NAMES)
def test_the_spanish_page_has_the_cells_the_commands_and_the_formulas_of_the_english_one(name: str) -> None:
    english, spanish = LESSONS / f"{name}.md", SPANISH / f"{name}.md"
    assert code(spanish) == code(english)
    assert commands(spanish) == commands(english)
    assert formulas(spanish) == formulas(english)
    assert f"(../../lessons/{name}.md)" in spanish.read_text(encoding="utf-8")
    assert f"(../es/lessons/{name}.md)" in english.read_text(encoding="utf-8")


def formulas(page: Path) -> list[str]:
    """Displayed formulas, without the words in them."""
    found = re.findall(r"```math.*?```", page.read_text(encoding="utf-8"), re.DOTALL)
    return [re.sub(r"\\text\{[^}]*\}", "", one) for one in found]


def commands(page: Path) -> list[str]:
    """The lines of the page's fences that are commands, as they are typed."""
    lines = page.read_text(encoding="utf-8").splitlines()
    return [line for line in lines if line.startswith("benchsuite ")]


@pytest.mark.parametrize("page", [LESSONS / f"{name}.md" for name in NAMES], ids=shown)
def test_the_page_names_commands_that_there_are(page: Path) -> None:
    assert commands(page)
    group = typer.main.get_command(app)
    for line in commands(page):
        name, *arguments = shlex.split(line)[1:]
        group.commands[name].make_context(name, arguments)  # type: ignore[attr-defined]


@pytest.mark.parametrize("page", [LESSONS / f"{name}.md" for name in NAMES], ids=shown)
def test_a_cell_runs_the_trials_of_the_page_s_command(page: Path) -> None:
    assert [[trial.id for trial in run_trials(call)] for call in run_calls(page)] == [
        trials(line) for line in commands(page) if line.startswith("benchsuite run ")
    ][: len(run_calls(page))]


def run_calls(page: Path) -> list[ast.Call]:
    """Calls of benchsuite.run() in the page's cells."""
    return [
        node
        for source in code(page)
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.Call) and ast.unparse(node.func) == "benchsuite.run"
    ]


def trials(line: str) -> list[str]:
    _, name, *arguments = shlex.split(line)
    group = typer.main.get_command(app)
    given = group.commands[name].make_context(name, arguments).params  # type: ignore[attr-defined]
    filters = request.filters(**{field: given[field] for field in FIELDS})
    found = select(load_matrix(given["matrix"]), registry(), filters, given["overrides"] or ())
    return [trial.id for trial in found.trials]


@pytest.mark.parametrize(
    "name", [name if name in FAST else pytest.param(name, marks=pytest.mark.slow) for name in NAMES]
)
def test_a_lesson_runs(name: str) -> None:
    page = (LESSONS / f"{name}.md").read_text(encoding="utf-8")
    outputs = make.executed(page)
    files = make.pictures(name, page, outputs)
    assert len(files) == len(list((LESSONS / "pictures").glob(f"{name}-*.svg")))
    printed = [bool(make.printed(found)) for found in outputs]
    assert printed == ["```text" in found for found in _cells_with_outputs(page)]


def _cells_with_outputs(page: str) -> list[str]:
    return [found.group(0) for found in make.CELL.finditer(page)]


PAGE = (
    "# Title\n\nWords.\n\n```python\nprint(1)\n```\n\nMore.\n\n```python\nx = 2\n```\n\n"
    "```\nbenchsuite list cells\n```\n"
)


def test_a_page_is_cut_into_words_and_cells() -> None:
    found = list(make.parts(PAGE))
    assert [part.code for part in found] == [False, True, False, True, False]
    assert found[1].source == "print(1)"


def test_a_formula_is_between_dollars_in_a_notebook() -> None:
    found = make.notebook("Words.\n\n```math\nx = \\frac{1}{2}\n```\n\nMore.\n")["cells"]
    assert [cell["source"] for cell in found] == ["Words.\n\n$$\nx = \\frac{1}{2}\n$$\n\nMore."]


def test_what_a_cell_prints_is_put_on_the_page_and_replaced() -> None:
    def said(text: str) -> list[Any]:
        return [{"output_type": "stream", "name": "stdout", "text": text}]

    once = make.with_printed(PAGE, [said("1\n"), []])
    assert "print(1)\n```\n\n```text\n1\n```\n\nMore." in once
    assert make.with_printed(once, [said("1\n"), []]) == once
    assert make.with_printed(once, [[], []]) == PAGE
    assert [part.source for part in make.parts(once)] == [part.source for part in make.parts(PAGE)]


def test_a_picture_without_a_link_is_refused() -> None:
    image = [{"output_type": "display_data", "data": {"image/svg+xml": "<svg/>"}}]
    with pytest.raises(ValueError, match=r"draws \['x-1.svg'\], and the links after it are \(\)"):
        make.pictures("x", PAGE, [[], image])
    linked = PAGE.replace("x = 2\n```\n", "x = 2\n```\n\n![A picture](pictures/x-1.svg)\n")
    assert make.pictures("x", linked, [[], image]) == {"x-1.svg": "<svg/>"}
