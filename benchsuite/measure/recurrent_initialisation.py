"""Initial values that a recipe asks for in place of a cell's own: rnn, lstm and gru, whose gates are known."""

from __future__ import annotations

import numpy as np

from benchsuite.schema import GATES, ModelSpec, Recipe, Recurrent
from benchsuite.schema.cells import CellParameter, Initial, gates, glorot, orthogonal, uniform

FORGET_GATE = 1
"""Its place among the LSTM's gates i, f, g, o."""


def initial_of(model: ModelSpec, name: str, parameter: CellParameter, recipe: Recipe) -> Initial:
    """How the recurrent parameter `name` of `model` is drawn under `recipe`; formulas: names.INITIALISATIONS.

    :param parameter: what the cell says of it, which holds where the recipe asks for nothing else. That the
        cell is one whose gates are known has been checked (contracts.checks).
    """
    body = model.decoder.body if model.decoder is not None and name.startswith("dec.") else model.body
    assert isinstance(body, Recurrent)
    kind, initial = name.rpartition(".")[2], parameter.initial
    if recipe.initialisation == "uniform":
        bound = body.hidden**-0.5
        initial = uniform(-bound, bound)
    elif kind in ("Wx", "Wh") and recipe.initialisation != "default":
        form = glorot if recipe.initialisation == "glorot" else semi_orthogonal
        initial = gates(*[form] * GATES[body.cell])
    if kind == "Wh" and recipe.recurrent_scale != 1:
        return _scaled(initial, recipe.recurrent_scale)
    if kind == "b" and body.cell == "lstm" and recipe.forget_bias is not None:
        return _with_forget_bias(initial, recipe.forget_bias, body.hidden)
    return initial


def semi_orthogonal(random: np.random.Generator, shape: tuple[int, ...]) -> np.ndarray:
    """A matrix whose rows or columns, whichever are fewer, are orthonormal (Saxe et al. 2014)."""
    rows, columns = shape
    return orthogonal(random, shape) if rows >= columns else orthogonal(random, (columns, rows)).T


def _scaled(initial: Initial, factor: float) -> Initial:
    return lambda random, shape: factor * initial(random, shape)


def _with_forget_bias(initial: Initial, bias: float, hidden: int) -> Initial:
    def drawn(random: np.random.Generator, shape: tuple[int, ...]) -> np.ndarray:
        values = initial(random, shape)
        values[FORGET_GATE * hidden : (FORGET_GATE + 1) * hidden] = bias
        return values

    return drawn
