"""TensorFlowDecoding: a decoder generating over one batch, one graph a token."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import tensorflow as tf

from benchsuite.contracts import Advance, Decoding
from benchsuite.spec import Decoder
from benchsuite_tensorflow import heads
from benchsuite_tensorflow.attention import Memory
from benchsuite_tensorflow.cells import State, Tensor
from benchsuite_tensorflow.network import Network
from benchsuite_tensorflow.placement import Placed

Run = Callable[..., Any]
"""(purpose, function, arguments, opened, variant) -> what the graph of `function` gives for the arguments."""


class TensorFlowDecoding(Decoding):
    """States and memory stay on the device between two tokens.

    :param network: the model. :param weights: gives its weights, inside a graph. :param run: as in Run.
    :param time: the axis of the encoder's steps is open: one trace serves every padded length.
    """

    def __init__(
        self,
        network: Network,
        weights: Callable[[], dict[str, Tensor]],
        run: Run,
        placed: Placed,
        width: int,
        aligned: bool,
        free_time: bool,
    ) -> None:
        assert network.model.decoder is not None
        assert network.writer is not None
        self._decoder: Decoder = network.model.decoder
        self._network, self._writer, self._weights, self._run = network, network.writer, weights, run
        self._width, self._aligned = width, aligned and self._decoder.attention != "none"
        self._free_time = free_time
        opened = [0 if free_time else None, None]
        given = [placed.data.inputs, placed.data.lengths]
        tensors = self._run("start", self._start, given, opened, width)
        count = self._decoder.body.layers * self._writer.cell.parts
        self._states, self._memory = tensors[:count], tensors[count:]

    def advance(self, tokens: np.ndarray, parents: np.ndarray, k: int) -> Advance:
        k = min(k, self._decoder.vocabulary)

        def function(*given: Tensor) -> list[Tensor]:
            return self._advance(k, *given)

        arguments = [
            tf.constant(tokens, tf.int32),
            tf.constant(parents, tf.int32),
            *self._states,
            *self._memory,
        ]
        time = 1 if self._free_time else None
        opened = [None] * (2 + len(self._states)) + [time] * len(self._memory)
        found = self._run("advance", function, arguments, opened, (k, self._aligned))
        likeliest, which, *rest = found
        count = len(self._states)
        self._states = rest[:count]
        alignment = rest[count].numpy() if self._aligned else None
        return Advance(np.array(likeliest.numpy()), np.array(which.numpy()), alignment)

    def _start(self, inputs: Tensor, lengths: Tensor) -> list[Tensor]:
        """Each state (N, H), then what the memory holds, (N, T, ...)."""
        states, memory = self._network.encode(self._weights(), inputs, lengths)
        held = [part for state in states for part in state]
        if memory is not None:
            held += [memory.values, memory.valid, *([] if memory.keys is None else [memory.keys])]
        return [tf.repeat(tensor, self._width, axis=0) for tensor in held]

    def _advance(self, k: int, tokens: Tensor, parents: Tensor, *given: Tensor) -> list[Tensor]:
        count, parts = len(self._states), self._writer.cell.parts
        continued = [tf.gather(state, parents) for state in given[:count]]
        states: list[State] = [tuple(continued[at : at + parts]) for at in range(0, count, parts)]
        memory = Memory(*given[count:]) if given[count:] else None
        weights = self._weights()
        moved = self._writer.step(weights, memory, tokens, states)
        scores = heads.scores(self._network.model, weights, moved.features)
        # the order of the scores is that of ln p; their sum is all that is left to take from them
        likeliest, which = tf.math.top_k(scores, k)
        total = tf.reduce_logsumexp(scores, 1, keepdims=True)
        held = [part for state in moved.states for part in state]
        looked = [moved.attention] if self._aligned else []
        return [tf.cast(likeliest - total, tf.float64), which, *held, *looked]
