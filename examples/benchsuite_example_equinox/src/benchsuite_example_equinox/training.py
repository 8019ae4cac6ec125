"""One optimiser step on parameters by name: clipping, update, weight decay."""

from __future__ import annotations

import jax
import jax.numpy as jnp

from benchsuite.schema import Recipe

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


def update(
    weights: Arrays,
    gradients: Arrays,
    moments: dict[str, Arrays],
    recipe: Recipe,
    rate: jax.Array,
    step: jax.Array,
) -> tuple[Arrays, dict[str, Arrays]]:
    """The weights and moments after step number `step` (from 1, a real) at learning rate `rate`."""
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
            first, second = m / (1 - recipe.beta1**step), v / (1 - recipe.beta2**step)
            change = first / (jnp.sqrt(second) + recipe.epsilon)
        after[name] = weights[name] - rate * (change + recipe.weight_decay * weights[name])
    return after, moments
