"""The formulas that backends are offered, inside jax's compiled functions."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

jax = pytest.importorskip("jax")

from benchsuite.contracts import AVERAGES, clipped, updated  # noqa: E402
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
