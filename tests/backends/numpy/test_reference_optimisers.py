"""Clipping and update rules of the reference against the formulas, entry by entry in Python floats."""

from __future__ import annotations

import math

import numpy as np
import pytest

from benchsuite.schema import OPTIMISERS, Recipe, learning_rate
from benchsuite_numpy.reference.optimisers import Optimiser, clip


def expected(recipe: Recipe, start: float, slopes: list[float]) -> float:
    """One number through `slopes`, straight from the papers."""
    p, m, v = start, 0.0, 0.0
    for t, g in enumerate(slopes, start=1):
        p -= recipe.learning_rate * recipe.weight_decay * p
        match recipe.optimiser:
            case "sgd":
                p -= recipe.learning_rate * g
            case "momentum":
                v = recipe.momentum * v + g
                p -= recipe.learning_rate * v
            case "rmsprop":
                v = recipe.rho * v + (1 - recipe.rho) * g * g
                p -= recipe.learning_rate * g / (math.sqrt(v) + recipe.epsilon)
            case "adam":
                m = recipe.beta1 * m + (1 - recipe.beta1) * g
                v = recipe.beta2 * v + (1 - recipe.beta2) * g * g
                corrected = m / (1 - math.pow(recipe.beta1, t)), v / (1 - math.pow(recipe.beta2, t))
                p -= recipe.learning_rate * corrected[0] / (math.sqrt(corrected[1]) + recipe.epsilon)
    return p


@pytest.mark.parametrize("decay", [0.0, 0.7])
@pytest.mark.parametrize("epsilon", [1e-8, 0.1])
@pytest.mark.parametrize("optimiser", list(OPTIMISERS))
def test_update_rules(optimiser: str, epsilon: float, decay: float) -> None:
    recipe = Recipe(
        optimiser=optimiser,
        learning_rate=0.3,
        momentum=0.8,
        rho=0.7,
        beta1=0.6,
        beta2=0.95,
        epsilon=epsilon,
        weight_decay=decay,
    )
    random = np.random.default_rng(0)
    values = {"a": random.standard_normal((2, 3)), "b": random.standard_normal(4)}
    start = {name: value.copy() for name, value in values.items()}
    slopes = [{name: random.standard_normal(v.shape) for name, v in values.items()} for _ in range(7)]
    update = Optimiser(recipe, values)
    for slope in slopes:
        update.update(values, slope)
    for name, value in values.items():
        for index in np.ndindex(value.shape):
            one = expected(recipe, float(start[name][index]), [float(s[name][index]) for s in slopes])
            assert value[index] == pytest.approx(one, rel=1e-13)


@pytest.mark.parametrize("optimiser", list(OPTIMISERS))
def test_each_step_has_its_own_rate(optimiser: str) -> None:
    """Steps of a schedule are those of constant recipes whose state is kept."""
    recipe = Recipe(
        optimiser=optimiser,
        learning_rate=0.3,
        schedule="cosine",
        warmup=2,
        schedule_steps=5,
        weight_decay=0.4,
    )
    random = np.random.default_rng(0)
    values, constant = {"a": np.ones(3)}, {"a": np.ones(3)}
    scheduled, other = Optimiser(recipe, values), Optimiser(recipe, constant)
    for step in range(1, 8):
        slope = {"a": random.standard_normal(3)}
        scheduled.update(values, slope)
        rate = learning_rate(recipe, step)
        other._recipe = Recipe(optimiser=optimiser, learning_rate=rate, weight_decay=0.4)
        other.update(constant, slope)
        np.testing.assert_allclose(values["a"], constant["a"], rtol=1e-14)


@pytest.mark.parametrize("at", [0.5, 3.0, 100.0])
def test_clip_by_norm_keeps_the_direction(at: float) -> None:
    given = {"a": np.array([3.0, 0.0]), "b": np.array([[4.0]])}
    clipped = clip(Recipe(clip="norm", clip_at=at), given)
    entries = np.array([*clipped["a"], *clipped["b"].ravel()])
    np.testing.assert_allclose(entries, np.array([3.0, 0.0, 4.0]) * min(1.0, at / 5.0), rtol=1e-15)


def test_clip_by_value_is_elementwise() -> None:
    given = {"a": np.array([3.0, -0.2, -7.0])}
    assert clip(Recipe(clip="value", clip_at=0.5), given)["a"].tolist() == [0.5, -0.2, -0.5]
    assert clip(Recipe(clip="none", clip_at=0.5), given)["a"].tolist() == [3.0, -0.2, -7.0]
