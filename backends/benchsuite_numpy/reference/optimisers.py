"""Clipping, weight decay and the four update rules, parameter by parameter."""

from __future__ import annotations

import math

import numpy as np

from benchsuite.contracts.backend import Parameters
from benchsuite.errors import ContractError
from benchsuite.schema import Recipe, learning_rate


def global_norm(gradients: Parameters) -> float:
    """The L2 norm of all gradients taken as one vector."""
    return math.sqrt(sum(float((g**2).sum()) for g in gradients.values()))


def peak(gradients: Parameters) -> float:
    """The largest absolute entry of all gradients."""
    return max(float(np.abs(g).max()) for g in gradients.values())


def clip(recipe: Recipe, gradients: Parameters) -> Parameters:
    """By norm: g c / max(|g|, c) (Pascanu et al. 2013). By value: every entry within [-c, c]."""
    if recipe.clip == "norm":
        scale = recipe.clip_at / max(global_norm(gradients), recipe.clip_at)
        return {name: (g * scale).astype(g.dtype) for name, g in gradients.items()}
    if recipe.clip == "value":
        return {name: np.clip(g, -recipe.clip_at, recipe.clip_at) for name, g in gradients.items()}
    if recipe.clip != "none":
        raise ContractError(f"the reference has no clipping {recipe.clip!r}")
    return gradients


class Optimiser:
    """sgd, momentum, RMSProp (Tieleman and Hinton 2012) and Adam (Kingma and Ba 2015, algorithm 1), each with
    decoupled weight decay (Loshchilov and Hutter 2019)."""

    def __init__(self, recipe: Recipe, parameters: Parameters) -> None:
        self._recipe = recipe
        self._steps = 0
        self._first = {name: np.zeros_like(p) for name, p in parameters.items()}
        self._second = {name: np.zeros_like(p) for name, p in parameters.items()}

    def update(self, parameters: Parameters, gradients: Parameters) -> None:
        """One step, in place."""
        self._steps += 1
        r, rate = self._recipe, learning_rate(self._recipe, self._steps)
        for name, p in parameters.items():
            g, m, v = gradients[name], self._first[name], self._second[name]
            p *= 1 - rate * r.weight_decay
            if r.optimiser == "sgd":
                p -= rate * g
            elif r.optimiser == "momentum":
                m[...] = r.momentum * m + g
                p -= rate * m
            elif r.optimiser == "rmsprop":
                v[...] = r.rho * v + (1 - r.rho) * g**2
                p -= rate * g / (np.sqrt(v) + r.epsilon)
            elif r.optimiser == "adam":
                m[...] = r.beta1 * m + (1 - r.beta1) * g
                v[...] = r.beta2 * v + (1 - r.beta2) * g**2
                m_hat = m / (1 - r.beta1**self._steps)
                v_hat = v / (1 - r.beta2**self._steps)
                p -= rate * m_hat / (np.sqrt(v_hat) + r.epsilon)
            else:
                raise ContractError(f"the reference has no optimiser {r.optimiser!r}")
