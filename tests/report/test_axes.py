"""Marks of a logarithmic axis: round, few, and about what is drawn."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchsuite.report.axes import MOST_MARKS, log_axis, marks


@given(low=st.floats(1e-12, 1e12), factor=st.floats(1, 1e15))
def test_marks_are_round_ascending_and_few(low: float, factor: float) -> None:
    found = marks(low, low * factor)
    assert 1 <= len(found) <= MOST_MARKS
    assert found == sorted(found)
    if factor > 10:
        for value in found:
            digit = value / 10 ** math.floor(math.log10(value) + 1e-9)
            assert any(digit == pytest.approx(good) for good in (1, 2, 5, 10))


@given(low=st.floats(1e-12, 1e12), factor=st.floats(1, 1e15))
def test_two_marks_at_least_lie_on_the_axis(low: float, factor: float) -> None:
    axis = log_axis([low, low * factor])
    begin, end = axis["scale"].to_dict()["domain"]
    assert sum(begin <= value <= end for value in axis["axis"].to_dict()["values"]) >= 2


@pytest.mark.parametrize(
    ("low", "high", "expected"),
    [
        (1e-8, 1, [1e-8, 1e-6, 1e-4, 1e-2, 1]),
        (3, 60, [5, 10, 20, 50]),
        (2, 8, [2, 5]),
        (153, 366, [200, 300, 400]),
        (7, 7, [6, 7, 8]),
    ],
)
def test_marks_of_some_spans(low: float, high: float, expected: list[float]) -> None:
    assert marks(low, high) == pytest.approx(expected)


def test_sizes_are_marked_themselves_where_they_are_few() -> None:
    axis = log_axis([32, 64, 128], at=[32, 64, 128, 64])["axis"].to_dict()
    assert axis["values"] == [32, 64, 128]
    axis = log_axis(range(1, 100), at=range(1, 100))["axis"].to_dict()
    assert len(axis["values"]) <= MOST_MARKS


def test_zeros_and_what_is_not_finite_do_not_count() -> None:
    scale = log_axis([0.0, 1.0, 10.0, math.inf, math.nan])["scale"].to_dict()
    assert scale["domain"] == pytest.approx([1 / 1.2, 12])
