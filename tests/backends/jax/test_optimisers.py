"""The formulas that backends are offered, inside jax's compiled functions."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

jax = pytest.importorskip("jax")

from benchsuite.contracts import AVERAGES, clipped, step_numbers, updated  # noqa: E402
from benchsuite.schema import CLIPS, OPTIMISERS, Recipe  # noqa: E402


@pytest.mark.parametrize("optimiser", OPTIMISERS)
def test_they_can_be_compiled_and_keep_the_dtype(optimiser: str) -> None:
    gradient = np.linspace(-2, 3, 7, dtype=np.float32)
    averages = {name: np.full(7, 0.5, np.float32) for name in AVERAGES[optimiser]}
    for clip in CLIPS:
        recipe = Recipe.model_validate({"optimiser": optimiser, "clip": clip, "weight_decay": 0.1})

        def step(p: Any, g: Any, kept: Any, recipe: Recipe = recipe) -> Any:
            return updated(recipe, 3, p, clipped(recipe, g)[0], kept)

        expected, theirs = step(np.ones(7, np.float32), gradient, averages)
        found, after = jax.jit(step)(np.ones(7, np.float32), gradient, averages)
        assert found.dtype == np.float32
        np.testing.assert_allclose(found, expected, rtol=1e-6)
        assert set(after) == set(theirs) == set(AVERAGES[optimiser])


@pytest.mark.usefixtures("single_precision")
@pytest.mark.parametrize("schedule", ["constant", "cosine"])
@pytest.mark.parametrize("optimiser", OPTIMISERS)
def test_one_compiled_update_serves_every_step(optimiser: str, schedule: str) -> None:
    fields = {"optimiser": optimiser, "schedule": schedule, "warmup": 2, "schedule_steps": 9}
    recipe = Recipe.model_validate({**fields, "weight_decay": 0.1, "learning_rate": 0.01})
    traces = []

    @jax.jit  # type: ignore[untyped-decorator]
    def compiled(numbers: Any, p: Any, g: Any, kept: Any) -> Any:
        traces.append(numbers)
        return updated(recipe, numbers, p, g, kept)

    found = expected = np.linspace(1, 2, 7, dtype=np.float32)
    after = theirs = {name: np.zeros(7, np.float32) for name in AVERAGES[optimiser]}
    for step in range(1, 12):
        gradient = np.sin(np.arange(7) + step).astype(np.float32)
        found, after = compiled(step_numbers(recipe, step), found, gradient, after)
        expected, theirs = updated(recipe, step, expected, gradient, theirs)
        np.testing.assert_allclose(found, expected, rtol=1e-5)
    assert found.dtype == np.float32
    assert len(traces) == 1
