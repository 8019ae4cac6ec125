"""The ingredients of training that a backend may lack, and the words in which it declines them."""

from __future__ import annotations

from collections.abc import Collection

from benchsuite.schema import DROPOUTS, Recipe

INGREDIENTS = ("weight_decay", "schedule", "warmup", "label_smoothing", *DROPOUTS)
"""Fields of a recipe that a backend may lack; a recipe that needs none of them has their defaults."""


def ingredient_problem(backend: str, recipe: Recipe, supported: Collection[str] = ()) -> str | None:
    """Why a backend with the ingredients `supported` cannot train by `recipe`, for its supports(); or None."""
    for name in INGREDIENTS:
        default = Recipe.model_fields[name].default
        if name not in supported and getattr(recipe, name) != default:
            given = getattr(recipe, name)
            return f"the {backend} backend has no recipe.{name} (given {given!r}); leave it at {default!r}"
    return None
