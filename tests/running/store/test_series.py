"""Curves are read as they were written."""

from __future__ import annotations

import math
import tempfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from benchsuite.running.store import read_series, write_series
from benchsuite.running.store import series as module
from benchsuite.schema import Series

numbers = st.floats(allow_nan=True, allow_infinity=True)
words = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)


def same(left: object, right: object) -> bool:
    """Equality that takes NaN for itself."""
    if isinstance(left, float) and isinstance(right, float):
        return (math.isnan(left) and math.isnan(right)) or left == right
    if isinstance(left, dict) and isinstance(right, dict):
        return left.keys() == right.keys() and all(same(left[key], right[key]) for key in left)
    if isinstance(left, list) and isinstance(right, list):
        return len(left) == len(right) and all(map(same, left, right))
    return left == right


curves = st.lists(
    st.builds(
        lambda name, axis, points: Series(
            name=name, axis=axis, x=[x for x, _ in points], y=[y for _, y in points]
        ),
        words,
        st.sampled_from(["step", "epoch", "lag", "sample"]),
        st.lists(st.tuples(st.floats(0, 1e9), numbers), min_size=1, max_size=5),
    ),
    max_size=4,
    unique_by=lambda one: (one.name, one.axis),
)


@settings(deadline=None, max_examples=50)
@given(curves)
def test_curves_come_back_as_they_were(series: list[Series]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "one.parquet"
        write_series(path, series)
        found = read_series(path)
        assert [one.name for one in Path(folder).iterdir()] == ["one.parquet"]
    assert same([one.model_dump() for one in found], [one.model_dump() for one in series])


def test_more_points_than_a_memory_holds_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "one.parquet"
    write_series(path, [Series(name="a", axis="step", x=[0.0] * 11, y=[0.0] * 11)])
    monkeypatch.setattr(module, "MOST_READ_POINTS", 10)
    with pytest.raises(ValueError, match="it holds 11 points; at most 10 are read"):
        read_series(path)


def test_a_curve_takes_less_than_its_numbers_do(tmp_path: Path) -> None:
    """Steps are counted, and losses are float32 numbers in columns of float64."""
    random = np.random.default_rng(0)
    losses = np.exp(random.normal(size=1000)).astype(np.float32)
    write_series(
        tmp_path / "one.parquet",
        [Series(name="train/loss", axis="step", x=list(range(1, 1001)), y=losses.tolist())],
    )
    assert (tmp_path / "one.parquet").stat().st_size < 0.5 * 16 * 1000
