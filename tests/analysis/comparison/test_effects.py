"""Effects: replicates are those within strata, and with one stratum the test is Student's paired one."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from benchsuite.analysis.comparison.effects import Effect, Verdict, correct_together, pooled


def metric(strata: list[list[tuple[float, float]]], margin: float = 0.0) -> Effect:
    return pooled("test/accuracy", "somewhere", strata, higher_is_better=True, margin=margin)


@given(st.integers(0, 1000), st.integers(3, 12))
def test_one_stratum_is_students_paired_test(seed: int, n: int) -> None:
    random = np.random.default_rng(seed)
    a = random.normal(0.9, 0.01, n)
    b = a + random.normal(0.005, 0.01, n)
    found = metric([list(zip(a.tolist(), b.tolist(), strict=True))])
    expected = stats.ttest_rel(b, a)
    assert found.p == pytest.approx(float(expected.pvalue), rel=1e-6)
    interval = expected.confidence_interval(0.95)
    assert (found.low, found.high) == pytest.approx((float(interval.low), float(interval.high)))
    assert found.n == n


def test_strata_of_one_replicate_each_tell_nothing() -> None:
    """Three sizes with one seed each are no three replicates."""
    found = metric([[(0.80, 0.90)], [(0.82, 0.91)], [(0.85, 0.96)]])
    assert found.n == 1
    assert math.isnan(found.p)
    assert found.verdict is Verdict.UNCLEAR


def test_the_spread_between_strata_is_no_noise() -> None:
    """Two models gain very different amounts, each of them the same in every seed: the gain is certain."""
    small = [(0.5 + seed / 100, 0.51 + seed / 100 + seed * 1e-4) for seed in range(3)]
    large = [(0.7 + seed / 100, 0.90 + seed / 100 - seed * 1e-4) for seed in range(3)]
    found = metric([small, large])
    assert found.difference == pytest.approx(0.105, abs=1e-3)
    assert found.verdict is Verdict.BETTER
    assert found.n == 3


def test_times_are_compared_by_their_ratio() -> None:
    found = pooled(
        "speed/step_seconds", "torch cpu", [[(1.0, 2.0), (10.0, 20.0), (0.1, 0.2)]],
        higher_is_better=False, margin=0.03, ratio=True,
    )  # fmt: skip
    assert found.difference == pytest.approx(math.log(2))
    assert found.change == pytest.approx(1.0)
    assert found.verdict is Verdict.WORSE


def test_p_values_are_corrected_for_how_many_there_are() -> None:
    one = metric([[(0.90, 0.91), (0.91, 0.925), (0.92, 0.925)]])
    corrected = correct_together([one] * 4)
    assert [effect.p for effect in corrected] == pytest.approx([min(1.0, 4 * one.p)] * 4)
