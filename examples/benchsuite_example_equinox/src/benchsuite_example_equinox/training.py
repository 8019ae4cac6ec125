"""One optimiser step on parameters by name: clipping, update, weight decay.

The formulas are those of benchsuite.contracts.updated(). What depends on the step's number comes as an array,
so that one compiled function does for all steps.
"""

from __future__ import annotations

from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from benchsuite.schema import Recipe, learning_rate

Arrays = dict[str, jax.Array]

MOMENTS = {"sgd": (), "momentum": ("v",), "rmsprop": ("s",), "adam": ("m", "v")}
"""Running averages of each optimiser, as long as the parameters, zero at first."""


def clip(gradients: Arrays, recipe: Recipe) -> tuple[Arrays, jax.Array]:
    """The gradients after clipping, and what clipping measured before it: the norm, the largest entry, or 0."""
    flat = list(gradients.values())
    if recipe.clip == "norm":
        norm = jnp.sqrt(sum(jnp.sum(g * g) for g in flat))
        factor = jnp.where(norm > recipe.clip_at, recipe.clip_at / norm, 1)
        return {name: g * factor for name, g in gradients.items()}, norm
    if recipe.clip == "value":
        peak = jnp.max(jnp.stack([jnp.max(jnp.abs(g)) for g in flat]))
        limit = recipe.clip_at
        return {name: jnp.clip(g, -limit, limit) for name, g in gradients.items()}, peak
    return gradients, jnp.zeros(())


class Scales(NamedTuple):
    """What depends on a step's number: the learning rate, and Adam's bias corrections 1 / (1 - beta^step)."""

    rate: np.ndarray
    first: np.ndarray
    second: np.ndarray


def scales(recipe: Recipe, step: int, dtype: np.dtype) -> Scales:
    """Those of optimiser step `step` = 1, 2, ..., computed in double precision."""
    values = (learning_rate(recipe, step), 1 / (1 - recipe.beta1**step), 1 / (1 - recipe.beta2**step))
    return Scales(*(np.asarray(value, dtype) for value in values))


def update(
    weights: Arrays, gradients: Arrays, moments: dict[str, Arrays], recipe: Recipe, now: Scales
) -> tuple[Arrays, dict[str, Arrays]]:
    """The weights and moments after one step."""
    after = dict(weights)
    moments = {part: dict(values) for part, values in moments.items()}
    for name, g in gradients.items():
        if recipe.optimiser == "sgd":
            change = g
        elif recipe.optimiser == "momentum":
            moments["v"][name] = change = recipe.momentum * moments["v"][name] + g
        elif recipe.optimiser == "rmsprop":
            s = recipe.rho * moments["s"][name] + (1 - recipe.rho) * g * g
            moments["s"][name] = s
            change = g / (jnp.sqrt(s) + recipe.epsilon)
        else:
            m = recipe.beta1 * moments["m"][name] + (1 - recipe.beta1) * g
            v = recipe.beta2 * moments["v"][name] + (1 - recipe.beta2) * g * g
            moments["m"][name], moments["v"][name] = m, v
            change = now.first * m / (jnp.sqrt(now.second * v) + recipe.epsilon)
        after[name] = weights[name] - now.rate * (change + recipe.weight_decay * weights[name])
    return after, moments
