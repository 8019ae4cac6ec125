"""The notebook of the documentation: its cells are those of the page, and they run."""

from __future__ import annotations

import json
from typing import Any

import pytest
from fixtures.lessons import load_make
from fixtures.sources import ROOT

make: Any = load_make()
PAGE = ROOT / "docs" / "notebook.md"


def test_the_notebook_has_the_words_and_cells_of_the_page() -> None:
    kept = json.loads(PAGE.with_suffix(".ipynb").read_text(encoding="utf-8"))
    expected = make.notebook(PAGE.read_text(encoding="utf-8"))
    assert ["".join(cell["source"]) for cell in kept["cells"]] == [one["source"] for one in expected["cells"]]
    assert "/tmp/" not in PAGE.with_suffix(".ipynb").read_text(encoding="utf-8")


@pytest.mark.slow
def test_the_notebook_runs_and_shows_progress_tables_and_charts() -> None:
    outputs = make.executed(PAGE.read_text(encoding="utf-8"))
    shown = [one["data"].get("text/html", "") for found in outputs for one in found if "data" in one]
    assert "6/6 trials, 6 ok" in shown[0]
    assert "<b>digits</b>: 6 trials" in shown[1]
    assert "gru plain" in shown[2]
    assert sum("vega" in text for text in shown) == 2
    assert any("compared with A (digits:cell=rnn), 3 pairs" in text for text in shown)
