"""Small models whose products the frameworks' own profilers count as well, and where a backend may differ.

Every row is as long as its batch is: a profiler counts padding, which is no work that was asked for.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from benchsuite.contracts import Batch
from benchsuite.contracts.backend import Parameters
from benchsuite.initialisation import initial_parameters
from benchsuite.spec import (
    GATES,
    Convolutional,
    Decoder,
    Dense,
    Features,
    ModelSpec,
    Rbf,
    Recurrent,
    Tokens,
)
from benchsuite.spec.model import AttentionKind

ROWS, STEPS, WRITTEN = 5, 6, 4
FEATURES, HIDDEN, EMBEDDING, OUTPUTS, VOCABULARY = 3, 8, 7, 4, 11


@dataclass(frozen=True)
class FlopCase:
    """A model, and a batch of it without padding."""

    name: str
    model: ModelSpec
    rows: int = ROWS
    steps: int = STEPS

    def parameters(self) -> Parameters:
        return initial_parameters(self.model, 0, "float32")

    @property
    def batch(self) -> Batch:
        random = np.random.default_rng(0)
        lengths, written = np.full(self.rows, self.steps, np.int32), np.full(self.rows, WRITTEN, np.int32)
        shape = (self.rows, self.steps)
        if isinstance(self.model.input, Tokens):
            inputs = random.integers(1, VOCABULARY, shape).astype(np.int32)
        else:
            inputs = random.normal(size=(*shape, self.model.input.size)).astype(np.float32)
        if self.model.decoder is not None:
            targets = random.integers(4, VOCABULARY, (self.rows, WRITTEN)).astype(np.int32)
            return Batch(inputs, lengths, targets, target_lengths=written)
        if self.model.loss == "ctc":
            labels = np.ones((self.rows, 2), np.int32)
            return Batch(inputs, lengths, labels, target_lengths=np.full(self.rows, 2, np.int32))
        by_step = self.model.readout == "steps"
        return Batch(inputs, lengths, random.integers(0, OUTPUTS, shape if by_step else self.rows, np.int32))

    @property
    def by_zero_states(self) -> float:
        """Operations of the gradients by the encoder's first states, which are zero and nobody's parameters."""
        body = self.model.body
        if isinstance(body, Convolutional):
            return 0.0
        return 2.0 * self.rows * body.hidden**2 * GATES[body.cell] * body.layers * len(body.directions)

    @property
    def scored(self) -> float:
        """Operations of the forward products with additive attention's v, over all pairs of steps; else 0."""
        decoder = self.model.decoder
        if decoder is None or decoder.attention != "additive":
            return 0.0
        return 2.0 * self.rows * WRITTEN * self.steps * decoder.body.hidden


def flop_cases() -> list[FlopCase]:
    """Every cell; stacks, inputs, readouts and heads one by one; every attention."""
    found = []
    for cell in GATES:
        plain = ModelSpec(Features(FEATURES), Recurrent(cell, HIDDEN), Dense(OUTPUTS), "cross_entropy")
        found.append(FlopCase(f"{cell}-plain", plain))
        found.append(FlopCase(f"{cell}-deep", replace(plain, body=Recurrent(cell, HIDDEN, 2))))
    gru = ModelSpec(Features(FEATURES), Recurrent("gru", HIDDEN), Dense(OUTPUTS), "cross_entropy")
    both = Recurrent("lstm", HIDDEN, 2, bidirectional=True)
    picture = Convolutional(STEPS, FEATURES * 2, channels=(3, 5), hidden=HIDDEN)
    found += [
        FlopCase("bidirectional", replace(gru, body=both)),
        FlopCase("embedding", replace(gru, input=Tokens(VOCABULARY, EMBEDDING))),
        FlopCase("tagging", replace(gru, readout="steps")),
        FlopCase("rbf", replace(gru, head=Rbf(OUTPUTS))),
        FlopCase("ctc", replace(gru, readout="steps", loss="ctc")),
        FlopCase("cnn", replace(gru, input=Features(FEATURES * 2), body=picture)),
    ]
    kinds: tuple[AttentionKind, ...] = ("none", "additive", "multiplicative")
    found += [FlopCase(f"decoder-{kind}", _writing(kind)) for kind in kinds]
    return found


def _writing(attention: AttentionKind) -> ModelSpec:
    decoder = Decoder(VOCABULARY, EMBEDDING, Recurrent("gru", HIDDEN + 1, 2), attention, WRITTEN + 2)
    body = Recurrent("gru", HIDDEN, 2, bidirectional=True)
    return ModelSpec(Tokens(VOCABULARY, EMBEDDING), body, Dense(VOCABULARY), "cross_entropy", decoder=decoder)
