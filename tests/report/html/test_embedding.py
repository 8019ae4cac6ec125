"""Data in a page cannot end the element that holds it, and comes back as it was."""

from __future__ import annotations

import json
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchsuite.report.html.embedding import embedded, rounded

values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**50), 2**50)
    | st.text()
    | st.floats(allow_nan=False, allow_infinity=False),
    lambda parts: st.lists(parts, max_size=4) | st.dictionaries(st.text(), parts, max_size=4),
    max_leaves=12,
)


@given(values)
def test_data_come_back_and_hold_no_sign_with_a_meaning_in_html(data: object) -> None:
    text = str(embedded(data))
    assert not set("<>&\u2028\u2029") & set(text)
    assert json.loads(text) == data


def test_what_is_not_finite_is_null() -> None:
    assert str(embedded({"a": [math.nan, math.inf, 1.0]})) == '{"a":[null,null,1.0]}'


@pytest.mark.parametrize(
    ("value", "kept"),
    [(0.123456789, 0.123457), (math.nan, "NaN"), (-math.inf, "-Infinity"), (1e300, 1e300), (0.0, 0.0)],
)
def test_numbers_of_a_table_keep_six_digits(value: float, kept: float | str) -> None:
    assert rounded(value) == kept
