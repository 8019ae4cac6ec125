"""Formulas of the pages become MathML, without what the converter could not read."""

from __future__ import annotations

import re
from xml.etree import ElementTree

import pytest
from fixtures.sources import ROOT

pytest.importorskip("docutils", reason="needs the dependency group `docs`")

from _extensions.mathml import mathml

FORMULA = re.compile(r"\$\$(.+?)\$\$|(?<![\\$`])\$([^$\n]+)\$(?!\$)|```math\n(.+?)```", re.DOTALL)
PAGES = [ROOT / "docs" / "explanation" / "mathematics.md", *sorted((ROOT / "docs" / "cells").glob("*.md"))]


def formulas() -> list[str]:
    found = [match for page in PAGES for match in FORMULA.findall(page.read_text(encoding="utf-8"))]
    return sorted({next(filter(None, parts)) for parts in found})


def test_there_are_formulas() -> None:
    assert len(formulas()) > 30


@pytest.mark.parametrize("formula", formulas())
def test_a_formula_is_mathml_without_commands_that_were_not_known(formula: str) -> None:
    drawn = ElementTree.fromstring(mathml(formula, "block"))
    assert drawn.tag.endswith("math")
    assert "\\" not in "".join(drawn.itertext())
    assert "&" not in "".join(drawn.itertext())


@pytest.mark.parametrize("formula", formulas())
def test_each_line_of_a_formula_is_a_row(formula: str) -> None:
    drawn = mathml(formula, "block")
    assert drawn.count("<mtr>") == (formula.count(r"\\") + 1 if r"\\" in formula else 0)
    assert "newline" not in drawn


def test_a_prime_is_raised_once() -> None:
    assert "<msup>" not in mathml("h' = c'")
