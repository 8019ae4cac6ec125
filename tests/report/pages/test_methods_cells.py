"""What the page on methods says of cells."""

from __future__ import annotations

from fixtures.tiny_trial import TRIAL

from benchsuite.contracts.report import Equations, Paragraph
from benchsuite.report.pages.methods_cells import cell_blocks
from benchsuite.schema import BUILTIN_CELLS


def test_each_cell_has_its_source_and_equations_once() -> None:
    trials = [TRIAL.model_copy(update={"cell": cell}) for cell in ("gru", "lstm", "gru", "none", "gone")]
    gru, gru_lines, lstm, _, gone = cell_blocks(trials)
    assert isinstance(gru, Paragraph)
    assert BUILTIN_CELLS["gru"].source in str(gru.text)
    assert gru_lines == Equations(BUILTIN_CELLS["gru"].equations)
    assert isinstance(lstm, Paragraph)
    assert "lstm" in str(lstm.text)
    assert isinstance(gone, Paragraph)
    assert "not installed" in str(gone.text)
