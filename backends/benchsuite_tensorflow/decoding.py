"""TensorFlowDecoding: a decoder generating over one batch, one graph per token."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import tensorflow as tf

from benchsuite.contracts import Advance, Decoding
from benchsuite_tensorflow import heads
from benchsuite_tensorflow.attention import Memory
from benchsuite_tensorflow.cells import State, Tensor
from benchsuite_tensorflow.decoder import DecoderLayers
from benchsuite_tensorflow.model import Model
from benchsuite_tensorflow.placement import Placed, fetched, padded_time

Run = Callable[..., Any]
"""(purpose, function, arguments, free axes, variant) -> what the graph of `function` gives for them."""


@dataclass(frozen=True)
class Generator:
    """What the graphs of a decoding compute. It holds no batch: a graph lives as long as its program does.

    weights  gives the canonical weights, inside a graph
    """

    model: Model
    decoder: DecoderLayers
    weights: Callable[[], Mapping[str, Tensor]]

    @property
    def vocabulary(self) -> int:
        return self.decoder.decoder.vocabulary

    @property
    def attends(self) -> bool:
        return self.decoder.decoder.attention != "none"

    @property
    def state_tensors(self) -> int:
        """Tensors in the states of all layers."""
        return self.decoder.decoder.body.layers * self.decoder.code.parts

    def start(self, width: int, inputs: Tensor, lengths: Tensor) -> list[Tensor]:
        """Each state (N, H), then what there is of the memory, (N, T, ...): each row `width` times."""
        states, memory = self.model.encode(self.weights(), inputs, lengths)
        found = [part for state in states for part in state]
        if memory is not None:
            found += [memory.values, memory.valid, *([] if memory.keys is None else [memory.keys])]
        return [tf.repeat(tensor, width, axis=0) for tensor in found]

    def advance(self, k: int, aligned: bool, tokens: Tensor, parents: Tensor, *given: Tensor) -> list[Tensor]:
        """ln p (N, k) in double and the tokens (N, k), the states after the step, and where `aligned` the
        attention (N, T); `given` as start() returned it."""
        parts, memory = self.decoder.code.parts, given[self.state_tensors :]
        continued = [tf.gather(state, parents) for state in given[: self.state_tensors]]
        states: list[State] = [
            tuple(continued[first : first + parts]) for first in range(0, self.state_tensors, parts)
        ]
        weights = self.weights()
        found = self.decoder.generate(weights, Memory(*memory) if memory else None, tokens, states)
        scores = heads.scores(self.model.spec, weights, found.features)
        # ln p is the score less a term that is the same for all tokens: the order is that of the scores
        likeliest, ids = tf.math.top_k(scores, k)
        log_p = tf.cast(likeliest - tf.reduce_logsumexp(scores, 1, keepdims=True), tf.float64)
        after = [part for state in found.states for part in state]
        return [log_p, ids, *after, *([found.attention] if aligned else ())]


class TensorFlowDecoding(Decoding):
    """States and memory stay on the device between two tokens.

    :param run: as in Run. :param free_time: one trace serves every padded length of the inputs.
    """

    def __init__(
        self, generator: Generator, run: Run, placed: Placed, width: int, aligned: bool, free_time: bool
    ) -> None:
        self._generator, self._run = generator, run
        self._padded = placed.padded
        self._aligned, self._free_time = aligned and generator.attends, free_time

        def start(inputs: Tensor, lengths: Tensor) -> list[Tensor]:
            return generator.start(width, inputs, lengths)

        given = [placed.inputs, placed.lengths]
        tensors = run("start", start, given, [0 if free_time else None, None], width)
        self._states, self._memory = tensors[: generator.state_tensors], tensors[generator.state_tensors :]

    def advance(self, tokens: np.ndarray, parents: np.ndarray, k: int) -> Advance:
        generator, aligned = self._generator, self._aligned
        wanted = min(k, generator.vocabulary)

        def advance(*given: Tensor) -> list[Tensor]:
            return generator.advance(wanted, aligned, *given)

        latest = [np.asarray(tokens, np.int32), np.asarray(parents, np.int32)]
        free = [None] * (2 + generator.state_tensors) + [1 if self._free_time else None] * len(self._memory)
        found = self._run(
            "advance", advance, [*latest, *self._states, *self._memory], free, (wanted, aligned)
        )
        self._states = found[2 : 2 + generator.state_tensors]
        log_p, ids = (np.array(tensor.numpy()) for tensor in found[:2])
        alignment = padded_time(fetched(found[-1]), self._padded) if aligned else None
        return Advance(log_p, ids, alignment)
