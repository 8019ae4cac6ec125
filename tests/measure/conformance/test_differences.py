"""Where two arrays differ, with both values."""

from __future__ import annotations

import numpy as np
import pytest

from benchsuite.measure.conformance.differences import largest_difference, rounding_hint


@pytest.mark.parametrize(
    ("found", "expected", "axes", "text"),
    [
        ([1.0, 2.5], [1.0, 2.0], (), "at [1] 2.5 found, 2 expected"),
        ([[1.0, 2.5]], [[1.0, 2.0]], ("row", "unit"), "at row 0, unit 1 2.5 found, 2 expected"),
        (1.5, 1.0, (), "1.5 found, 1 expected"),
        ([np.nan, 9.0], [1.0, 2.0], (), "at [0] nan found, 1 expected"),
        ([1, 2], [1, 3], (), "at [1] 2 found, 3 expected"),
        ([1.0], [1.0, 2.0], (), "shape (1,) found, (2,) expected"),
        ([], [], (), "both are empty"),
    ],
)
def test_the_place_and_both_values(found: object, expected: object, axes: tuple[str, ...], text: str) -> None:
    assert largest_difference(np.array(found), np.array(expected), axes) == text


@pytest.mark.parametrize(
    ("precision", "error", "asked"),
    [
        ("float64", 4.3e-9, True),
        ("float64", 1.4e-6, True),
        ("float64", 0.02, False),
        ("float64", 3e-13, False),
        ("float64", np.inf, False),
        ("float32", 4.3e-9, False),
    ],
)
def test_an_error_of_single_precision_is_asked_about(precision: str, error: float, asked: bool) -> None:
    assert ("computed in float32" in rounding_hint(precision, error)) is asked
