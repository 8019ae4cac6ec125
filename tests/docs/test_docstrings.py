"""Docstrings become what Sphinx reads, and no word of them is lost."""

from __future__ import annotations

import inspect

import pytest
from _extensions.docstrings import converted

from benchsuite import contracts

TABLE = """Sequences.

inputs   (B, T, D), or
         (B, T) ids
lengths  (B,) int32
a_name_that_is_long
         its meaning
"""


def test_a_table_of_names_becomes_definitions() -> None:
    assert converted(TABLE.strip()).split("\n\n")[1].splitlines() == [
        "`inputs`",
        "    (B, T, D), or (B, T) ids",
        "`lengths`",
        "    (B,) int32",
        "`a_name_that_is_long`",
        "    its meaning",
    ]


def test_fields_have_a_line_each() -> None:
    text = ":param state: where it starts. :returns: the scores, as step()\nreturns\n    them."
    assert converted(text) == ":param state: where it starts.\n:returns: the scores, as step() returns them."


@pytest.mark.parametrize("name", contracts.__all__)
def test_no_word_is_lost(name: str) -> None:
    text = inspect.getdoc(getattr(contracts, name)) or ""
    assert converted(text).replace("`", "").split() == text.replace("`", "").split()
