"""Equations of cells as MathML; what cannot be read is shown, and nothing of a plugin's becomes HTML."""

from __future__ import annotations

import pytest

from benchsuite.plugins import registry
from benchsuite.report.html.equations import mathml


def test_every_equation_of_the_cells_that_ship_is_read() -> None:
    lines = [line for entry in registry().cells.values() for line in entry.equations]
    assert len(lines) > 20
    assert all(mathml(line).startswith("<math") for line in lines)
    assert not [line for line in lines if "\\" in mathml(line)]


@pytest.mark.parametrize(
    "line", [r"\left( a", "x^", "{", r"\begin{x}", r"\text{<b>}", "<script>alert(1)</script>", "a & b"]
)
def test_what_cannot_be_read_is_shown_as_it_is(line: str) -> None:
    shown = mathml(line)
    assert shown.startswith("<code>")
    assert "<b>" not in shown
    assert "<script" not in shown
