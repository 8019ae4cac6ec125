"""The contract's Decoding: the encoder's run, kept, and the decoder's states of every hypothesis."""

from __future__ import annotations

import numpy as np

from benchsuite.contracts import Advance, Decoding
from benchsuite.contracts.backend import Parameters
from benchsuite.schema import ModelSpec
from benchsuite_numpy.reference.attention import Memory
from benchsuite_numpy.reference.decoder import decoder_step, initial_states
from benchsuite_numpy.reference.heads import score


class ReferenceDecoding(Decoding):
    """`memory` and the encoder's readout `last` are of B rows; each is held `width` times."""

    def __init__(
        self,
        model: ModelSpec,
        parameters: Parameters,
        memory: Memory,
        last: np.ndarray,
        width: int,
        aligned: bool,
    ) -> None:
        assert model.decoder is not None
        self._model, self._decoder, self._parameters = model, model.decoder, parameters
        self._memory = Memory(
            *(np.repeat(x, width, axis=0) for x in (memory.outputs, memory.keys, memory.mask))
        )
        self._states = initial_states(model.decoder, parameters, np.repeat(last, width, axis=0))
        self._aligned = aligned

    def advance(self, tokens: np.ndarray, parents: np.ndarray, k: int) -> Advance:
        states = [tuple(part[parents] for part in state) for state in self._states]
        self._states, features, run = decoder_step(
            self._decoder, self._parameters, self._memory, states, tokens, {}
        )
        scores = score(self._model, self._parameters, features).astype(np.float64)
        shifted = scores - scores.max(axis=1, keepdims=True)
        log_p = shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True))
        likeliest = np.argsort(-log_p, axis=1, kind="stable")[:, :k]
        alignment = run.attention_step.weights if self._aligned and run.attention_step is not None else None
        return Advance(np.take_along_axis(log_p, likeliest, axis=1), likeliest.astype(np.int32), alignment)
