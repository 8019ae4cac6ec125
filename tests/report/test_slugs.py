"""File names hold a-z, 0-9 and hyphens, and no two texts share one by accident."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchsuite.report.slugs import LONGEST_SLUG, UniqueSlugs, slug


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("time_series / etth1 horizon=24", "time-series-etth1-horizon-24"),
        ("0123456789abcdef", "0123456789abcdef"),
        ("Average ranks", "average-ranks"),
    ],
)
def test_plain_texts_are_their_own_names(text: str, name: str) -> None:
    assert slug(text) == name


@given(st.text())
def test_any_text_has_a_name_that_is_safe(text: str) -> None:
    name = slug(text)
    assert re.fullmatch(r"[a-z0-9]([a-z0-9-]*[a-z0-9])?", name)
    assert len(name) <= LONGEST_SLUG + 9


@given(st.lists(st.text(max_size=12), max_size=20))
def test_names_are_given_out_once(texts: list[str]) -> None:
    names = UniqueSlugs()
    taken = [names.take(text) for text in texts]
    assert len(set(taken)) == len(taken)


@given(st.text(), st.text())
def test_texts_that_differ_in_more_than_case_and_spaces_have_other_names(a: str, b: str) -> None:
    def bare(text: str) -> str:
        return re.sub(r"[ _/.=:,-]+", " ", text.lower()).strip()

    if bare(a) != bare(b):
        assert slug(a) != slug(b)


def test_a_path_is_no_path_any_more() -> None:
    assert slug("../../etc/passwd").startswith("etc-passwd-")
    assert slug("") == slug("")
    assert slug("") != slug("/")
