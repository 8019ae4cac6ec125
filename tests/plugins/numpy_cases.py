"""Small models and batches that the tests of the NumPy plugin share."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from benchsuite.contracts import Batch
from benchsuite.contracts.backend import Parameters
from benchsuite.spec import (
    LOSSES,
    READOUTS,
    Decoder,
    Dense,
    Features,
    ModelSpec,
    Rbf,
    Recurrent,
    Tokens,
    parameter_shapes,
)

ARCHITECTURES = {
    "plain": (1, False),
    "deep": (2, False),
    "bidirectional": (1, True),
    "deep_bidirectional": (2, True),
}
ATTENTIONS = ("none", "additive", "multiplicative")
LOSSES_AND_READOUTS = [
    (loss, readout) for loss in LOSSES for readout in READOUTS if loss != "ctc" or readout == "steps"
]
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


def writing_model(
    cell: str = "lstm",
    architecture: str = "plain",
    attention: str = "additive",
    inputs: str = "features",
    *,
    hidden: int = 4,
    size: int = 3,
    vocabulary: int = 6,
    limit: int = 5,
) -> ModelSpec:
    """Encoder and decoder of equally many layers, the decoder's one unit wider than the encoder's."""
    layers, bidirectional = ARCHITECTURES[architecture]
    body = Recurrent(cell, hidden + 1, layers)
    return ModelSpec(
        input=Features(size) if inputs == "features" else Tokens(7, size),
        body=Recurrent(cell, hidden, layers, bidirectional),
        head=Dense(vocabulary),
        loss="cross_entropy",
        decoder=Decoder(vocabulary, size, body, attention, limit),  # type: ignore[arg-type]
    )


def batch(
    model: ModelSpec,
    lengths: Sequence[int],
    seed: int = 1,
    *,
    time: int | None = None,
    dtype: str = "float64",
    fresh: bool = True,
    written: Sequence[int] | None = None,
) -> Batch:
    """Random inputs and targets, zero beyond each length; `written`: the targets' own lengths, where they have
    some (random ones if not given; under CTC short enough for any labels)."""
    random = np.random.default_rng(seed)
    rows, time = len(lengths), time or max(lengths)
    mask = np.arange(time) < np.asarray(lengths)[:, None]
    if isinstance(model.input, Tokens):
        inputs = random.integers(0, model.input.vocabulary, (rows, time)).astype(np.int32) * mask
    else:
        inputs = random.standard_normal((rows, time, model.input.size)).astype(dtype) * mask[..., None]
    inputs = inputs.astype(np.int32 if inputs.ndim == 2 else dtype)
    if model.transcribes:
        longest = [4] * rows if model.decoder is not None else [(length + 1) // 2 for length in lengths]
        count = random.integers(1, np.array(longest) + 1) if written is None else np.asarray(written)
        valid = np.arange(count.max()) < count[:, None]
        targets = random.integers(1, model.head.outputs, valid.shape) * valid
        if model.decoder is not None:
            targets[np.arange(rows), count - 1] = model.decoder.end
        return Batch(
            inputs, np.array(lengths, np.int32), targets.astype(np.int32), fresh, count.astype(np.int32)
        )
    lead = (rows, time) if model.readout == "steps" else (rows,)
    if model.loss == "cross_entropy":
        targets = random.integers(0, model.head.outputs, lead).astype(np.int32)
    elif model.loss == "binary_cross_entropy":
        targets = random.uniform(size=(*lead, model.head.outputs)).astype(dtype)
    else:
        targets = random.standard_normal((*lead, model.head.outputs)).astype(dtype)
    if model.readout == "steps":
        targets = targets * mask.reshape(mask.shape + (1,) * (targets.ndim - 2)).astype(targets.dtype)
    return Batch(inputs, np.array(lengths, np.int32), targets, fresh)


def parameters(model: ModelSpec, seed: int = 0, dtype: str = "float64", scale: float = 0.5) -> Parameters:
    """Every entry normal with deviation `scale`: no zero biases, no orthogonal matrices to hide behind."""
    random = np.random.default_rng(seed)
    return {
        name: (scale * random.standard_normal(shape)).astype(dtype)
        for name, shape in parameter_shapes(model).items()
    }
