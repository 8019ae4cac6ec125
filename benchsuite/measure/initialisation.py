"""Initial weights: one seed gives every parameter its own named NumPy stream.

A parameter's values depend on the seed and its name alone, so models that share a layer share its weights.
"""

from __future__ import annotations

import zlib

import numpy as np

from benchsuite.contracts.backend import Parameters
from benchsuite.schema import GATES, ModelSpec, Recurrent, parameter_shapes


def stream(seed: int, name: str) -> np.random.Generator:
    """The random stream called `name` under `seed`: PCG64 seeded by (seed, CRC-32 of the name)."""
    return np.random.default_rng(np.random.SeedSequence([seed, zlib.crc32(name.encode())]))


def initial_parameters(model: ModelSpec, seed: int, dtype: str) -> Parameters:
    """Weights for `model`, drawn in float64 and rounded to `dtype`.

    Wx, out.W, dense and convolution kernels, bridge and attention: uniform in
    +-sqrt(6 / (fan_in + fan_out)), gate by gate (Glorot and Bengio 2010, eq. 16); attn.v counts as (A, 1). Wh:
    orthogonal, gate by gate (Saxe et al. 2014). Biases: zero, but one on the LSTM's forget gate (Jozefowicz et
    al. 2015). embed.E, target_embed.E: normal, standard deviation 0.1. rbf.W: normal, standard deviation
    1 / sqrt(F), so that distances start near 1.
    """
    weights: Parameters = {}
    for name, shape in parameter_shapes(model).items():
        weights[name] = _draw(name, shape, stream(seed, name), model).astype(dtype)
    return weights


def _draw(name: str, shape: tuple[int, ...], random: np.random.Generator, model: ModelSpec) -> np.ndarray:
    kind = name.rsplit(".", 1)[1]
    if name in ("embed.E", "target_embed.E"):
        return random.normal(0.0, 0.1, shape)
    if name == "rbf.W":
        return random.normal(0.0, shape[0] ** -0.5, shape)
    body = model.decoder.body if model.decoder is not None and name.startswith("dec.") else model.body
    recurrent = isinstance(body, Recurrent) and name.startswith(("rnn.", "dec."))
    if kind.startswith("b"):
        bias = np.zeros(shape)
        if recurrent and isinstance(body, Recurrent) and body.cell == "lstm":
            bias[body.hidden : 2 * body.hidden] = 1.0
        return bias
    if recurrent and isinstance(body, Recurrent):
        rows, hidden = shape[0], body.hidden
        draw = _orthogonal if kind == "Wh" else _glorot
        gates = [draw((rows, hidden), random) for _ in range(GATES[body.cell])]
        return np.concatenate(gates, axis=1)
    if name == "attn.v":
        return _glorot((*shape, 1), random)[:, 0]
    return _glorot(shape, random)


def _glorot(shape: tuple[int, ...], random: np.random.Generator) -> np.ndarray:
    field = int(np.prod(shape[:-2]))  # 1 for matrices, the kernel's area for convolutions
    bound = np.sqrt(6.0 / (field * (shape[-2] + shape[-1])))
    return random.uniform(-bound, bound, shape)


def _orthogonal(shape: tuple[int, ...], random: np.random.Generator) -> np.ndarray:
    q, r = np.linalg.qr(random.normal(size=shape))
    return q * np.sign(np.diag(r))
