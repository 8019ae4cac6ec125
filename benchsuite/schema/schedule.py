"""The learning rate of each optimiser step: a function of a recipe and the step's number, the same for every
backend.
"""

from __future__ import annotations

import math

from benchsuite.errors import ContractError
from benchsuite.schema.trial import Recipe


def is_scheduled(recipe: Recipe) -> bool:
    """Whether the learning rate differs from step to step."""
    return recipe.schedule != "constant" or recipe.warmup > 0


def learning_rate(recipe: Recipe, step: int) -> float:
    """The learning rate of optimiser step number `step`, counted from 1; formulas: names.SCHEDULES.

    :param recipe: a scheduled one with its schedule_steps, which the core sets before it builds a program.

    Raises ContractError where they are missing.
    """
    if not is_scheduled(recipe):
        return recipe.learning_rate
    return recipe.learning_rate * _factor(recipe, (step - 1) % _length(recipe) + 1)


def learning_rates(recipe: Recipe) -> list[float]:
    """learning_rate() of the steps 1, 2, ..., schedule_steps: after the last one the first one follows again.

    Raises ContractError where recipe.schedule_steps is missing.
    """
    return [learning_rate(recipe, step) for step in range(1, _length(recipe) + 1)]


def _length(recipe: Recipe) -> int:
    if recipe.schedule_steps is None:
        raise ContractError(
            "a learning rate with a schedule or a warm-up needs recipe.schedule_steps, the optimiser steps of "
            "the training; the core sets it where a matrix does not"
        )
    return recipe.schedule_steps


def _factor(recipe: Recipe, step: int) -> float:
    """The share of the recipe's learning rate, 1 <= step <= schedule_steps."""
    if step <= recipe.warmup:
        return step / recipe.warmup
    after = step - recipe.warmup - 1
    if recipe.schedule == "cosine":
        return (1 + math.cos(math.pi * after / (_length(recipe) - recipe.warmup))) / 2
    if recipe.schedule == "step":
        assert recipe.decay_every is not None, "refused by Recipe"
        return recipe.decay_factor ** (after // recipe.decay_every)
    return 1.0
