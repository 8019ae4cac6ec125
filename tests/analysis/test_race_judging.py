"""Judging: equal racers are told apart as rarely as promised, a slower one is found, drift or not."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy import stats

from benchsuite.analysis.race_judging import BLOCK, judge, shift_p, verdict
from benchsuite.analysis.seeds import ALPHA
from benchsuite.schema.race import SpeedVerdict

ROUNDS = 30
TIMES = st.floats(1e-6, 1e3)


def machine(random: np.random.Generator, slow: dict[str, float], noise: float) -> dict[str, np.ndarray]:
    """Times as a busy machine gives them: a wandering pace that all share, noise of each lap, and now and then
    a lap that something else got into."""
    pace = np.exp(np.cumsum(random.normal(0, 0.05, ROUNDS)))
    return {
        name: factor
        * 1e-3
        * pace
        * np.exp(random.normal(0, noise, ROUNDS))
        * np.where(random.random(ROUNDS) < 0.05, 1.5, 1.0)
        for name, factor in slow.items()
    }


@pytest.mark.parametrize("racers", [2, 4])
def test_equal_racers_are_rarely_told_apart(racers: int) -> None:
    """By the test alone; the margin makes false alarms rarer still."""
    random, races = np.random.default_rng(1), 1000
    equal = dict.fromkeys("abcd"[:racers], 1.0)
    alarms = words = 0
    for _ in range(races):
        found = judge(machine(random, equal, 0.05))
        alarms += any(pair.p < ALPHA for pair in found.pairwise)
        words += any(pair.verdict in (SpeedVerdict.FASTER, SpeedVerdict.SLOWER) for pair in found.pairwise)
    assert alarms <= 0.05 * races + 3 * np.sqrt(races * 0.05 * 0.95)
    assert words <= 0.05 * races


@pytest.mark.parametrize("noise", [0.01, 0.05])
def test_ten_per_cent_slower_is_found(noise: float) -> None:
    random, races = np.random.default_rng(2), 200
    found = [judge(machine(random, {"slow": 1.1, "a": 1.0, "b": 1.0}, noise)) for _ in range(races)]
    slower = [
        {d.other for d in one.pairwise if d.racer == "slow" and d.verdict is SpeedVerdict.SLOWER}
        for one in found
    ]
    assert sum(others == {"a", "b"} for others in slower) >= 0.95 * races
    assert sum(one.ranks[-1].racer == "slow" for one in found) >= 0.99 * races


def test_intervals_of_ratios_hold_the_truth() -> None:
    random, races = np.random.default_rng(3), 400
    held = 0
    for _ in range(races):
        (pair,) = judge(machine(random, {"a": 1.0, "b": 1.2}, 0.03)).pairwise
        held += pair.low <= (1.2 if pair.racer == "b" else 1 / 1.2) <= pair.high
    assert held >= 0.9 * races


def test_quiet_equal_racers_are_the_same() -> None:
    found = judge(machine(np.random.default_rng(4), {"a": 1.0, "b": 1.0}, 0.005))
    assert found.pairwise[0].verdict is SpeedVerdict.SAME


@given(arrays(float, st.integers(5, 40), elements=TIMES), st.integers(0, 99))
def test_within_one_block_the_test_is_mann_and_whitneys(a: np.ndarray, seed: int) -> None:
    b = np.random.default_rng(seed).permutation(a) * 1.01
    if len(np.unique([*a, *b])) > 1:
        expected = stats.mannwhitneyu(a, b, method="asymptotic").pvalue
        assert shift_p(a, b, len(a)) == pytest.approx(expected, abs=1e-12)


@given(arrays(float, (2, 17), elements=TIMES), st.floats(0.01, 100))
def test_the_test_knows_no_unit_and_no_side(times: np.ndarray, unit: float) -> None:
    a, b = times
    assert shift_p(a, b) == pytest.approx(shift_p(b, a))
    if len(np.unique(times * unit)) == len(np.unique(times)):
        assert shift_p(a * unit, b * unit) == pytest.approx(shift_p(a, b))


def test_drift_hides_no_difference_and_makes_none() -> None:
    random = np.random.default_rng(5)
    pace = np.linspace(1.0, 3.0, ROUNDS)
    a = pace * np.exp(random.normal(0, 0.02, ROUNDS))
    b = 1.1 * pace * np.exp(random.normal(0, 0.02, ROUNDS))
    assert stats.mannwhitneyu(a, b).pvalue > ALPHA
    assert shift_p(a, b) < 0.01
    assert ROUNDS // BLOCK > 1


def test_equal_times_are_no_difference() -> None:
    found = judge({"a": np.ones(10), "b": np.ones(10)})
    assert found.pairwise[0].p == 1
    assert found.pairwise[0].verdict is SpeedVerdict.SAME


def test_a_wide_spread_is_marked() -> None:
    random = np.random.default_rng(6)
    found = judge({"calm": np.full(20, 1.0), "wild": random.uniform(1, 2, 20)})
    assert {one.racer: one.unstable for one in found.ranks} == {"calm": False, "wild": True}


@pytest.mark.parametrize(
    ("difference", "low", "high", "p", "word"),
    [
        (0.1, 0.05, 0.2, 0.01, SpeedVerdict.SLOWER),
        (-0.1, -0.2, -0.05, 0.01, SpeedVerdict.FASTER),
        (0.02, 0.01, 0.025, 0.001, SpeedVerdict.SAME),
        (0.02, 0.01, 0.04, 0.001, SpeedVerdict.UNCLEAR),
        (0.1, -0.05, 0.3, 0.2, SpeedVerdict.UNCLEAR),
    ],
)
def test_words(difference: float, low: float, high: float, p: float, word: SpeedVerdict) -> None:
    assert verdict(difference, low, high, p, 0.03) is word
