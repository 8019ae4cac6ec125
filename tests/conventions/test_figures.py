"""docs/records.md defines every scalar in the words that reports use."""

from __future__ import annotations

import re

import pytest
from fixtures.sources import ROOT

from benchsuite.report.figures import FIGURES, definition

ROW = re.compile(
    r"^\| (`(?:test|val|train|gradient|parity|speed|memory|time|energy|model)/.*) \|$", re.MULTILINE
)


def documented() -> list[tuple[str, str]]:
    """(names, meaning) of every row of the table of scalars."""
    text = (ROOT / "docs" / "records.md").read_text(encoding="utf-8")
    scalars = text.split("\n## Scalars\n")[1].split("\n## ")[0]
    cells = [re.split(r"(?<!\\) \| ", row) for row in ROW.findall(scalars)]
    return [(names, meaning.replace("\\|", "|")) for names, meaning in cells]


def test_the_document_and_the_report_define_the_same_figures_in_the_same_words() -> None:
    assert documented() == [(figure.names, figure.meaning) for figure in FIGURES]


@pytest.mark.parametrize("figure", FIGURES, ids=lambda figure: figure.patterns[0])
def test_the_names_in_the_document_are_those_that_the_definition_is_of(figure: object) -> None:
    from benchsuite.report.figures import ScalarDefinition

    assert isinstance(figure, ScalarDefinition)
    written = re.findall(r"`([^`<{]+)", figure.names)
    assert written[0].split("/")[0] == figure.patterns[0].split("/")[0]


@pytest.mark.parametrize(
    ("name", "begins"),
    [
        ("test/accuracy", "the task's metrics on the test split"),
        ("test/token_accuracy", "of a decoder"),
        ("test/greedy_bleu", "the same on the validation split"),
        ("speed/step_median_seconds", "steady state"),
        ("speed/first_step_seconds", "the parts of"),
        ("gradient/half_life_steps", "ln 2"),
        ("memory/time_peak_bytes", "highest resident set"),
        ("energy/train_joules", "joules by which"),
        ("heat/train_kelvins", ""),
    ],
)
def test_a_scalar_is_defined_by_the_most_exact_row(name: str, begins: str) -> None:
    found = definition(name)
    assert found.startswith(begins)
    assert bool(found) == bool(begins)
