"""Network: a ModelSpec as TensorFlow operations over canonical weights."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import tensorflow as tf

from benchsuite.spec import (
    Convolutional,
    Execution,
    ModelSpec,
    Recipe,
    Tokens,
    parameter_shapes,
    recurrent_names,
)
from benchsuite_tensorflow import convolution, heads
from benchsuite_tensorflow.cells import CELLS, State, Tensor
from benchsuite_tensorflow.fused import FusedLayer
from benchsuite_tensorflow.loops import LOOPS
from benchsuite_tensorflow.stack import Stack, valid_steps


@dataclass(frozen=True)
class Forward:
    """scores as the loss reads them (time-major for readout `steps`), and final states by prefix."""

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
        if isinstance(model.body, Convolutional):
            return
        fused: dict[str, FusedLayer] = {}
        if execution.unroll == "fused":
            shapes = parameter_shapes(model)
            fused = {
                prefix: FusedLayer(
                    model.body.cell, shapes[f"{prefix}.Wx"][0], model.body.hidden, execution.dtype
                )
                for prefix in recurrent_names(model.body)
            }
        loop = LOOPS.get(execution.unroll)
        self._stack = Stack(model, model.body, execution.dtype, loop, fused, recipe.truncation, recipe.carry)
        # cuDNN gives no way in between two steps: the loop, over the same weights, is asked instead.
        self._tapped = self._stack if loop else replace(self._stack, loop=LOOPS["dynamic"])

    @property
    def recurrent(self) -> bool:
        return self._stack is not None

    @property
    def second_pass(self) -> bool:
        """Whether dL/dh_t comes from another pass than the parameters' gradients."""
        return self._tapped is not self._stack

    @property
    def prefixes(self) -> list[str]:
        return recurrent_names(self._stack.body) if self._stack else []

    @property
    def state_parts(self) -> int:
        return CELLS[self._stack.body.cell].parts if self._stack else 0

    def forward(
        self,
        weights: Mapping[str, Tensor],
        inputs: Tensor,
        lengths: Tensor,
        training: bool = True,
        initial: Mapping[str, State] | None = None,
        probes: Mapping[str, Tensor] | None = None,
    ) -> Forward:
        """Scores; `probes` (zeros of probe_shape, by prefix) receive dL/dh_t as their gradients."""
        stack = self._tapped if probes is not None else self._stack
        if stack is None:
            assert isinstance(self.model.body, Convolutional)
            features = convolution.features(self.model.body, weights, inputs)
            return Forward(heads.scores(self.model, weights, features), {})
        x = tf.gather(weights["embed.E"], inputs) if isinstance(self.model.input, Tokens) else inputs
        run = stack(weights, x, lengths, training, initial, probes)
        return Forward(heads.scores(self.model, weights, run.features), run.finals)

    def probes(self, inputs: Tensor) -> dict[str, Tensor]:
        """A zero probe (T, B, H) for every layer and direction."""
        if self._stack is None:
            return {}
        shape = [tf.shape(inputs)[0], inputs.shape[1], self._stack.body.hidden]
        return {prefix: tf.zeros(shape, self._dtype) for prefix in self.prefixes}

    def loss(self, scores: Tensor, lengths: Tensor, targets: Tensor) -> Tensor:
        valid = valid_steps(tf.shape(scores)[0], lengths) if self.by_step else None
        return heads.loss(self.model, scores, targets, valid)

    def predictions(self, scores: Tensor, lengths: Tensor) -> Tensor:
        """Scores in the contract's layout: (B, O), or (B, T, O) with zeros on padding."""
        if not self.by_step:
            return scores
        valid = valid_steps(tf.shape(scores)[0], lengths)[..., None]
        return tf.transpose(tf.where(valid, scores, tf.zeros_like(scores)), [1, 0, 2])
