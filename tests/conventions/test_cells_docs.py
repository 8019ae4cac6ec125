"""The pages on cells say what is there: operations, the cells that ship, and an example that is one."""

from __future__ import annotations

import re
from types import ModuleType

import pytest
from fixtures.cells import registered
from fixtures.sources import ROOT

from benchsuite.contracts import CellEntry
from benchsuite.measure.conformance.cells import CELL_CHECKS
from benchsuite.measure.conformance.suite import run_item
from benchsuite.plugins import registry
from benchsuite.schema.cells import BUILTIN_CELLS, OPERATIONS, AffineCell

GUIDE = (ROOT / "docs" / "cells.md").read_text(encoding="utf-8")
PAGE = (ROOT / "docs" / "modern_cells.md").read_text(encoding="utf-8")
HOOKS = (ROOT / "docs" / "hooks.md").read_text(encoding="utf-8")
BLOCK = re.compile(r"^```python\n(.*?)^```", re.MULTILINE | re.DOTALL)
OWN = {
    name: entry
    for name, entry in registry().cells.items()
    if name not in BUILTIN_CELLS and registry().owners[f"cell:{name}"].name == "modern_cells"
}
SHIPPED = BUILTIN_CELLS | OWN


def test_the_guide_lists_every_operation_with_what_it_does() -> None:
    rows = re.findall(r"^\| `xp\.(\w+)` \| (.*) \|$", GUIDE, flags=re.MULTILINE)
    assert {name: text.replace("\\|", "|") for name, text in rows} == OPERATIONS
    assert [name for name, _ in rows] == list(OPERATIONS)


def examples() -> dict[str, str]:
    """Blocks of Python that register cells, by the page that they are on."""
    found = {}
    for page, text in (("cells.md", GUIDE), ("hooks.md", HOOKS)):
        (found[page],) = (
            block for block in BLOCK.findall(text) if "@hookimpl\ndef benchsuite_register_cells" in block
        )
    return found


@pytest.mark.parametrize("page", examples())
def test_a_documented_cell_has_at_most_sixty_lines_and_passes_the_kit(page: str) -> None:
    from benchsuite.measure.conformance.backend import Kit
    from benchsuite.measure.conformance.cell_models import reference_items
    from benchsuite.schema import Execution
    from benchsuite_numpy.reference import ReferenceBackend

    source = examples()[page]
    assert len(source.splitlines()) <= 60
    plugin = ModuleType("documented")
    exec(compile(source, page, "exec"), plugin.__dict__)
    (entry,) = plugin.benchsuite_register_cells()
    with registered(entry):
        for check in CELL_CHECKS:
            check(entry.name)
        kit = Kit(ReferenceBackend(), ReferenceBackend(), Execution(precision="float64"))
        results = [run_item(kit, item) for item in reference_items(entry.name)]
    assert {result.status for result in results} == {"ok"}


def test_every_cell_that_ships_has_a_page_and_a_row() -> None:
    rows = re.findall(r"^\| \[`(\w+)`\]\(cells/\1\.md\)", PAGE, flags=re.MULTILINE)
    assert rows[: len(SHIPPED)] == list(SHIPPED)
    assert sorted(rows) == sorted(page.stem for page in (ROOT / "docs" / "cells").glob("*.md"))


@pytest.mark.parametrize("entry", SHIPPED.values(), ids=lambda entry: entry.name)
def test_a_page_has_equations_source_and_purpose(entry: CellEntry) -> None:
    page = (ROOT / "docs" / "cells" / f"{entry.name}.md").read_text(encoding="utf-8")
    for line in (*entry.equations, entry.source):
        assert line in page
    assert "**For**: " in page
    assert re.search(rf"^<!-- generated: cell {entry.name}( \w+)* -->$", page, flags=re.MULTILINE)
    row = next(line for line in PAGE.splitlines() if line.startswith(f"| [`{entry.name}`]"))
    assert ("yes" in row) == isinstance(entry.load(), AffineCell)
    assert ", ".join(part.name for part in entry.load().state) in row


@pytest.mark.parametrize("name", OWN)
def test_the_page_of_a_plugins_cell_says_what_is_in_each_parameter(name: str) -> None:
    page = (ROOT / "docs" / "cells" / f"{name}.md").read_text(encoding="utf-8")
    for parameter in OWN[name].load().parameters(2, 3):
        assert re.search(rf"\b{parameter}\b", page.partition("What is in them: ")[2].splitlines()[0])
