"""Charts of bare arrays."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from benchsuite.errors import RequestError
from benchsuite.report.array_charts import line_chart, picture_chart


def rows_of(chart: object) -> list[dict[str, float]]:
    return chart.spec["datasets"]["rows"]  # type: ignore[attr-defined,no-any-return]


def test_values_are_drawn_by_their_place_and_points_by_their_own_x() -> None:
    made = line_chart("lines", {"a": [3.0, 4.0], "b": [(5.0, 1.0), (7.0, 2.0)]})
    assert [(row["line"], row["x"], row["y"]) for row in rows_of(made)] == [
        ("a", 0, 3), ("a", 1, 4), ("b", 5, 1), ("b", 7, 2),
    ]  # fmt: skip
    assert made.alt == "value by step. At the end: a 4, b 2."


@given(arrays(np.float64, st.integers(1, 30), elements=st.floats(allow_nan=True, allow_infinity=True)))
def test_only_what_has_a_place_is_drawn(values: np.ndarray) -> None:
    for log in (False, True):
        drawable = np.isfinite(values) & ((values > 0) | (not log))
        if drawable.any():
            made = rows_of(line_chart("line", {"a": values}, log=log))
            assert [row["y"] for row in made] == values[drawable].tolist()
        else:
            with pytest.raises(RequestError, match="no value that can be drawn"):
                line_chart("line", {"a": values}, log=log)


@pytest.mark.parametrize("values", [np.zeros((2, 3)), np.zeros((1, 1, 1)), 3.0])
def test_a_line_of_another_shape_is_refused(values: object) -> None:
    with pytest.raises(RequestError, match="give its values"):
        line_chart("line", {"a": values})  # type: ignore[dict-item]


def test_a_picture_has_a_field_for_each_number() -> None:
    made = picture_chart(
        "p", {"left": [[1.0, 2.0]], "right": [[3.0, -4.0]]}, columns=["it's", "b"], rows=["r"]
    )
    assert [(row["name"], row["x"], row["y"], row["value"]) for row in rows_of(made)] == [
        ("left", 0, 0, 1), ("left", 1, 0, 2), ("right", 0, 0, 3), ("right", 1, 0, -4),
    ]  # fmt: skip
    encoding = made.spec["encoding"]
    assert encoding["color"]["scale"]["domain"] == [-4, 4]
    assert "'it\\'s'" in encoding["x"]["axis"]["labelExpr"]
    assert encoding["column"]["sort"] == ["left", "right"]


@pytest.mark.parametrize("table", [[1.0], [[]], [[float("nan")]], [[[1.0]]]])
def test_a_picture_of_anything_but_a_table_of_numbers_is_refused(table: object) -> None:
    with pytest.raises(RequestError, match="table of finite numbers"):
        picture_chart("p", {"a": table})  # type: ignore[dict-item]


def test_no_picture_is_refused() -> None:
    with pytest.raises(RequestError, match="no picture to draw"):
        picture_chart("p", {})
