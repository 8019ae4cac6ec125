"""The formulas that backends are offered give the reference's numbers."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchsuite.contracts import AVERAGES, clipped, step_numbers, updated
from benchsuite.errors import ContractError
from benchsuite.schema import CLIPS, OPTIMISERS, Recipe
from benchsuite_numpy.reference import optimisers as reference

RECIPES: list[dict[str, Any]] = [
    {"learning_rate": 0.1},
    {"learning_rate": 0.1, "weight_decay": 0.3, "epsilon": 1e-3},
    {"learning_rate": 0.1, "schedule": "cosine", "schedule_steps": 4, "warmup": 2},
]


@pytest.mark.parametrize("recipe", RECIPES, ids=["plain", "decay", "schedule"])
@pytest.mark.parametrize("optimiser", OPTIMISERS)
@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_ten_updates_are_the_references(optimiser: str, recipe: dict[str, Any], dtype: str) -> None:
    made = Recipe.model_validate({"optimiser": optimiser, **recipe})
    random = np.random.default_rng(3)
    found = random.normal(size=(4, 3)).astype(dtype)
    expected = {"p": found.copy()}
    averages = {name: np.zeros_like(found) for name in AVERAGES[optimiser]}
    theirs = reference.Optimiser(made, expected)
    for step in range(1, 11):
        gradient = random.normal(size=found.shape).astype(dtype)
        found, averages = updated(made, step, found, gradient, averages)
        theirs.update(expected, {"p": gradient})
    assert found.dtype == dtype
    assert set(averages) == set(AVERAGES[optimiser])
    np.testing.assert_allclose(found, expected["p"], rtol=1e-12 if dtype == "float64" else 1e-5)


def test_nothing_that_is_given_is_changed() -> None:
    parameter, gradient = np.ones(3), np.full(3, 2.0)
    averages = {"m": np.zeros(3), "v": np.zeros(3)}
    updated(Recipe(clip="value"), 1, parameter, gradient, averages)
    clipped(Recipe(clip="value"), gradient)
    assert parameter.tolist() == [1, 1, 1]
    assert gradient.tolist() == [2, 2, 2]
    assert not averages["m"].any()


@given(
    st.lists(st.floats(-100, 100), min_size=1, max_size=9), st.floats(0.01, 50), st.sampled_from(list(CLIPS))
)
def test_clipping_is_the_references(values: list[float], at: float, clip: Any) -> None:
    recipe, gradient = Recipe(clip=clip, clip_at=at), np.array(values)
    found, measured = clipped(recipe, gradient)
    np.testing.assert_allclose(found, reference.clip(recipe, {"g": gradient})["g"], rtol=1e-12, atol=1e-300)
    known = {"norm": reference.global_norm, "value": reference.peak}
    assert (measured is None) == (clip == "none")
    if measured is not None:
        np.testing.assert_allclose(measured, known[clip]({"g": gradient}), rtol=1e-12, atol=1e-150)


def test_unknown_names_are_refused() -> None:
    unknown: Any = "mine"
    with pytest.raises(ContractError, match="unknown optimiser 'mine'"):
        updated(Recipe.model_construct(optimiser=unknown), 1, np.ones(1), np.ones(1), {})
    with pytest.raises(ContractError, match="unknown clip 'mine'"):
        clipped(Recipe.model_construct(clip=unknown), np.ones(1))


@pytest.mark.parametrize("optimiser", OPTIMISERS)
def test_the_numbers_of_a_step_are_all_that_an_update_needs_of_it(optimiser: str) -> None:
    recipe = Recipe.model_validate({"optimiser": optimiser, "warmup": 3, "schedule_steps": 6})
    averages = {name: np.full(3, 0.25) for name in AVERAGES[optimiser]}
    for step in (1, 2, 5, 10**6):
        numbers = step_numbers(recipe, step)
        assert all(isinstance(number, float) for number in numbers)
        by_step, by_numbers = (
            updated(recipe, each, np.ones(3), np.arange(3.0), averages)[0] for each in (step, numbers)
        )
        np.testing.assert_array_equal(by_step, by_numbers)
