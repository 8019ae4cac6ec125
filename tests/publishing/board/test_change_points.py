"""Changes of level are found where they are, and rarely where they are not."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchsuite.publishing.board.change_points import LEAST_POINTS, changes

NOISE = 0.02
"""Standard deviation of the logarithm of a speed, as quiet machines show it."""


def found_in(seeds: int, points: int, step: float, noise: float = NOISE) -> list[list[int]]:
    made = []
    for seed in range(seeds):
        random = np.random.default_rng([seed, points])
        levels = np.where(np.arange(points) < points // 2, 0.0, step)
        values = levels + noise * random.normal(size=points)
        made.append([one.at for one in changes(values.tolist(), 0.03)])
    return made


@pytest.mark.parametrize("points", [8, 40])
def test_noise_alone_is_seldom_a_change(points: int) -> None:
    found = found_in(100, points, 0.0)
    assert sum(map(bool, found)) <= 8


@pytest.mark.parametrize("step", [0.15, -0.15])
def test_a_step_well_above_the_noise_is_found_where_it_is(step: float) -> None:
    found = found_in(60, 20, step)
    assert sum(one == [10] for one in found) >= 54


def test_a_change_has_the_levels_of_both_sides() -> None:
    one, *others = changes([1.0, 1.01, 0.99, 1.0, 2.0, 2.01, 1.99, 2.0], 0.03)
    assert not others
    assert one.at == 4
    assert (one.before, one.after) == pytest.approx((1.0, 2.0), abs=0.01)


@given(st.lists(st.floats(-1e6, 1e6), max_size=LEAST_POINTS - 1))
def test_few_points_say_nothing(values: list[float]) -> None:
    assert changes(values, 0.0) == []


@given(st.floats(-100, 100), st.integers(LEAST_POINTS, 40), st.floats(0.001, 1.0))
def test_equal_values_and_rounding_are_no_change(value: float, points: int, least: float) -> None:
    wobble = [value + 1e-12 * (at % 3) for at in range(points)]
    assert changes(wobble, least) == []


def test_one_outlier_is_no_new_level() -> None:
    assert changes([0.0, 0.01, -0.01, 0.0, 0.4, 0.01, 0.0, -0.01, 0.0, 0.01], 0.03) == []
