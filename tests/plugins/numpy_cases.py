"""Small models and batches that the tests of the NumPy plugin share."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from benchsuite.contracts import Batch
from benchsuite.contracts.backend import Parameters
from benchsuite.spec import Dense, Features, ModelSpec, Rbf, Recurrent, Tokens, parameter_shapes

ARCHITECTURES = {
    "plain": (1, False),
    "deep": (2, False),
    "bidirectional": (1, True),
    "deep_bidirectional": (2, True),
}
LENGTHS = {"full": [6, 6, 6, 6], "ragged": [6, 2, 4, 5], "with_ones": [1, 6, 1, 3], "all_ones": [1, 1, 1, 1]}


def model(
    cell: str = "lstm",
    architecture: str = "plain",
    head: str = "dense",
    loss: str = "cross_entropy",
    readout: str = "last",
    inputs: str = "features",
    *,
    hidden: int = 4,
    size: int = 3,
    outputs: int = 3,
) -> ModelSpec:
    layers, bidirectional = ARCHITECTURES[architecture]
    return ModelSpec(
        input=Features(size) if inputs == "features" else Tokens(7, size),
        body=Recurrent(cell, hidden, layers, bidirectional),
        head=Dense(outputs) if head == "dense" else Rbf(outputs),
        loss=loss,  # type: ignore[arg-type]
        readout=readout,  # type: ignore[arg-type]
    )


def batch(
    model: ModelSpec,
    lengths: Sequence[int],
    seed: int = 1,
    *,
    time: int | None = None,
    dtype: str = "float64",
    fresh: bool = True,
) -> Batch:
    """Random inputs and targets, zero beyond each length."""
    random = np.random.default_rng(seed)
    rows, time = len(lengths), time or max(lengths)
    mask = np.arange(time) < np.asarray(lengths)[:, None]
    if isinstance(model.input, Tokens):
        inputs = random.integers(0, model.input.vocabulary, (rows, time)).astype(np.int32) * mask
    else:
        inputs = random.standard_normal((rows, time, model.input.size)).astype(dtype) * mask[..., None]
    lead = (rows, time) if model.readout == "steps" else (rows,)
    if model.loss == "cross_entropy":
        targets = random.integers(0, model.head.outputs, lead).astype(np.int32)
    else:
        targets = random.standard_normal((*lead, model.head.outputs)).astype(dtype)
    if model.readout == "steps":
        targets = targets * mask.reshape(mask.shape + (1,) * (targets.ndim - 2)).astype(targets.dtype)
    return Batch(
        inputs.astype(np.int32 if inputs.ndim == 2 else dtype), np.array(lengths, np.int32), targets, fresh
    )


def parameters(model: ModelSpec, seed: int = 0, dtype: str = "float64", scale: float = 0.5) -> Parameters:
    """Every entry normal with deviation `scale`: no zero biases, no orthogonal matrices to hide behind."""
    random = np.random.default_rng(seed)
    return {
        name: (scale * random.standard_normal(shape)).astype(dtype)
        for name, shape in parameter_shapes(model).items()
    }
