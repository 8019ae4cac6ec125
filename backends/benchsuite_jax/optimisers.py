"""Clipping, weight decay and the four update rules, as pure functions over dictionaries of parameters."""

from __future__ import annotations

import math
from collections.abc import Mapping

import jax
import jax.numpy as jnp
import numpy as np

from benchsuite.contracts import AVERAGES
from benchsuite.errors import ContractError, unknown_name
from benchsuite.schema import CLIPS, OPTIMISERS, Recipe, is_scheduled, learning_rate

Tree = dict[str, jax.Array]


def initial_moments(recipe: Recipe, parameters: Mapping[str, jax.Array]) -> dict[str, Tree]:
    """Zeros for every running average of the recipe's optimiser, each where its parameter is.

    They are made on the host: jax would compile a function for every shape.
    """
    if recipe.optimiser not in AVERAGES:
        raise ContractError(unknown_name("optimiser", recipe.optimiser, OPTIMISERS))
    return {
        name: {
            key: jax.device_put(np.zeros(value.shape, value.dtype), value.sharding)
            for key, value in parameters.items()
        }
        for name in AVERAGES[recipe.optimiser]
    }


def bias_corrections(recipe: Recipe, count: int, dtype: str) -> np.ndarray | None:
    """Adam's factors for m and for sqrt(v) at step t = `count`: (1 / (1 - beta1^t), 1 / sqrt(1 - beta2^t)).

    Computed in double precision on the host: in single precision 1 - 0.999^t loses its leading digits for
    small t. Shape (2,); None for the other optimisers.
    """
    if recipe.optimiser != "adam":
        return None
    return np.array([1.0 / (1.0 - recipe.beta1**count), 1.0 / math.sqrt(1.0 - recipe.beta2**count)], dtype)


def scheduled_rate(recipe: Recipe, count: int, dtype: str) -> np.ndarray | None:
    """The learning rate of step `count`, of no dimension, on the host; None where it never changes."""
    return np.asarray(learning_rate(recipe, count), dtype) if is_scheduled(recipe) else None


def clip(recipe: Recipe, gradients: Tree) -> tuple[Tree, jax.Array | None]:
    """Clipped gradients, and what clipping measured: global norm, largest entry, or None.

    By norm: g * c / max(|g|, c) over all parameters, no epsilon. By value: elementwise into [-c, c].
    """
    at = float(recipe.clip_at)
    if recipe.clip == "norm":
        norm = jnp.sqrt(sum(jnp.sum(jnp.square(g)) for g in gradients.values()))
        scale = at / jnp.maximum(norm, at)
        return {name: g * scale for name, g in gradients.items()}, norm
    if recipe.clip == "value":
        peak = jnp.max(jnp.stack([jnp.max(jnp.abs(g)) for g in gradients.values()]))
        return {name: jnp.clip(g, -at, at) for name, g in gradients.items()}, peak
    if recipe.clip == "none":
        return gradients, None
    raise ContractError(unknown_name("clip", recipe.clip, CLIPS))


def update(
    recipe: Recipe,
    parameters: Tree,
    gradients: Tree,
    moments: dict[str, Tree],
    corrections: jax.Array | None,
    scheduled: jax.Array | None = None,
) -> tuple[Tree, dict[str, Tree]]:
    """One step of the recipe's optimiser: the new parameters and running averages.

    momentum  v = mu v + g; p -= lr v  (Sutskever et al. 2013, without dampening)
    rmsprop   s = rho s + (1 - rho) g^2; p -= lr g / (sqrt(s) + eps)  (Hinton 2012)
    adam      p -= lr m^ / (sqrt(v^) + eps)  (Kingma and Ba 2015, algorithm 1)

    and with each of them the decoupled weight decay p -= lr wd p (Loshchilov and Hutter 2019).

    The constants are Python floats: they take the parameters' dtype and never promote it.

    :param scheduled: see scheduled_rate().
    """
    rate, epsilon = float(recipe.learning_rate) if scheduled is None else scheduled, float(recipe.epsilon)
    if recipe.optimiser == "sgd":
        change = gradients
    elif recipe.optimiser == "momentum":
        moments = {"v": _merge(float(recipe.momentum), 1.0, moments["v"], gradients)}
        change = moments["v"]
    elif recipe.optimiser == "rmsprop":
        moments = {"s": _average(float(recipe.rho), moments["s"], _squares(gradients))}
        change = {name: g / (jnp.sqrt(moments["s"][name]) + epsilon) for name, g in gradients.items()}
    elif recipe.optimiser == "adam":
        assert corrections is not None
        m = _average(float(recipe.beta1), moments["m"], gradients)
        v = _average(float(recipe.beta2), moments["v"], _squares(gradients))
        moments = {"m": m, "v": v}
        change = {
            name: (corrections[0] * m[name]) / (corrections[1] * jnp.sqrt(v[name]) + epsilon) for name in m
        }
    else:
        raise ContractError(unknown_name("optimiser", recipe.optimiser, OPTIMISERS))
    if recipe.weight_decay:
        decay = float(recipe.weight_decay)
        change = {name: change[name] + decay * value for name, value in parameters.items()}
    return {name: value - rate * change[name] for name, value in parameters.items()}, moments


def _average(decay: float, old: Tree, new: Tree) -> Tree:
    return _merge(decay, 1.0 - decay, old, new)


def _merge(keep: float, take: float, old: Tree, new: Tree) -> Tree:
    return {name: keep * value + take * new[name] for name, value in old.items()}


def _squares(gradients: Tree) -> Tree:
    return {name: jnp.square(g) for name, g in gradients.items()}
