"""Norm, maximum, zero fraction by group, and the size of an update."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from benchsuite.measure.gradients import group_of, group_statistics, update_ratio

ENTRIES = arrays.arrays(
    np.float64, st.tuples(st.integers(1, 4), st.integers(1, 4)), elements=st.floats(-100, 100, width=32)
)


@given(a=ENTRIES, b=ENTRIES, c=ENTRIES)
def test_a_group_is_all_entries_of_a_layer(a: np.ndarray, b: np.ndarray, c: np.ndarray) -> None:
    found = group_statistics({"rnn.l0.fwd.Wx": a, "rnn.l0.fwd.Wh": b, "out.W": c})
    assert set(found) == {"rnn.l0.fwd", "out", "all"}
    for group, parts in (("rnn.l0.fwd", [a, b]), ("out", [c]), ("all", [a, b, c])):
        entries = np.concatenate([part.ravel() for part in parts])
        assert found[group].norm == pytest.approx(float(np.linalg.norm(entries)))
        assert found[group].maximum == float(np.abs(entries).max())
        assert found[group].zero_fraction == pytest.approx(1 - np.count_nonzero(entries) / entries.size)


def test_the_norm_of_all_is_that_of_one_long_vector_and_does_not_overflow_in_single() -> None:
    big = np.full(4, 1e30, np.float32)
    assert group_statistics({"out.W": big})["all"].norm == pytest.approx(2e30, rel=1e-6)


@pytest.mark.parametrize(
    ("name", "group"),
    [("rnn.l0.fwd.Wx", "rnn.l0.fwd"), ("embed.E", "embed"), ("cnn.c1.b", "cnn.c1"), ("out.b", "out")],
)
def test_the_group_of_a_parameter_is_its_layer(name: str, group: str) -> None:
    assert group_of(name) == group


@given(ENTRIES, st.floats(1e-6, 10))
def test_an_update_that_scales_the_weights_has_that_ratio(weights: np.ndarray, share: float) -> None:
    if not np.linalg.norm(weights) > 1e-100:
        assert np.isnan(update_ratio({"a": 0 * weights}, {"a": weights}))
        return
    moved = {"a": weights * (1 + share), "b": np.zeros(2)}
    assert update_ratio({"a": weights, "b": np.zeros(2)}, moved) == pytest.approx(share, rel=1e-6)
