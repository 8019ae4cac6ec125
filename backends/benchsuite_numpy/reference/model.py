"""The whole model: a batch in, loss, predictions and every gradient out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from benchsuite.contracts import Batch, Gradients
from benchsuite.contracts.backend import Parameters
from benchsuite.spec import Convolutional, ModelSpec, Tokens
from benchsuite_numpy.reference.cells import State
from benchsuite_numpy.reference.convolution import ConvolutionRun, convolution_backward, convolution_forward
from benchsuite_numpy.reference.heads import loss, read, read_back, score, score_back
from benchsuite_numpy.reference.layers import LayerRun, stack_backward, stack_forward


@dataclass(frozen=True)
class ModelRun:
    """A forward pass: scores, the features they were made of, and the body's own run."""

    scores: np.ndarray
    """(B, O) or (B, T, O), zero where not `valid`."""
    features: np.ndarray
    valid: np.ndarray
    """(B,), or (B, T) for readout `steps`: which scores count."""
    mask: np.ndarray
    """(B, T): which steps are not padding."""
    body: ConvolutionRun | dict[str, LayerRun]
    outputs_shape: tuple[int, ...] = field(default=())

    @property
    def final_states(self) -> dict[str, State]:
        """The forward direction's last states by prefix: what the next batch of a stream starts from."""
        if isinstance(self.body, ConvolutionRun):
            return {}
        return {prefix: run.final for prefix, run in self.body.items() if prefix.endswith(".fwd")}


def forward(
    model: ModelSpec, parameters: Parameters, batch: Batch, carried: Mapping[str, State] | None = None
) -> ModelRun:
    """Scores of a batch. Recurrent states start at `carried` (by prefix), or at zero."""
    dtype = next(iter(parameters.values())).dtype
    mask = np.arange(batch.time) < batch.lengths[:, None]
    valid = mask if model.readout == "steps" else np.ones(batch.size, bool)
    x = parameters["embed.E"][batch.inputs] if isinstance(model.input, Tokens) else batch.inputs.astype(dtype)
    body: ConvolutionRun | dict[str, LayerRun]
    if isinstance(model.body, Convolutional):
        body = convolution_forward(model.body, parameters, x)
        features, shape = body.outputs, body.outputs.shape
    else:
        outputs, body = stack_forward(model.body, parameters, x, mask, carried or {})
        features, shape = read(model, outputs, batch.lengths, model.body.hidden), outputs.shape
    scores = np.where(valid[..., None], score(model, parameters, features), 0).astype(dtype)
    return ModelRun(scores, features, valid, mask, body, shape)


def backward(
    model: ModelSpec, parameters: Parameters, batch: Batch, run: ModelRun, truncation: int | None
) -> Gradients:
    """Loss and every gradient of a batch after its forward pass."""
    value, d_scores = loss(model, run.scores, batch.targets, run.valid)
    d_features, gradients = score_back(model, parameters, run.features, d_scores)
    states: dict[str, np.ndarray] = {}
    if isinstance(model.body, Convolutional):
        assert isinstance(run.body, ConvolutionRun)
        gradients |= convolution_backward(parameters, run.body, d_features)
    else:
        assert isinstance(run.body, dict)
        d_outputs = read_back(model, d_features, run.outputs_shape, batch.lengths, model.body.hidden)
        dx, states, found = stack_backward(model.body, parameters, run.body, run.mask, d_outputs, truncation)
        gradients |= found
        if isinstance(model.input, Tokens):
            gradients["embed.E"] = np.zeros_like(parameters["embed.E"])
            np.add.at(gradients["embed.E"], batch.inputs, dx)
    in_order = {name: gradients[name] for name in parameters}
    return Gradients(loss=value, parameters=in_order, states=states, predictions=run.scores)
