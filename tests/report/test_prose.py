"""Long texts of the pages are templates: every one is used, and is read with the values that it needs."""

from __future__ import annotations

import re

import jinja2
import pytest
from fixtures.sources import CORE

from benchsuite.contracts.report import Bullets, Paragraph
from benchsuite.report.prose import FOLDER, prose

USED = {
    name: path
    for path in sorted((CORE / "report" / "pages").glob("*.py"))
    for name in re.findall(r'\bprose\(\s*"(\w+)"', path.read_text(encoding="utf-8"))
}


def test_every_template_is_on_a_page_and_every_page_finds_its_templates() -> None:
    assert set(USED) == {path.stem for path in FOLDER.glob("*.txt")}


def test_paragraphs_lists_and_notes_become_blocks() -> None:
    blocks = list(prose("gradients_explanation"))
    kinds = [block.tone if isinstance(block, Paragraph) else len(block.items) for block in blocks]
    assert kinds == ["plain", "plain", 3, "note"]
    lists = [block for block in blocks if isinstance(block, Bullets)]
    assert [item.partition(":")[0] for item in lists[0].items if isinstance(item, str)] == [
        "rnn",
        "lstm",
        "gru",
    ]
    assert all("\n" not in block.text for block in blocks if isinstance(block, Paragraph))


def test_values_are_formatted_as_everywhere() -> None:
    blocks = list(prose("methods_protocol", stable=0.05, unstable=0.15, disturbed=1.25))
    said = str(blocks)
    assert "within 5 %" in said
    assert "above 15 % of the median" in said
    assert "above 1.25 times its CPU time" in said


def test_a_missing_value_is_an_error_and_no_gap_in_a_sentence() -> None:
    with pytest.raises(jinja2.UndefinedError):
        list(prose("methods_protocol", stable=0.05))
