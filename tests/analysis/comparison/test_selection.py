"""Selections: what is typed is meant, or is refused in words."""

from __future__ import annotations

import pytest
from fixtures.damaged import odd_texts
from fixtures.records import record
from hypothesis import given, settings
from hypothesis import strategies as st

from benchsuite.analysis.comparison.selection import Selection, parse_selection
from benchsuite.errors import RequestError

RECORDS = [record(seed=seed, cell=cell) for seed in (0, 1) for cell in ("lstm", "gru")]


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("s", 4),
        ("s:", 4),
        ("s:seed=0", 2),
        ("s:seed=0,1;cell=gru", 2),
        ("s: cell = lstm , gru", 4),
        ("s:recipe.limit=none", 4),
        ("s:execution.deterministic=false;size.tied=false", 4),
    ],
)
def test_what_is_chosen(text: str, count: int) -> None:
    assert len(parse_selection(text).choose(RECORDS)) == count


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("s:seed", "is no condition"),
        ("s:seed=", "is no condition"),
        ("s:sede=1", "did you mean 'seed'"),
        ("s:seed=7", "no trial of s has seed=7; there are: 0, 1"),
        ("s:seed=0;seed=1", "seed is given twice"),
    ],
)
def test_what_means_nothing_is_refused(text: str, said: str) -> None:
    with pytest.raises(RequestError, match=said):
        parse_selection(text).choose(RECORDS)


@settings(max_examples=300)
@given(st.one_of(odd_texts, st.builds("s:{}={};{}".format, odd_texts, odd_texts, odd_texts)))
def test_whatever_is_typed_chooses_records_or_is_refused(text: str) -> None:
    try:
        selection = parse_selection(text)
        chosen = selection.choose(RECORDS)
    except RequestError:
        return
    assert chosen
    assert parse_selection(str(selection)) == Selection(selection.study, selection.fields)
