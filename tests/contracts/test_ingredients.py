"""Ingredients of training that a backend lacks are declined in one form of words."""

from __future__ import annotations

from typing import Any

import pytest

from benchsuite.contracts import INGREDIENTS, ingredient_problem
from benchsuite.schema import DROPOUTS, Recipe

ASKED: dict[str, Any] = {"weight_decay": 0.1, "schedule": "cosine", "warmup": 5, "label_smoothing": 0.1}
ASKED |= dict.fromkeys(DROPOUTS, 0.5)


def test_every_ingredient_is_asked_for_below() -> None:
    assert set(ASKED) == set(INGREDIENTS)


@pytest.mark.parametrize("name", INGREDIENTS)
def test_an_ingredient_that_is_not_supported_is_named(name: str) -> None:
    recipe = Recipe.model_validate({name: ASKED[name]})
    others = [one for one in INGREDIENTS if one != name]
    default = Recipe.model_fields[name].default
    reason = f"the mine backend has no recipe.{name} (given {ASKED[name]!r}); leave it at {default!r}"
    assert ingredient_problem("mine", recipe) == ingredient_problem("mine", recipe, others) == reason
    assert ingredient_problem("mine", recipe, [name]) is None
    assert ingredient_problem("mine", Recipe()) is None
