"""Initial weights: one seed gives every parameter its own named NumPy stream.

A parameter's values depend on the seed and its name alone, so models that share a layer share its weights.
"""

from __future__ import annotations

import zlib

import numpy as np

from benchsuite.contracts.backend import Parameters
from benchsuite.measure.recurrent_initialisation import initial_of
from benchsuite.schema import ModelSpec, Recipe, parameter_shapes
from benchsuite.schema.cells import glorot
from benchsuite.schema.parameters import recurrent_parameters


def stream(seed: int, name: str) -> np.random.Generator:
    """The random stream called `name` under `seed`: PCG64 seeded by (seed, CRC-32 of the name)."""
    return np.random.default_rng(np.random.SeedSequence([seed, zlib.crc32(name.encode())]))


def initial_parameters(model: ModelSpec, seed: int, dtype: str, recipe: Recipe | None = None) -> Parameters:
    """Weights for `model`, drawn in float64 and rounded to `dtype`.

    A cell's parameters: as the cell says (schema.cells), or as `recipe` does where it asks for others. out.W,
    dense and convolution kernels, bridge and attention: uniform in +-sqrt(6 / (fan_in + fan_out)) (Glorot and
    Bengio 2010, eq. 16); attn.v counts as (A, 1). Their biases: zero. embed.E, target_embed.E: normal, standard
    deviation 0.1. rbf.W: normal, standard deviation 1 / sqrt(F), so that distances start near 1.
    """
    cells = recurrent_parameters(model)
    weights: Parameters = {}
    for name, shape in parameter_shapes(model).items():
        random = stream(seed, name)
        if name in cells:
            initial = cells[name].initial if recipe is None else initial_of(model, name, cells[name], recipe)
            drawn = initial(random, shape)
        else:
            drawn = _draw(name, shape, random)
        weights[name] = drawn.astype(dtype)
    return weights


def _draw(name: str, shape: tuple[int, ...], random: np.random.Generator) -> np.ndarray:
    if name in ("embed.E", "target_embed.E"):
        return random.normal(0.0, 0.1, shape)
    if name == "rbf.W":
        return random.normal(0.0, shape[0] ** -0.5, shape)
    if name.rpartition(".")[2].startswith("b"):
        return np.zeros(shape)
    if name == "attn.v":
        return glorot(random, (*shape, 1))[:, 0]
    return glorot(random, shape)
