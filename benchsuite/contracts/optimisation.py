"""The formulas of clipping and of the optimisers, for backends whose framework has others or none.

Everything is plain arithmetic on arrays: operators, and of clipped() the methods sum, max and clip, as NumPy,
CuPy, JAX and PyTorch have them. Constants are Python floats, which take an array's dtype and never promote it;
nothing is read back from a device. A backend may compute them in any other way that gives the same numbers: the
conformance kit compares with the reference, which has its own.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, NamedTuple

from benchsuite.errors import ContractError, unknown_name
from benchsuite.schema import CLIPS, OPTIMISERS, Recipe, learning_rate

Vector = Any
"""An array of any framework and shape: one parameter's, or that of all of them (contracts.flat)."""

AVERAGES: dict[str, tuple[str, ...]] = {"sgd": (), "momentum": ("v",), "rmsprop": ("s",), "adam": ("m", "v")}
"""Optimiser -> the running averages that it keeps of each parameter; all of them are zero at first."""


def clipped(recipe: Recipe, gradient: Vector) -> tuple[Vector, Vector | None]:
    """The clipped gradient, and what StepLog.of() wants to know of it: under clip `norm` its L2 norm before
    clipping, under `value` its largest absolute entry, both of no dimension; None under `none`.

    :param gradient: that of all parameters as one array, since the norm is a global one.

    By norm: g c / max(norm of g, c), c = recipe.clip_at (Pascanu et al. 2013), without an epsilon. By value:
    every entry within [-c, c]. Raises ContractError for another name.
    """
    at = float(recipe.clip_at)
    if recipe.clip == "none":
        return gradient, None
    if recipe.clip == "norm":
        norm = (gradient * gradient).sum() ** 0.5
        return gradient * (at / norm.clip(at)), norm
    if recipe.clip == "value":
        return gradient.clip(-at, at), abs(gradient).max()
    raise ContractError(unknown_name("clip", recipe.clip, CLIPS))


class StepNumbers(NamedTuple):
    """What an update needs of its step t: numbers, or arrays of no dimension. One compiled function may take
    them for all steps, where the step itself would be a constant of it.

    rate    the learning rate
    first   1 / (1 - beta1^t); second: 1 / sqrt(1 - beta2^t); Adam's, 1 for the other optimisers
    """

    rate: Vector
    first: Vector
    second: Vector


def step_numbers(recipe: Recipe, step: int) -> StepNumbers:
    """The numbers of optimiser step `step` = 1, 2, ..., as Python floats.

    They are computed in double precision: in single precision 1 - beta^t loses its leading digits for small t.
    Raises ContractError where a scheduled recipe lacks its schedule_steps.
    """
    rate = learning_rate(recipe, step)
    if recipe.optimiser != "adam":
        return StepNumbers(rate, 1.0, 1.0)
    return StepNumbers(rate, 1 / (1 - recipe.beta1**step), 1 / math.sqrt(1 - recipe.beta2**step))


def updated(
    recipe: Recipe,
    step: int | StepNumbers,
    parameter: Vector,
    gradient: Vector,
    averages: Mapping[str, Vector],
) -> tuple[Vector, dict[str, Vector]]:
    """The parameter and its running averages after optimiser step `step` = 1, 2, ...; changes no argument.

    :param step: the step's number, or its step_numbers(), which a compiled function takes as arguments.

    lr is the step's learning rate, p the parameter, g its gradient after clipping::

        sgd       p -= lr g
        momentum  v = mu v + g;                 p -= lr v                     (without dampening)
        rmsprop   s = rho s + (1 - rho) g^2;    p -= lr g / (sqrt(s) + eps)   (Tieleman and Hinton 2012)
        adam      m = b1 m + (1 - b1) g;  v = b2 v + (1 - b2) g^2             (Kingma and Ba 2015, algorithm 1)
                  p -= lr (m / (1 - b1^t)) / (sqrt(v / (1 - b2^t)) + eps)     t = step

    and with each of them weight decay of the parameter as it was, p -= lr wd p (Loshchilov and Hutter 2019).
    :param averages: one array for each name of AVERAGES[recipe.optimiser], of the parameter's shape and dtype.

    Raises ContractError for an optimiser of another name.
    """
    rate, first, second = step if isinstance(step, StepNumbers) else step_numbers(recipe, step)
    after: dict[str, Vector] = {}
    if recipe.optimiser == "sgd":
        change = rate * gradient
    elif recipe.optimiser == "momentum":
        after["v"] = recipe.momentum * averages["v"] + gradient
        change = rate * after["v"]
    elif recipe.optimiser == "rmsprop":
        after["s"] = _average(recipe.rho, averages["s"], gradient * gradient)
        change = rate * gradient / (after["s"] ** 0.5 + recipe.epsilon)
    elif recipe.optimiser == "adam":
        after["m"] = _average(recipe.beta1, averages["m"], gradient)
        after["v"] = _average(recipe.beta2, averages["v"], gradient * gradient)
        change = (rate * first) * after["m"] / (second * after["v"] ** 0.5 + recipe.epsilon)
    else:
        raise ContractError(unknown_name("optimiser", recipe.optimiser, OPTIMISERS))
    if recipe.weight_decay:
        change = change + (rate * recipe.weight_decay) * parameter
    return parameter - change, after


def _average(kept: float, old: Vector, new: Vector) -> Vector:
    return kept * old + (1 - kept) * new
