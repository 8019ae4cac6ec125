"""The summary of samples: median, quartile distance, bootstrap interval."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchsuite.schema.samples import summarise
from benchsuite.schema.thresholds import UNSTABLE

times = st.lists(st.floats(1e-6, 1e3), min_size=1, max_size=40)


@given(times)
def test_median_and_quartiles_are_numpys(values: list[float]) -> None:
    samples = np.array(values)
    found = summarise(samples)
    assert found.median == pytest.approx(float(np.median(samples)))
    quartiles = np.quantile(samples, [0.25, 0.75])
    if len(values) > 1:
        assert found.iqr == pytest.approx(float(quartiles[1] - quartiles[0]), abs=1e-12)


@given(times)
def test_the_interval_holds_the_median_and_lies_within_the_samples(values: list[float]) -> None:
    found = summarise(np.array(values))
    assert min(values) <= found.low <= found.median <= found.high <= max(values)


@given(times, st.randoms())
def test_the_order_of_samples_does_not_matter(values: list[float], random: object) -> None:
    shuffled = list(values)
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    assert summarise(np.array(shuffled)) == summarise(np.array(values))


def test_one_sample_has_no_spread() -> None:
    found = summarise(np.array([2.0]))
    assert (found.median, found.iqr, found.low, found.high) == (2.0, 0.0, 2.0, 2.0)


@pytest.mark.parametrize(("spread", "unstable"), [(UNSTABLE / 2, False), (3 * UNSTABLE, True)])
def test_a_wide_spread_is_unstable(spread: float, unstable: bool) -> None:
    assert summarise(1 + spread * np.linspace(-1, 1, 21)).unstable == unstable
