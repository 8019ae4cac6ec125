"""Network: a ModelSpec as TensorFlow operations over canonical weights."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace

import tensorflow as tf

from benchsuite.schema import (
    Convolutional,
    Execution,
    ModelSpec,
    Recipe,
    Tokens,
    decoder_names,
    parameter_shapes,
    recurrent_names,
)
from benchsuite_tensorflow import convolution, ctc, heads
from benchsuite_tensorflow.attention import Memory, remember
from benchsuite_tensorflow.cells import CELLS, State, Tensor
from benchsuite_tensorflow.decoder import Writer
from benchsuite_tensorflow.fused import FusedLayer
from benchsuite_tensorflow.loops import LOOPS
from benchsuite_tensorflow.placement import Data
from benchsuite_tensorflow.stack import Stack, valid_steps


@dataclass(frozen=True)
class Forward:
    """scores as the loss reads them: time-major for readout `steps`, (n, V) at the target tokens alone with a
    decoder. finals: final states by prefix."""

    scores: Tensor
    finals: dict[str, State]


class Network:
    """Inputs are time-major, (T, B, D) or (T, B); the convolutional baseline's are (B, T, D)."""

    def __init__(self, model: ModelSpec, recipe: Recipe, execution: Execution) -> None:
        self.model = model
        self.by_step = model.readout == "steps"
        self._dtype = execution.dtype
        self._stack: Stack | None = None
        self._tapped: Stack | None = None
        self._writer: Writer | None = None
        self._tapped_writer: Writer | None = None
        # what no fused kernel runs is left to the loop of open length
        self._loop = LOOPS.get(execution.unroll, LOOPS["dynamic"])
        if isinstance(model.body, Convolutional):
            return
        fused = _fused_layers(model, execution)
        loop = LOOPS.get(execution.unroll)
        attentive = model.decoder is not None and model.decoder.attention != "none"
        self._stack = Stack(
            model, model.body, execution.dtype, loop, fused, recipe.truncation, recipe.carry, attentive
        )
        # cuDNN gives no way in between two steps: the loop, over the same weights, is asked instead.
        self._tapped = self._stack if loop else replace(self._stack, loop=self._loop)
        if model.decoder is not None:
            self._writer = Writer(model.decoder, execution.dtype, self._loop, fused)
            self._tapped_writer = replace(self._writer, fused={}) if fused else self._writer

    @property
    def recurrent(self) -> bool:
        return self._stack is not None

    @property
    def second_pass(self) -> bool:
        """Whether dL/dh_t comes from another pass than the parameters' gradients."""
        return self._tapped is not self._stack

    @property
    def loops_beside_fused(self) -> bool:
        """Whether part of the recurrence is a loop where the encoder is a fused kernel."""
        decoder = self.model.decoder
        return decoder is not None and decoder.attention == "additive"

    @property
    def weight_gradients(self) -> str:
        """How the loops make the weights' gradients, in words."""
        if self._stack is None:
            return "no loops"
        below = CELLS[self._stack.body.cell].whole_below[self._loop.unroll]
        whole = "in one product over all steps"
        if math.isinf(below):
            return f"weights' gradients {whole}"
        return f"weights' gradients added step by step{f', below {below} rows {whole}' if below else ''}"

    @property
    def prefixes(self) -> list[str]:
        return recurrent_names(self._stack.body) if self._stack else []

    @property
    def state_parts(self) -> int:
        return CELLS[self._stack.body.cell].parts if self._stack else 0

    @property
    def writer(self) -> Writer | None:
        return self._writer

    def forward(
        self,
        weights: Mapping[str, Tensor],
        data: Data,
        training: bool = True,
        initial: Mapping[str, State] | None = None,
        probes: Mapping[str, Tensor] | None = None,
    ) -> Forward:
        """Scores; `probes` (zeros of probe_shape, by prefix) receive dL/dh_t as their gradients."""
        stack = self._tapped if probes is not None else self._stack
        if stack is None:
            assert isinstance(self.model.body, Convolutional)
            features = convolution.features(self.model.body, weights, data.inputs)
            return Forward(heads.scores(self.model, weights, features), {})
        run = stack(weights, self._entering(weights, data.inputs), data.lengths, training, initial, probes)
        features = run.features
        writer = self._tapped_writer if probes is not None else self._writer
        if writer is not None:
            memory = self._memory(weights, run.outputs, data.lengths)
            written = writer(weights, features, memory, data.targets, training, probes)
            features = tf.gather(tf.reshape(written, [-1, written.shape[2]]), data.written)
        return Forward(heads.scores(self.model, weights, features), run.finals)

    def encode(
        self, weights: Mapping[str, Tensor], inputs: Tensor, lengths: Tensor
    ) -> tuple[list[State], Memory | None]:
        """The decoder's states before its first step, and what it looks back at."""
        assert self._stack is not None
        assert self._writer is not None
        run = self._stack(weights, self._entering(weights, inputs), lengths, training=False)
        return self._writer.start(weights, run.features), self._memory(weights, run.outputs, lengths)

    def probes(self, data: Data) -> dict[str, Tensor]:
        """A zero probe for every layer and direction: (T, B, H), a decoder's (U, B, H)."""
        if self._stack is None:
            return {}
        rows = data.inputs.shape[1]
        shape = [tf.shape(data.inputs)[0], rows, self._stack.body.hidden]
        found = {prefix: tf.zeros(shape, self._dtype) for prefix in self.prefixes}
        if decoder := self.model.decoder:
            shape = [tf.shape(data.targets)[0], rows, decoder.body.hidden]
            found |= {prefix: tf.zeros(shape, self._dtype) for prefix in decoder_names(decoder)}
        return found

    def loss(self, scores: Tensor, data: Data) -> Tensor:
        if self.model.loss == "ctc":
            rows = ctc.row_losses(self._loop, scores, data.lengths, data.targets, data.written)
            return tf.reduce_mean(rows)
        if self.model.decoder is not None:
            targets = tf.gather(tf.reshape(data.targets, [-1]), data.written)
            return heads.loss(self.model, scores, targets, None)
        valid = valid_steps(tf.shape(scores)[0], data.lengths) if self.by_step else None
        return heads.loss(self.model, scores, data.targets, valid)

    def predictions(self, scores: Tensor, data: Data) -> Tensor:
        """Scores in the contract's layout: (B, O), or by step (B, T, O), or with a decoder (B, U, V); zero on
        padding."""
        if self.model.decoder is not None:
            time, rows = tf.shape(data.targets)[0], data.targets.shape[1]
            where = tf.expand_dims(data.written, 1)
            whole = tf.scatter_nd(where, scores, [time * rows, scores.shape[1]])
            return tf.transpose(tf.reshape(whole, [time, rows, scores.shape[1]]), [1, 0, 2])
        if not self.by_step:
            return scores
        valid = valid_steps(tf.shape(scores)[0], data.lengths)[..., None]
        return tf.transpose(tf.where(valid, scores, tf.zeros_like(scores)), [1, 0, 2])

    def _entering(self, weights: Mapping[str, Tensor], inputs: Tensor) -> Tensor:
        return tf.gather(weights["embed.E"], inputs) if isinstance(self.model.input, Tokens) else inputs

    def _memory(
        self, weights: Mapping[str, Tensor], outputs: Tensor | None, lengths: Tensor
    ) -> Memory | None:
        if outputs is None or self.model.decoder is None:
            return None
        return remember(self.model.decoder.attention, weights, outputs, lengths)


def _fused_layers(model: ModelSpec, execution: Execution) -> dict[str, FusedLayer]:
    """The layers that cuDNN runs: all, but those of a decoder whose steps look back before they are made."""
    if execution.unroll != "fused" or isinstance(model.body, Convolutional):
        return {}
    bodies = [(model.body, recurrent_names(model.body))]
    if model.decoder is not None and model.decoder.attention != "additive":
        bodies.append((model.decoder.body, decoder_names(model.decoder)))
    shapes = parameter_shapes(model)
    return {
        prefix: FusedLayer(body.cell, shapes[f"{prefix}.Wx"][0], body.hidden, execution.dtype)
        for body, prefixes in bodies
        for prefix in prefixes
    }
