"""The cells that a study used: what each is, its source and its equations."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from benchsuite.contracts.report import Block, Equations, Paragraph
from benchsuite.schema import Trial, known_cells
from benchsuite.schema.names import NO_CELL


def cell_blocks(trials: Iterable[Trial]) -> Iterator[Block]:
    """For each cell a sentence with its source, and its equations. A cell whose plugin is not here is named."""
    known = known_cells()
    for name in dict.fromkeys(trial.cell for trial in trials):
        if name == NO_CELL:
            continue
        if name not in known:
            yield Paragraph(f"{name}: its plugin is not installed here, so its equations are not known.")
            continue
        entry = known[name]
        yield Paragraph(f"{name}: {entry.summary}. Source: {entry.source}.")
        if entry.equations:
            yield Equations(entry.equations)
