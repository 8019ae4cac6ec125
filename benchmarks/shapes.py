"""The models that contestants race on: one recurrent layer, its last state, ten classes, Adam."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from benchsuite.contracts import Batch
from benchsuite.contracts.backend import Parameters
from benchsuite.measure.initialisation import initial_parameters
from benchsuite.schema import Dense, Features, ModelSpec, Recipe, Recurrent

CLASSES = 10
MEAN_LENGTH = 0.4
"""Of the ragged shape: mean length over the longest."""

RECIPE = Recipe(optimiser="adam", learning_rate=1e-3)


@dataclass(frozen=True)
class Shape:
    """T time steps of D features, B rows, H hidden units. `ragged`: lengths from 1 to T, a mean of 0.4 T."""

    kind: str
    cell: str
    time: int
    inputs: int
    batch: int
    hidden: int
    ragged: bool = False

    @property
    def name(self) -> str:
        return f"{self.cell}-{self.kind}-B{self.batch}-H{self.hidden}"

    def data(self) -> Batch:
        """The one batch of the race, the same for everybody: float32 inputs, int32 labels."""
        rng = np.random.default_rng(1)
        inputs = rng.standard_normal((self.batch, self.time, self.inputs), np.float32)
        lengths = np.full(self.batch, self.time, np.int32)
        if self.ragged:
            # linear in a uniform variable's power: from 1 to T, the longest always there, the mean as asked
            spread = np.linspace(0, 1, self.batch) ** (1 / MEAN_LENGTH - 1)
            lengths = np.maximum(1, np.round(spread * self.time)).astype(np.int32)
            lengths = rng.permutation(lengths)
            inputs[np.arange(self.time)[None, :] >= lengths[:, None]] = 0
        return Batch(inputs, lengths, rng.integers(0, CLASSES, self.batch).astype(np.int32))

    def model(self) -> ModelSpec:
        return ModelSpec(
            input=Features(self.inputs),
            body=Recurrent(self.cell, self.hidden),
            readout="last",
            head=Dense(CLASSES),
            loss="cross_entropy",
        )

    def parameters(self) -> Parameters:
        """Canonical float32 initial weights: rnn.l0.fwd.Wx (I, G*H) ..., out.W (H, 10), out.b (10)."""
        return initial_parameters(self.model(), seed=0, dtype="float32")


def _of(kind: str, time: int, inputs: int, batch: int, hidden: int, ragged: bool = False) -> list[Shape]:
    return [Shape(kind, cell, time, inputs, batch, hidden, ragged) for cell in ("rnn", "lstm", "gru")]


FULL = [
    *_of("rows", 28, 28, 128, 128),
    *_of("rows", 28, 28, 32, 128),
    *_of("text", 100, 64, 128, 256),
    *_of("text", 100, 64, 32, 128),
    *_of("long", 784, 1, 32, 128),
]
RAGGED = _of("padded", 100, 64, 128, 128, ragged=True)
LEVEL = _of("level", 40, 64, 128, 128)
"""As many real steps as the ragged shape has, and no padding."""
SHAPES = {shape.name: shape for shape in [*FULL, *RAGGED, *LEVEL]}
