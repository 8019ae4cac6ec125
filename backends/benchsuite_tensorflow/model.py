"""A ModelSpec as TensorFlow operations over canonical weights."""

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
    Recurrent,
    Tokens,
    decoder_names,
    parameter_shapes,
    recurrent_names,
)
from benchsuite_tensorflow import convolution, ctc, heads
from benchsuite_tensorflow.affine_scan import scan_over_time
from benchsuite_tensorflow.attention import Memory, make_memory
from benchsuite_tensorflow.cells import State, States, Tensor, cell_of, has_kernel
from benchsuite_tensorflow.decoder import DecoderLayers
from benchsuite_tensorflow.fused import FusedLayer
from benchsuite_tensorflow.generic import CellCode, GenericLayer, Stepwise
from benchsuite_tensorflow.layers import Layers, valid_steps, without_padding
from benchsuite_tensorflow.loops import differentiated, loop_of
from benchsuite_tensorflow.placement import Placed


@dataclass(frozen=True)
class Forward:
    """scores as the loss reads them: time-major for readout `steps`, (n, V) at the target tokens alone with a
    decoder. final: final states by prefix, where they are carried."""

    scores: Tensor
    final: States


class Model:
    """Inputs are time-major, (T, B, D) or (T, B); the convolutional baseline's are (B, T, D)."""

    def __init__(self, spec: ModelSpec, recipe: Recipe, execution: Execution) -> None:
        self.spec = spec
        self.by_step = spec.readout == "steps"
        self._dtype, self._smoothing = execution.dtype, recipe.label_smoothing
        self._encoder: Layers | None = None
        self._decoder: DecoderLayers | None = None
        self._probed_encoder: Layers | None = None
        self._probed_decoder: DecoderLayers | None = None
        self._loop = loop_of(execution.unroll)
        if isinstance(spec.body, Convolutional):
            return
        fused = _fused_layers(spec, execution)
        loop = None if execution.unroll == "fused" else self._loop
        attends = spec.decoder is not None and spec.decoder.attention != "none"
        self._encoder = Layers(
            spec,
            spec.body,
            execution.dtype,
            loop,
            fused,
            _generic_layer(spec.body, execution.unroll, spec.resets or recipe.recurrent_dropout > 0),
            recipe.truncation,
            recipe.carry,
            attends,
        )
        # cuDNN gives no access between two steps: the loop, over the same weights, is asked for dL/dh_t
        self._probed_encoder = self._encoder if loop else replace(self._encoder, loop=self._loop)
        if spec.decoder is not None:
            # the kernel that attends before each step has no place for masks
            inside = recipe.layer_dropout > 0 and spec.decoder.attention == "additive"
            generic = _generic_layer(
                spec.decoder.body, execution.unroll, inside or recipe.recurrent_dropout > 0
            )
            self._decoder = DecoderLayers(spec.decoder, execution.dtype, self._loop, fused, generic)
            self._probed_decoder = replace(self._decoder, fused={}) if fused else self._decoder

    @property
    def recurrent(self) -> bool:
        return self._encoder is not None

    @property
    def second_pass(self) -> bool:
        """Whether dL/dh_t comes from another pass than the parameters' gradients."""
        return self._probed_encoder is not self._encoder

    @property
    def loops_beside_fused(self) -> bool:
        """Whether part of the recurrence is a loop where the encoder is a fused kernel."""
        decoder = self.spec.decoder
        return decoder is not None and decoder.attention == "additive"

    @property
    def generic(self) -> bool:
        """Whether the cell runs by its own code, and not by a kernel that was written for it."""
        return self._encoder is not None and self._encoder.generic is not None

    @property
    def weight_gradients(self) -> str:
        """How the kernels' loops make the weights' gradients, in words."""
        if self._encoder is None:
            return "no loops"
        below = cell_of(self._encoder.body.cell).one_product_below[self._loop.unroll]
        at_once = "in one product over all steps"
        if math.isinf(below):
            return f"weights' gradients {at_once}"
        return f"weights' gradients added step by step{f', below {below} rows {at_once}' if below else ''}"

    @property
    def prefixes(self) -> list[str]:
        return recurrent_names(self._encoder.body) if self._encoder else []

    @property
    def state_parts(self) -> int:
        return self._code.parts if self._encoder else 0

    @property
    def decoder(self) -> DecoderLayers | None:
        return self._decoder

    def initial_states(self, rows: int) -> States:
        """The states of the body's layers before the first step."""
        if self._encoder is None:
            return {}
        return dict.fromkeys(self.prefixes, self._code.start(rows, self._dtype))

    @property
    def reads_begins(self) -> bool:
        """Whether the body's cell tells its initial state from one that was passed in."""
        return self.generic and self._code.cell.reads_begins

    @property
    def _code(self) -> CellCode:
        assert isinstance(self.spec.body, Recurrent)
        return CellCode(self.spec.body.cell, self.spec.body.hidden)

    def forward(
        self,
        weights: Mapping[str, Tensor],
        batch: Placed,
        training: bool = True,
        initial: Mapping[str, State] | None = None,
        probes: Mapping[str, Tensor] | None = None,
    ) -> Forward:
        """Scores; `probes` (see probes()) receive dL/dh_t as their gradients."""
        encoder = self._probed_encoder if probes is not None else self._encoder
        if encoder is None:
            assert isinstance(self.spec.body, Convolutional)
            features = convolution.features(self.spec.body, weights, batch.inputs)
            return Forward(heads.scores(self.spec, weights, features), {})
        inputs = self._embedded(weights, batch.inputs)
        masks, resets = batch.masks, batch.resets
        ran = encoder(weights, inputs, batch.lengths, training, initial, probes, resets=resets, masks=masks)
        features = ran.features
        decoder = self._probed_decoder if probes is not None else self._decoder
        if decoder is not None:
            memory = self._memory(weights, ran.outputs, batch.lengths)
            by_step = decoder(weights, features, memory, batch.targets, training, probes, masks)
            features = tf.gather(tf.reshape(by_step, [-1, by_step.shape[2]]), batch.target_positions)
        return Forward(heads.scores(self.spec, weights, features), ran.final)

    def layer_outputs(
        self, weights: Mapping[str, Tensor], batch: Placed, initial: Mapping[str, State] | None
    ) -> dict[str, Tensor]:
        """y_t of every layer by prefix, (B, T, H) or a decoder's (B, U, H), zero on padding."""
        if self._encoder is None:
            return {}
        inputs = self._embedded(weights, batch.inputs)
        ran = self._encoder(
            weights, inputs, batch.lengths, False, initial, all_layers=True, resets=batch.resets
        )
        found = {name: without_padding(h, batch.lengths) for name, h in ran.layers.items()}
        if self._decoder is not None:
            memory = self._memory(weights, ran.outputs, batch.lengths)
            layers = self._decoder.layer_outputs(weights, ran.features, memory, batch.targets)
            found |= {name: without_padding(h, batch.target_lengths) for name, h in layers.items()}
        return {name: tf.transpose(h, [1, 0, 2]) for name, h in found.items()}

    def encode(
        self, weights: Mapping[str, Tensor], inputs: Tensor, lengths: Tensor
    ) -> tuple[list[State], Memory | None]:
        """The decoder's states before its first step, and the memory it attends to."""
        assert self._encoder is not None
        assert self._decoder is not None
        ran = self._encoder(weights, self._embedded(weights, inputs), lengths, training=False)
        return self._decoder.start(weights, ran.features), self._memory(weights, ran.outputs, lengths)

    def probes(self, batch: Placed) -> dict[str, Tensor]:
        """A zero probe for every layer and direction: (T, B, H), a decoder's (U, B, H)."""
        if self._encoder is None:
            return {}
        rows = batch.inputs.shape[1]
        shape = [tf.shape(batch.inputs)[0], rows, self._encoder.body.hidden]
        found = {prefix: tf.zeros(shape, self._dtype) for prefix in self.prefixes}
        if decoder := self.spec.decoder:
            shape = [tf.shape(batch.targets)[0], rows, decoder.body.hidden]
            found |= {prefix: tf.zeros(shape, self._dtype) for prefix in decoder_names(decoder)}
        return found

    def loss(self, scores: Tensor, batch: Placed) -> Tensor:
        """The loss of the scores as Forward has them; a scalar."""
        if self.spec.loss == "ctc":
            lengths, labels = batch.target_lengths, batch.targets
            return tf.reduce_mean(ctc.row_losses(self._loop, scores, batch.lengths, labels, lengths))
        if self.spec.decoder is not None:
            targets = tf.gather(tf.reshape(batch.targets, [-1]), batch.target_positions)
            return heads.loss(self.spec, scores, targets, None, self._smoothing)
        valid = valid_steps(tf.shape(scores)[0], batch.lengths) if self.by_step else None
        return heads.loss(self.spec, scores, batch.targets, valid, self._smoothing)

    def predictions(self, scores: Tensor, batch: Placed) -> Tensor:
        """Scores in the contract's layout: (B, O), or by step (B, T, O), or with a decoder (B, U, V); zero on
        padding."""
        if self.spec.decoder is not None:
            time, rows = tf.shape(batch.targets)[0], batch.targets.shape[1]
            where = tf.expand_dims(batch.target_positions, 1)
            whole = tf.scatter_nd(where, scores, [time * rows, scores.shape[1]])
            return tf.transpose(tf.reshape(whole, [time, rows, scores.shape[1]]), [1, 0, 2])
        if not self.by_step:
            return scores
        return tf.transpose(without_padding(scores, batch.lengths), [1, 0, 2])

    def _embedded(self, weights: Mapping[str, Tensor], inputs: Tensor) -> Tensor:
        return tf.gather(weights["embed.E"], inputs) if isinstance(self.spec.input, Tokens) else inputs

    def _memory(
        self, weights: Mapping[str, Tensor], outputs: Tensor | None, lengths: Tensor
    ) -> Memory | None:
        if outputs is None or self.spec.decoder is None:
            return None
        return make_memory(self.spec.decoder.attention, weights, outputs, lengths)


def _generic_layer(body: Recurrent, unroll: str, beyond: bool = False) -> GenericLayer | None:
    """How a layer of a cell without a kernel runs, or of any cell with what is `beyond` the kernels: resets,
    recurrent dropout. None where a kernel runs it."""
    if has_kernel(body.cell) and not beyond:
        return None
    stepwise = Stepwise(differentiated(loop_of(unroll)))
    return GenericLayer(CellCode(body.cell, body.hidden), scan_over_time if unroll == "scan" else stepwise)


def _fused_layers(spec: ModelSpec, execution: Execution) -> dict[str, FusedLayer]:
    """The layers that cuDNN runs: all, except those of a decoder that attends before each step."""
    if execution.unroll != "fused" or isinstance(spec.body, Convolutional):
        return {}
    bodies = [(spec.body, recurrent_names(spec.body))]
    if spec.decoder is not None and spec.decoder.attention != "additive":
        bodies.append((spec.decoder.body, decoder_names(spec.decoder)))
    shapes = parameter_shapes(spec)
    return {
        prefix: FusedLayer(body.cell, shapes[f"{prefix}.Wx"][0], body.hidden, execution.dtype)
        for body, prefixes in bodies
        for prefix in prefixes
    }
