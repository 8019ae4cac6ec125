"""Values and conditions of a matrix."""

from __future__ import annotations

from typing import Any

import pytest
from fixtures.matrix_worlds import BASE, small_registry, trials

REGISTRY = small_registry()


@pytest.mark.parametrize(
    ("condition", "left"),
    [
        ({"backend": "t*"}, {"numpy", "jax"}),
        ({"backend": ["jax", "n*"]}, {"torch"}),
        ({"backend": "numpy", "cell": "gru"}, {"numpy", "torch", "jax"}),
        ({"backend": "numpy", "recipe.epochs": 10}, {"torch", "jax"}),
        ({"options.lower": True, "backend": "jax"}, {"numpy", "torch"}),
        ({"options.scale": True, "backend": "jax"}, {"numpy", "torch", "jax"}),
    ],
)
def test_conditions(condition: dict[str, Any], left: set[str]) -> None:
    data = {"axes": {**BASE, "backend": ["numpy", "torch", "jax"]}, "exclude": [condition]}
    assert {trial.backend for trial in trials(data)} == left


def test_none_unsets_a_field() -> None:
    found = trials({"axes": {**BASE, "recipe": {"truncation": ["none", 7]}}})
    assert [trial.recipe.truncation for trial in found] == [None, 7]
