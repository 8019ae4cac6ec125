"""Runs the lessons: writes their pictures, what their cells print, and their notebooks.

    python docs/lessons/make.py               all lessons
    python docs/lessons/make.py 01_cells ...  some of them

A lesson is a page, docs/lessons/NAME.md, with the same page in Spanish, docs/es/lessons/NAME.md. Its fences
marked `python` are the cells. The English page's cells are run in order, in one process. Then what a cell
printed replaces the fence marked `text` that follows it, in both pages; its pictures are written to
docs/lessons/pictures/NAME-1.svg, NAME-2.svg and so on, to which the page links after the cell; and both pages
become notebooks, NAME.ipynb beside them, with these outputs. So each text has one home.
"""

from __future__ import annotations

import os
import re
import sys
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from unittest.mock import patch

LESSONS = Path(__file__).parent
FOLDERS = (LESSONS, LESSONS.parent / "es" / "lessons")
"""Of the pages: English, Spanish."""
SECONDS = 300
"""Most time that a cell may take."""
CELL = re.compile(
    r"^```python\n(?P<code>.*?)^```\n"
    r"(?P<printed>\n```text\n.*?^```\n)?"
    r"(?P<images>(?:\n!\[[^\]]*\]\([^)]*\.svg\)\n)*)",
    re.MULTILINE | re.DOTALL,
)
"""A cell with what its outputs are on the page."""


FORMULA = re.compile(r"^```math\n(.*?)^```\n", re.MULTILINE | re.DOTALL)
"""A displayed formula."""


@dataclass(frozen=True)
class Part:
    """A piece of a page: words, or a cell (`code`) with the addresses of its pictures."""

    source: str
    code: bool
    images: tuple[str, ...] = ()


def names() -> list[str]:
    """The lessons in order: 01_cells and so on."""
    return sorted(path.stem for path in LESSONS.glob("[0-9]*.md"))


def parts(page: str) -> Iterator[Part]:
    """The page's words and cells in order; what cells print and draw is not among them."""
    end = 0
    for found in CELL.finditer(page):
        if words := page[end : found.start()].strip():
            yield Part(words, False)
        yield Part(found["code"].rstrip(), True, tuple(re.findall(r"\]\(([^)]*)\)", found["images"])))
        end = found.end()
    if words := page[end:].strip():
        yield Part(words, False)


def notebook(page: str, outputs: Sequence[list[Any]] = ()) -> Any:
    """The page as a notebook, with the outputs of its cells where they are given."""
    import nbformat.v4 as made

    cells: list[Any] = []
    for number, part in enumerate(parts(page)):
        cell = (
            made.new_code_cell(part.source)
            if part.code
            # Jupyter reads formulas between dollars alone; on a page GitHub would read escapes in them
            else made.new_markdown_cell(FORMULA.sub(r"$$\n\1$$\n", part.source + "\n").rstrip())
        )
        cell["id"] = f"part-{number}"  # random otherwise
        cells.append(cell)
    code = [cell for cell in cells if cell["cell_type"] == "code"]
    for place, (cell, found) in enumerate(zip(code, outputs, strict=False), 1):
        cell["outputs"], cell["execution_count"] = found, place
    kernel = {"display_name": "Python 3", "language": "python", "name": "python3"}
    return made.new_notebook(
        cells=cells, metadata={"kernelspec": kernel, "language_info": {"name": "python"}}
    )


def executed(page: str) -> list[list[Any]]:
    """Run the page's cells in a process of their own; returns each cell's outputs.

    Raises nbclient.exceptions.CellExecutionError where a cell fails.
    """
    from nbclient import NotebookClient

    ran = notebook(page)
    # one thread, for times that can be compared
    with (
        tempfile.TemporaryDirectory() as folder,
        # progress is no part of what a page shows, unless a cell asks for it
        patch.dict(os.environ, BENCHSUITE_RESULTS=folder, OMP_NUM_THREADS="1", BENCHSUITE_PROGRESS="0"),
    ):
        NotebookClient(ran, timeout=SECONDS, kernel_name="python3").execute(cwd=folder)
    return [_kept(cell["outputs"]) for cell in ran["cells"] if cell["cell_type"] == "code"]


def _kept(outputs: list[Any]) -> list[Any]:
    """Outputs without counts that change, and without what went to the standard error."""
    kept = [one for one in outputs if one.get("name") != "stderr"]
    for one in kept:
        if one["output_type"] == "execute_result":
            one["execution_count"] = None
    return kept


def printed(outputs: Sequence[Any]) -> str:
    """What a cell printed."""
    return "".join(one["text"] for one in outputs if one["output_type"] == "stream")


def drawn(outputs: Sequence[Any]) -> list[str]:
    """The SVG documents that a cell shows."""
    return [one["data"]["image/svg+xml"] for one in outputs if "image/svg+xml" in one.get("data", {})]


def with_printed(page: str, outputs: Sequence[list[Any]]) -> str:
    """The page with what its cells printed."""
    given = iter(outputs)

    def replaced(found: re.Match[str]) -> str:
        text = printed(next(given)).rstrip()
        block = f"\n```text\n{text}\n```\n" if text else ""
        return f"```python\n{found['code']}```\n{block}{found['images']}"

    return CELL.sub(replaced, page)


def pictures(name: str, page: str, outputs: Sequence[list[Any]]) -> dict[str, str]:
    """File name -> SVG of the lesson's pictures.

    Raises ValueError where the page does not link to each of them after its cell.
    """
    made: dict[str, str] = {}
    cells = [part for part in parts(page) if part.code]
    for cell, found in zip(cells, outputs, strict=True):
        files = [f"{name}-{len(made) + place}.svg" for place in range(1, len(drawn(found)) + 1)]
        if [Path(link).name for link in cell.images] != files:
            raise ValueError(f"{name}: a cell draws {files}, and the links after it are {cell.images}")
        made |= dict(zip(files, drawn(found), strict=True))
    return made


def make(name: str) -> None:
    """Run a lesson and write what is made of it."""
    import nbformat

    outputs = executed((LESSONS / f"{name}.md").read_text(encoding="utf-8"))
    for folder in FOLDERS:
        path = folder / f"{name}.md"
        page = with_printed(path.read_text(encoding="utf-8"), outputs)
        found = pictures(name, page, outputs)
        path.write_text(page, encoding="utf-8")
        path.with_suffix(".ipynb").write_text(
            nbformat.writes(notebook(page, outputs)) + "\n", encoding="utf-8"
        )
    for old in (LESSONS / "pictures").glob(f"{name}-*.svg"):
        old.unlink()
    for file, text in found.items():
        (LESSONS / "pictures" / file).write_text(text.rstrip() + "\n", encoding="utf-8")


def main(chosen: Sequence[str]) -> None:
    for name in chosen or names():
        make(name)
        sys.stdout.write(f"{name}\n")


if __name__ == "__main__":
    main(sys.argv[1:])
